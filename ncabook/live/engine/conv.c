// Convolutions, where nearly all of the time goes. Built twice: into the module of all kernels,
// and, with relaxed SIMD (a multiply-add in one operation, with one rounding), into a small module
// on the same memory, for browsers that know it.

#include "vectors.h"

enum {
  VECTORS = 4,  // vectors of outputs that are summed up side by side
  CELLS = 2,    // cells that share each weight once it is loaded
  // 2 · 4 sums + 4 weights + 2 inputs = 14 of the 16 vector registers of an x86-64 CPU.
  MANY = 6,  // the same where one vector of outputs is left, so that hardly a sum waits for another
};

// Adds to the sums of `count` cells their inputs times weights, [channel][stride]. `count` and
// `vectors` are constants at every call, so that the loops over them unroll and `sum` lives in
// registers.
INLINE const float *add_products(floats sum[MANY][VECTORS], const float *const input[MANY],
                                 const int count, int channels, const float *weights, int stride,
                                 const int vectors) {
  for (int channel = 0; channel < channels; channel++, weights += stride) {
    floats weight[VECTORS];
    for (int v = 0; v < vectors; v++) weight[v] = load(weights + v * LANES);
    for (int i = 0; i < count; i++) {
      floats value = splat(input[i][channel]);
      for (int v = 0; v < vectors; v++) sum[i][v] = multiply_add(value, weight[v], sum[i][v]);
    }
  }
  return weights;
}

typedef struct {
  const float *input, *weights, *bias;
  float *output;
  int in_stride, in_channels, out_stride, out_channels, kernel, dilation, add, height, width;
  float slope;
} Conv;

// `vectors` vectors of outputs, from `first` on, of `count` cells.
INLINE void conv_block(const Conv *c, const int *cells, const int count, int first,
                       const int vectors) {
  floats sum[MANY][VECTORS];
  float *output[MANY];
  int row[MANY], column[MANY];
  for (int i = 0; i < count; i++) {
    row[i] = cells[i] / c->width;
    column[i] = cells[i] - row[i] * c->width;
    output[i] = c->output + cells[i] * c->out_stride + first;
    for (int v = 0; v < vectors; v++) {
      sum[i][v] = load(c->bias + first + v * LANES);
      if (c->add) sum[i][v] += load(output[i] + v * LANES);
    }
  }
  const int reach = c->kernel / 2;
  const float *weights = c->weights + first;
  for (int ky = -reach; ky <= reach; ky++)
    for (int kx = -reach; kx <= reach; kx++) {
      const float *input[MANY];
      for (int i = 0; i < count; i++)
        input[i] = c->input + (wrap(row[i] + ky * c->dilation, c->height) * c->width +
                               wrap(column[i] + kx * c->dilation, c->width)) * c->in_stride;
      weights = add_products(sum, input, count, c->in_channels, weights, c->out_channels, vectors);
    }
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++) store(output[i] + v * LANES, leaky(sum[i][v], c->slope));
}

// One block of outputs for all cells before the next block: its weights stay in the first cache.
INLINE void conv_outputs(const Conv *c, const int *cells, int count, int first, const int side,
                         const int vectors) {
  int i = 0;
  for (; i + side <= count; i += side) conv_block(c, cells + i, side, first, vectors);
  for (; i < count; i++) conv_block(c, cells + i, 1, first, vectors);
}

// A k×k convolution with circular padding, plus bias, plus, if `add`, what the output holds; then
// LeakyReLU. Weights are [ky][kx][input channel][out_channels], a multiple of four outputs.
EXPORT(conv)
void conv(const float *input, int in_stride, int in_channels, float *output, int out_stride,
          int out_channels, const float *weights, const float *bias, int kernel, int dilation,
          float slope, int add, int height, int width, const int *cells, int count) {
  const Conv c = {input,      weights,      bias,   output,   in_stride, in_channels,
                  out_stride, out_channels, kernel, dilation, add,       height,
                  width,      slope};
  int first = 0;
  for (; first + VECTORS * LANES <= out_channels; first += VECTORS * LANES)
    conv_outputs(&c, cells, count, first, CELLS, VECTORS);
  for (; first < out_channels; first += LANES) conv_outputs(&c, cells, count, first, MANY, 1);
}

// ---------------------------------------------------------------- a picture twice as large

typedef struct {
  int width, channels, stride, outputs;
} Row;

INLINE void row_block(const Row *r, const float *input, const float *weights, const float *from,
                      int step, float *to, const int count, const int vectors) {
  floats sum[MANY][VECTORS];
  const float *near[MANY];
  for (int i = 0; i < count; i++) {
    near[i] = input + i * r->stride;
    for (int v = 0; v < vectors; v++) sum[i][v] = load(from + i * step + v * LANES);
  }
  add_products(sum, near, count, r->channels, weights, vectors * LANES, vectors);
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++) store(to + i * r->outputs + v * LANES, sum[i][v]);
}

INLINE void row_outputs(const Row *r, const float *input, const float *weights, const float *from,
                        int step, float *to, const int side, const int vectors) {
  int i = 0;
  for (; i + side <= r->width; i += side)
    row_block(r, input + i * r->stride, weights, from + i * step, step, to + i * r->outputs, side,
              vectors);
  for (; i < r->width; i++)
    row_block(r, input + i * r->stride, weights, from + i * step, step, to + i * r->outputs, 1,
              vectors);
}

// to = from + input · weights, for the cells of a row; `step` numbers lie between those of two
// cells in `from`, 0 where they share them. Weights are [block of outputs][channel][output].
static __attribute__((noinline)) void multiply_row(const Row *r, const float *input,
                                                   const float *weights, const float *from,
                                                   int step, float *to) {
  int first = 0;
  for (; first + VECTORS * LANES <= r->outputs; first += VECTORS * LANES)
    row_outputs(r, input, weights + first * r->channels, from + first, step, to + first, CELLS,
                VECTORS);
  for (; first < r->outputs; first += LANES)
    row_outputs(r, input, weights + first * r->channels, from + first, step, to + first, MANY, 1);
}

// to = a − b, numbers of a row.
static void subtract(float *to, const float *a, const float *b, int count) {
  for (int q = 0; q < count; q += LANES) store(to + q, load(a + q) - load(b + q));
}

// Each cell minus the one to its left.
static void subtract_left(float *to, const float *row, const Row *r) {
  const int count = r->width * r->stride;
  subtract(to, row, row + count - r->stride, r->stride);
  subtract(to + r->stride, row + r->stride, row, count - r->stride);
}

// Nearest neighbours of twice the size, then a 3×3 convolution with circular padding, plus bias;
// height and width are those of the input.
//
// Along one side with taps a, b, c, what lies at 2i is a·x[i−1] + (b+c)·x[i], and at 2i + 1
// (a+b)·x[i] + c·x[i+1]. With S = a + b + c and d[i] = x[i] − x[i−1] these are S·x[i] − a·d[i] and
// S·x[i] + c·d[i+1]: three products for two pixels, so along both sides nine for four, where nine
// for each would be 36. Weights are [of rows: S, −a, c][of columns: S, −a, c], each as in
// multiply_row; `bias` has as many zeros behind it, and scratch holds 2 rows of inputs and 6 of
// outputs.
EXPORT(doubling)
void doubling(const float *input, int stride, int channels, float *output, int outputs,
              const float *weights, const float *bias, float *scratch, int height, int width) {
  const Row r = {width, channels, stride, outputs};
  const int in = width * stride, out = width * outputs, size = channels * outputs;
  float *const down = scratch, *const right = down + in;
  float *const alike = right + in, *const sums = alike + 3 * out;
  for (int y = 0; y < height; y++) {
    const float *here = input + y * in;
    subtract_left(right, here, &r);
    for (int h = 0; h < 3; h++)
      multiply_row(&r, h ? right : here, weights + h * size, h ? bias + outputs : bias, 0,
                   alike + h * out);
    for (int below = 0; below < 2; below++, output += 2 * out) {
      const float *other = input + wrap(y + 2 * below - 1, height) * in;
      subtract(down, below ? other : here, below ? here : other, in);
      subtract_left(right, down, &r);
      for (int h = 0; h < 3; h++)
        multiply_row(&r, h ? right : down, weights + (3 * below + 3 + h) * size, alike + h * out,
                     outputs, sums + h * out);
      for (int x = 0; x < width; x++)
        for (int q = 0; q < outputs; q += LANES) {
          const float *sum = sums + x * outputs + q;
          const float *next = sums + wrap(x + 1, width) * outputs + q + 2 * out;
          store(output + 2 * x * outputs + q, load(sum) + load(sum + out));
          store(output + (2 * x + 1) * outputs + q, load(sum) + load(next));
        }
    }
  }
}
