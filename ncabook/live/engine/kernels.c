// The arithmetic of one automaton step, for WebAssembly with 128-bit SIMD. Freestanding: no libc.
//
// Layout: every tensor is [row][column][channel] float32 (NHWC). A cell's channels are padded
// with zeros to a multiple of four, its "stride", so that a cell is a whole number of vectors.
// The grid is a torus. Masks are one byte per cell, 0 or 1.
//
// Work is given as a list of cells. Leaving out cells that cannot change the outcome is exact,
// see list_cells, and saves most of the time of a growing pattern.

#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

enum {
  LANES = 4,    // floats in a vector
  VECTORS = 4,  // vectors of outputs that are summed up side by side
  CELLS = 2,    // cells that share each weight once it is loaded
  // 2 · 4 sums + 4 weights + 2 inputs = 14 of the 16 vector registers of an x86-64 CPU.
};

// A neighbour is never further than the grid is wide, so one correction is enough.
INLINE int wrap(int i, int n) { return i < 0 ? i + n : i >= n ? i - n : i; }

// ---------------------------------------------------------------- masks

// Upper 24 bits of a hash of (column, row, step, seed); the same as ncabook.automaton.fire.
INLINE uint32_t coin(uint32_t column, uint32_t row, uint32_t step, uint32_t seed) {
  uint32_t h = column * 0x8da6b343u ^ row * 0xd8163841u ^ step * 0xcb1ab31fu ^ seed;
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return h >> 8;
}

// Cells that fire at this step: coin < limit, where limit is the fire rate in units of 2^-24.
EXPORT(fire_mask)
void fire_mask(uint8_t *mask, int height, int width, uint32_t step, uint32_t seed, uint32_t limit) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) *mask++ = coin(x, y, step, seed) < limit;
}

// Cells with some alpha above the threshold in their 3×3 window.
EXPORT(living_mask)
void living_mask(uint8_t *mask, const float *state, int stride, int alpha, float threshold,
                 int height, int width) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int lives = 0;
      for (int dy = -1; dy <= 1 && !lives; dy++)
        for (int dx = -1; dx <= 1 && !lives; dx++) {
          int cell = wrap(y + dy, height) * width + wrap(x + dx, width);
          lives = state[cell * stride + alpha] > threshold;
        }
      mask[y * width + x] = lives;
    }
}

// Cells with some set cell in their 3×3 window.
EXPORT(dilate_mask)
void dilate_mask(uint8_t *wide, const uint8_t *mask, int height, int width) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int set = 0;
      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          set |= mask[wrap(y + dy, height) * width + wrap(x + dx, width)];
      wide[y * width + x] = set;
    }
}

// Writes the numbers of the cells that have to be computed, and returns how many they are.
//
// A cell that does not fire keeps its state. A cell that was dead before the step is zeroed after
// it, but not at once: its new alpha may still keep a neighbour alive. So `relevant` holds the
// living cells *and* their neighbours (living_mask, then dilate_mask); 0 stands for all cells.
EXPORT(list_cells)
int list_cells(int *cells, const uint8_t *fire, const uint8_t *relevant, int count) {
  int listed = 0;
  for (int i = 0; i < count; i++) {
    cells[listed] = i;
    listed += fire[i] && (!relevant || relevant[i]);
  }
  return listed;
}

// ---------------------------------------------------------------- layers

typedef struct {
  const float *input, *weights, *bias;
  float *output;
  int in_stride, in_channels, out_stride, kernel, dilation, height, width;
  float slope;
} Conv;

// The input of the cell at (dy, dx) from `cell`.
INLINE const float *neighbour(const Conv *c, int cell, int dy, int dx) {
  int y = wrap(cell / c->width + dy, c->height);
  int x = wrap(cell % c->width + dx, c->width);
  return c->input + (y * c->width + x) * c->in_stride;
}

// LeakyReLU; a slope of 1 leaves the sum as it is.
INLINE v128_t leaky(v128_t sum, float slope) {
  return wasm_f32x4_max(sum, wasm_f32x4_mul(sum, wasm_f32x4_splat(slope)));
}

// `vectors` vectors of outputs, from `first` on, of `count` cells. Both numbers are constants at
// every call, so that the loops over them unroll and `sum` lives in registers.
INLINE void conv_block(const Conv *c, const int *cells, const int count, int first,
                       const int vectors) {
  v128_t sum[CELLS][VECTORS];
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++) sum[i][v] = wasm_v128_load(c->bias + first + v * LANES);

  const int reach = c->kernel / 2;
  const float *weights = c->weights + first;
  for (int ky = -reach; ky <= reach; ky++)
    for (int kx = -reach; kx <= reach; kx++) {
      const float *input[CELLS];
      for (int i = 0; i < count; i++)
        input[i] = neighbour(c, cells[i], ky * c->dilation, kx * c->dilation);
      for (int channel = 0; channel < c->in_channels; channel++, weights += c->out_stride) {
        v128_t weight[VECTORS];
        for (int v = 0; v < vectors; v++) weight[v] = wasm_v128_load(weights + v * LANES);
        for (int i = 0; i < count; i++) {
          v128_t value = wasm_v128_load32_splat(input[i] + channel);
          for (int v = 0; v < vectors; v++)
            sum[i][v] = wasm_f32x4_add(sum[i][v], wasm_f32x4_mul(value, weight[v]));
        }
      }
    }

  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++)
      wasm_v128_store(c->output + cells[i] * c->out_stride + first + v * LANES,
                      leaky(sum[i][v], c->slope));
}

// One block of outputs for all cells before the next block: its weights stay in the first cache.
INLINE void conv_outputs(const Conv *c, const int *cells, int count, int first,
                         const int vectors) {
  int i = 0;
  for (; i + CELLS <= count; i += CELLS) conv_block(c, cells + i, CELLS, first, vectors);
  for (; i < count; i++) conv_block(c, cells + i, 1, first, vectors);
}

// A k×k convolution with circular padding, plus bias, then LeakyReLU, at the listed cells.
// Weights are [ky][kx][input channel][output stride]; outputs of other cells are not touched.
EXPORT(conv)
void conv(const float *input, int in_stride, int in_channels, float *output, int out_stride,
          const float *weights, const float *bias, int kernel, int dilation, float slope,
          int height, int width, const int *cells, int count) {
  const Conv c = {input,      weights, bias,     output, in_stride, in_channels,
                  out_stride, kernel,  dilation, height, width,     slope};
  int first = 0;
  for (; first + VECTORS * LANES <= out_stride; first += VECTORS * LANES)
    conv_outputs(&c, cells, count, first, VECTORS);
  for (; first < out_stride; first += LANES) conv_outputs(&c, cells, count, first, 1);
}

// ---------------------------------------------------------------- state

// state += change, at the listed cells.
EXPORT(add_change)
void add_change(float *state, const float *change, int stride, const int *cells, int count) {
  for (int i = 0; i < count; i++) {
    int at = cells[i] * stride;
    for (int q = at; q < at + stride; q += LANES)
      wasm_v128_store(state + q,
                      wasm_f32x4_add(wasm_v128_load(state + q), wasm_v128_load(change + q)));
  }
}

// Zeroes the cells that did not live both before and after the step.
EXPORT(zero_dead)
void zero_dead(float *state, int stride, const uint8_t *before, const uint8_t *after, int count) {
  for (int i = 0; i < count; i++) {
    if (before[i] & after[i]) continue;
    for (int q = i * stride; q < (i + 1) * stride; q += LANES)
      wasm_v128_store(state + q, wasm_f32x4_splat(0));
  }
}
