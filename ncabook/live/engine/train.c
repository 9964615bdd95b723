// Training of one kind of automaton: a learned 3×3 convolution, LeakyReLU, a hidden layer,
// LeakyReLU, a linear layer; fire mask and living mask. One sample at a time: all steps forward,
// the loss, all steps backward; gradients add up over the samples of a batch. Built twice, as
// conv.c is: without and with relaxed SIMD.
//
// Layout: as in kernels.c, [row][column][channel]; channels, features and hidden units are
// multiples of four. Weights lie in one row: [ky][kx][channel][feature], its bias, [feature][unit],
// its bias, [unit][channel], its bias. Gradients and Adam's means lie alike.
//
// Masks are constants, as in PyTorch: whether a cell lives is a comparison, and has no gradient.

#include "vectors.h"

enum {
  BLOCK = 32,  // cells that go through the layers together; their neighbours fit the first cache
  CELLS = 4,   // of these, side by side in registers …
  WIDE = 3,    // … times vectors of outputs: 12 sums, 3 weights and an input, of 16 registers
  TAPS = 9,
};

#define SLOPE 0.2f

static int height, width, channels, features, units;
static float threshold;
static const float *weights;  // as above
static float *gradient;       // of them
static float *turned;         // each matrix with rows and columns exchanged, for the way back
static float *states;         // of every step, and one more
static float *stored;         // features and units of the cells that were computed, in their order
static int *listed;           // per step: how many these are, then which
static uint8_t *alive;        // per step: cells that live before and after it
static float *slope_now, *slope_before;  // of the loss, for the state after a step and before it
static float *scratch;        // BLOCK rows for each layer and its gradient
static uint8_t *masks;        // three of the grid

static int cell_count(void) { return height * width; }
static int seen(void) { return TAPS * channels; }

// Where the layers' parts lie in a row of weights.
typedef struct {
  int conv, conv_bias, first, first_bias, last, last_bias, end;
} Places;

static Places places(void) {
  Places p;
  p.conv = 0;
  p.conv_bias = seen() * features;
  p.first = p.conv_bias + features;
  p.first_bias = p.first + features * units;
  p.last = p.first_bias + units;
  p.last_bias = p.last + units * channels;
  p.end = p.last_bias + channels;
  return p;
}

EXPORT(train_weights)
int train_weights(int channels_, int features_, int units_) {
  channels = channels_, features = features_, units = units_;
  return places().end;
}

// Floats of scratch that train_setup wants, after train_weights.
EXPORT(train_scratch)
int train_scratch(void) { return 2 * BLOCK * (seen() + features + units + channels); }

EXPORT(train_setup)
void train_setup(int height_, int width_, float threshold_, const float *weights_, float *gradient_,
                 float *turned_, float *states_, float *stored_, int *listed_, uint8_t *alive_,
                 float *slopes, float *scratch_, uint8_t *masks_) {
  height = height_, width = width_, threshold = threshold_;
  weights = weights_, gradient = gradient_, turned = turned_, states = states_, stored = stored_;
  listed = listed_, alive = alive_, scratch = scratch_, masks = masks_;
  slope_now = slopes, slope_before = slopes + cell_count() * channels;
}

// ---------------------------------------------------------------- products

INLINE void product(float *to, const float *from, int in, int first, int out, const float *weight,
                    const float *bias, float slope, const int rows, const int vectors) {
  floats sum[CELLS][WIDE];
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++)
      sum[i][v] = bias ? load(bias + first + v * LANES) : splat(0);
  const float *w = weight + first;
  for (int k = 0; k < in; k++, w += out) {
    floats row[WIDE];
    for (int v = 0; v < vectors; v++) row[v] = load(w + v * LANES);
    for (int i = 0; i < rows; i++) {
      const floats value = splat(from[i * in + k]);
      for (int v = 0; v < vectors; v++) sum[i][v] = multiply_add(value, row[v], sum[i][v]);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++)
      store(to + i * out + first + v * LANES, leaky(sum[i][v], slope));
}

INLINE void columns(float *to, const float *from, int count, int in, int first, int out,
                    const float *weight, const float *bias, float slope, const int vectors) {
  int i = 0;
  for (; i + CELLS <= count; i += CELLS)
    product(to + i * out, from + i * in, in, first, out, weight, bias, slope, CELLS, vectors);
  for (; i < count; i++)
    product(to + i * out, from + i * in, in, first, out, weight, bias, slope, 1, vectors);
}

// to[count][out] = leaky(from[count][in] · weight[in][out] + bias).
static void multiply(float *to, const float *from, int count, int in, int out, const float *weight,
                     const float *bias, float slope) {
  int first = 0;
  for (; first + WIDE * LANES <= out; first += WIDE * LANES)
    columns(to, from, count, in, first, out, weight, bias, slope, WIDE);
  for (; first < out; first += LANES)
    columns(to, from, count, in, first, out, weight, bias, slope, 1);
}

INLINE void outer(float *sums, const float *from, const float *slopes, int count, int in, int out,
                  const int vectors) {
  floats sum[CELLS][WIDE];
  for (int i = 0; i < CELLS; i++)
    for (int v = 0; v < vectors; v++) sum[i][v] = load(sums + i * out + v * LANES);
  for (int n = 0; n < count; n++, from += in, slopes += out) {
    floats row[WIDE];
    for (int v = 0; v < vectors; v++) row[v] = load(slopes + v * LANES);
    for (int i = 0; i < CELLS; i++)
      for (int v = 0; v < vectors; v++)
        sum[i][v] = multiply_add(splat(from[i]), row[v], sum[i][v]);
  }
  for (int i = 0; i < CELLS; i++)
    for (int v = 0; v < vectors; v++) store(sums + i * out + v * LANES, sum[i][v]);
}

// sums[in][out] += from[count][in]ᵀ · slopes[count][out], and the same of a bias: a layer's gradient.
static void learn(float *sums, float *bias, const float *from, const float *slopes, int count,
                  int in, int out) {
  for (int k = 0; k < in; k += CELLS) {
    int first = 0;
    for (; first + WIDE * LANES <= out; first += WIDE * LANES)
      outer(sums + k * out + first, from + k, slopes + first, count, in, out, WIDE);
    for (; first < out; first += LANES)
      outer(sums + k * out + first, from + k, slopes + first, count, in, out, 1);
  }
  for (int first = 0; first < out; first += LANES) {
    floats sum = load(bias + first);
    for (int n = 0; n < count; n++) sum += load(slopes + n * out + first);
    store(bias + first, sum);
  }
}

// LeakyReLU's gradient; the output tells on which side the input was.
static void bend(float *slopes, const float *outputs, int count) {
  for (int q = 0; q < count; q++) slopes[q] = outputs[q] > 0 ? slopes[q] : SLOPE * slopes[q];
}

static void transpose(float *to, const float *from, int rows, int columns_) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns_; c++) to[c * rows + r] = from[r * columns_ + c];
}

// ---------------------------------------------------------------- masks

// Upper 24 bits of a hash; the same as coin in kernels.c, and ncabook.automaton.fire.
static uint32_t toss(uint32_t column, uint32_t row, uint32_t step, uint32_t seed) {
  uint32_t h = column * 0x8da6b343u ^ row * 0xd8163841u ^ step * 0xcb1ab31fu ^ seed;
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return h >> 8;
}

// Cells with a set cell in their 3×3 window: row by row, then column by column.
static void widen(uint8_t *wide, const uint8_t *mask, uint8_t *rows) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const uint8_t *row = mask + y * width;
      rows[y * width + x] = row[wrap(x - 1, width)] | row[x] | row[wrap(x + 1, width)];
    }
  for (int y = 0; y < height; y++) {
    const uint8_t *up = rows + wrap(y - 1, height) * width, *here = rows + y * width;
    const uint8_t *down = rows + wrap(y + 1, height) * width;
    for (int x = 0; x < width; x++) wide[y * width + x] = up[x] | here[x] | down[x];
  }
}

enum { ALPHA = 3 };

// Cells with some alpha above the threshold in their 3×3 window.
static void living(uint8_t *mask, const float *state, uint8_t *own, uint8_t *rows) {
  for (int i = 0; i < cell_count(); i++) own[i] = state[i * channels + ALPHA] > threshold;
  widen(mask, own, rows);
}

// ---------------------------------------------------------------- forward

// What `count` cells see: their nine neighbours' channels, [cell][ky][kx][channel].
static void look(float *to, const float *state, const int *cells, int count) {
  for (int i = 0; i < count; i++)
    for (int k = 0; k < TAPS; k++) {
      const float *near =
          neighbour(state, channels, cells[i], k / 3 - 1, k % 3 - 1, height, width);
      for (int q = 0; q < channels; q += LANES, to += LANES) store(to, load(near + q));
    }
}

// A step of the sample, from states[step] to states[step + 1]; `at`: how many cells were stored so
// far. Coins are those of `number`, the step's in the sample's life; `limit` is the fire rate in
// units of 2^-24. With `ring`, neighbours of living cells fire, and these do not (ring_fire).
// Returns `at` for the next step.
EXPORT(train_forward)
int train_forward(int step, int at, uint32_t number, uint32_t seed, uint32_t limit, int ring) {
  const int cells = cell_count(), size = cells * channels;
  const float *state = states + step * size;
  float *next = states + (step + 1) * size;
  int *list = listed + step * (cells + 1);
  uint8_t *both = alive + step * cells, *own = masks, *rows = masks + cells;
  uint8_t *wide = masks + 2 * cells;
  living(both, state, own, rows);
  widen(wide, both, rows);
  int count = 0;
  for (int i = 0; i < cells; i++) {
    int fires = wide[i] && toss(i % width, i / width, number, seed) < limit;
    if (ring) fires = (fires | both[i]) & !own[i];
    list[1 + count] = i;
    count += fires;
  }
  list[0] = count;
  for (int q = 0; q < size; q += LANES) store(next + q, load(state + q));
  const Places p = places();
  float *const change = scratch + BLOCK * seen();
  for (int first = 0; first < count; first += BLOCK) {
    const int some = count - first < BLOCK ? count - first : BLOCK;
    const int *block = list + 1 + first;
    float *feature = stored + (long)(at + first) * (features + units);
    float *unit = feature + some * features;
    look(scratch, state, block, some);
    multiply(feature, scratch, some, seen(), features, weights + p.conv, weights + p.conv_bias,
             SLOPE);
    multiply(unit, feature, some, features, units, weights + p.first, weights + p.first_bias,
             SLOPE);
    multiply(change, unit, some, units, channels, weights + p.last, weights + p.last_bias, 1);
    for (int i = 0; i < some; i++)
      for (int q = 0; q < channels; q += LANES) {
        float *to = next + block[i] * channels + q;
        store(to, load(to) + load(change + i * channels + q));
      }
  }
  living(wide, next, own, rows);
  for (int i = 0; i < cells; i++) {
    both[i] &= wide[i];
    if (both[i]) continue;
    for (int q = 0; q < channels; q += LANES) store(next + i * channels + q, splat(0));
  }
  return at + count;
}

// ---------------------------------------------------------------- loss

// Of states[step]: writes the slope of (square + overflow · outside) · share, and puts the two parts
// into `parts`: the mean squared difference of the first four channels from `target`, and how far
// numbers leave [0, 1] in these and [−1, 1] in the others, the mean of each.
EXPORT(train_loss)
void train_loss(int step, const float *target, float overflow, float share, double *parts) {
  const int cells = cell_count();
  const float *state = states + step * cells * channels;
  const float seen_count = cells * LANES, other_count = cells * (channels - LANES);
  double square = 0, outside = 0;
  for (int i = 0; i < cells; i++)
    for (int q = 0; q < channels; q++) {
      const float value = state[i * channels + q];
      const float low = q < LANES ? 0 : -1, count = q < LANES ? seen_count : other_count;
      const float over = value < low ? value - low : value > 1 ? value - 1 : 0;
      outside += (over < 0 ? -over : over) / (double)count;
      float slope = over < 0 ? -overflow : over > 0 ? overflow : 0;
      if (q < LANES) {
        const float apart = value - target[i * LANES + q];
        square += apart * (double)apart / count;
        slope += 2 * apart;
      }
      slope_now[i * channels + q] = slope * share / count;
    }
  parts[0] = square;
  parts[1] = outside;
}

// ---------------------------------------------------------------- backward

// To be called once the weights are set, before any train_backward.
EXPORT(train_turn)
void train_turn(void) {
  const Places p = places();
  transpose(turned + p.conv, weights + p.conv, seen(), features);
  transpose(turned + p.first, weights + p.first, features, units);
  transpose(turned + p.last, weights + p.last, units, channels);
}

// The cells of a block that live on, with what was stored of them: rows of features and of units.
static int gather(int *cells, float *feature, float *unit, const int *block, int some,
                  const float *from, const uint8_t *both) {
  int count = 0;
  for (int i = 0; i < some; i++) {
    if (!both[block[i]]) continue;
    for (int q = 0; q < features; q += LANES)
      store(feature + count * features + q, load(from + i * features + q));
    const float *second = from + some * features + i * units;
    for (int q = 0; q < units; q += LANES) store(unit + count * units + q, load(second + q));
    cells[count++] = block[i];
  }
  return count;
}

// The step backwards: the loss's slope at states[step + 1] becomes that at states[step], and the
// weights' gradient grows by this step's. `at`: what train_forward was given.
EXPORT(train_backward)
void train_backward(int step, int at) {
  const int cells = cell_count(), size = cells * channels;
  const float *state = states + step * size;
  const int *list = listed + step * (cells + 1);
  const uint8_t *both = alive + step * cells;
  const Places p = places();
  float *const sight = scratch, *const feature = sight + BLOCK * seen();
  float *const unit = feature + BLOCK * features, *const change = unit + BLOCK * units;
  float *const to_sight = change + BLOCK * channels, *const to_feature = to_sight + BLOCK * seen();
  float *const to_unit = to_feature + BLOCK * features;
  for (int i = 0; i < cells; i++)
    for (int q = 0; q < channels; q += LANES) {
      float *now = slope_now + i * channels + q;
      if (!both[i]) store(now, splat(0));
      store(slope_before + i * channels + q, load(now));
    }
  for (int first = 0; first < list[0]; first += BLOCK) {
    const int some = list[0] - first < BLOCK ? list[0] - first : BLOCK;
    int block[BLOCK];
    const float *from = stored + (long)(at + first) * (features + units);
    const int count = gather(block, feature, unit, list + 1 + first, some, from, both);
    if (!count) continue;
    look(sight, state, block, count);
    for (int i = 0; i < count; i++)
      for (int q = 0; q < channels; q += LANES)
        store(change + i * channels + q, load(slope_now + block[i] * channels + q));
    learn(gradient + p.last, gradient + p.last_bias, unit, change, count, units, channels);
    multiply(to_unit, change, count, channels, units, turned + p.last, 0, 1);
    bend(to_unit, unit, count * units);
    learn(gradient + p.first, gradient + p.first_bias, feature, to_unit, count, features, units);
    multiply(to_feature, to_unit, count, units, features, turned + p.first, 0, 1);
    bend(to_feature, feature, count * features);
    learn(gradient + p.conv, gradient + p.conv_bias, sight, to_feature, count, seen(), features);
    multiply(to_sight, to_feature, count, features, seen(), turned + p.conv, 0, 1);
    const float *row = to_sight;
    for (int i = 0; i < count; i++)
      for (int k = 0; k < TAPS; k++) {
        float *near = (float *)neighbour(slope_before, channels, block[i], k / 3 - 1, k % 3 - 1,
                                         height, width);
        for (int q = 0; q < channels; q += LANES, row += LANES)
          store(near + q, load(near + q) + load(row));
      }
  }
  float *other = slope_now;
  slope_now = slope_before;
  slope_before = other;
}

// ---------------------------------------------------------------- Adam

// An update of `count` weights by their gradient, whose means over time are `mean` and `square`.
// `rate` and `root` hold the corrections of a young mean: rate / (1 − β₁ᵗ) and √(1 − β₂ᵗ).
EXPORT(adam)
void adam(float *weight, const float *slope, float *mean, float *square, int count, float rate,
          float root, float beta1, float beta2, float epsilon) {
  for (int i = 0; i < count; i++) {
    mean[i] += (1 - beta1) * (slope[i] - mean[i]);
    square[i] = beta2 * square[i] + (1 - beta2) * slope[i] * slope[i];
    weight[i] -= rate * mean[i] / (__builtin_sqrtf(square[i]) / root + epsilon);
  }
}
