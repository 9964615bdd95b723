// The convolution, where nearly all of the time goes. Built twice: into the module of all kernels,
// and, with relaxed SIMD (a multiply-add in one operation, with one rounding), into a small module
// on the same memory, for browsers that know it.

#include "vectors.h"

enum {
  VECTORS = 4,  // vectors of outputs that are summed up side by side
  CELLS = 2,    // cells that share each weight once it is loaded
  // 2 · 4 sums + 4 weights + 2 inputs = 14 of the 16 vector registers of an x86-64 CPU.
};

INLINE floats multiply_add(floats a, floats b, floats sum) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f32x4(a, b, sum);
#else
  return a * b + sum;
#endif
}

typedef struct {
  const float *input, *weights, *bias;
  float *output;
  int in_stride, in_channels, out_stride, out_channels, kernel, dilation, add, height, width;
  float slope;
} Conv;

// `vectors` vectors of outputs, from `first` on, of `count` cells. Both numbers are constants at
// every call, so that the loops over them unroll and `sum` lives in registers.
INLINE void conv_block(const Conv *c, const int *cells, const int count, int first,
                       const int vectors) {
  floats sum[CELLS][VECTORS];
  float *output[CELLS];
  for (int i = 0; i < count; i++) {
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
      const float *input[CELLS];
      for (int i = 0; i < count; i++)
        input[i] = neighbour(c->input, c->in_stride, cells[i], ky * c->dilation,
                             kx * c->dilation, c->height, c->width);
      for (int channel = 0; channel < c->in_channels; channel++, weights += c->out_channels) {
        floats weight[VECTORS];
        for (int v = 0; v < vectors; v++) weight[v] = load(weights + v * LANES);
        for (int i = 0; i < count; i++) {
          floats value = splat(input[i][channel]);
          for (int v = 0; v < vectors; v++)
            sum[i][v] = multiply_add(value, weight[v], sum[i][v]);
        }
      }
    }
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++) store(output[i] + v * LANES, leaky(sum[i][v], c->slope));
}

// One block of outputs for all cells before the next block: its weights stay in the first cache.
INLINE void conv_outputs(const Conv *c, const int *cells, int count, int first,
                         const int vectors) {
  int i = 0;
  for (; i + CELLS <= count; i += CELLS) conv_block(c, cells + i, CELLS, first, vectors);
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
    conv_outputs(&c, cells, count, first, VECTORS);
  for (; first < out_channels; first += LANES) conv_outputs(&c, cells, count, first, 1);
}
