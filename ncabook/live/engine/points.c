// Pictures of any resolution: a tiny network of sines reads the state between the cells. Built
// twice, as conv.c is.

#include "vectors.h"

enum {
  VECTORS = 4,  // as in conv.c
  PIXELS = 2,
  MANY = 6,
  CHUNK = 32,  // pixels that go through both layers together: 16 KiB of numbers for 64 wide layers
};

// sin 2πt of t = x + ¼, with an absolute error of 10⁻⁶: x less its nearest whole number, folded
// onto a quarter of a turn, and there an odd polynomial.
INLINE floats wave(floats x) {
  floats rest = x - (floats)wasm_f32x4_nearest((v128_t)x);
  floats v = splat(0.25f) - (floats)wasm_f32x4_abs((v128_t)rest);
  floats square = v * v;
  floats y = multiply_add(splat(-70.9934310913086f), square, splat(81.34076690673828f));
  y = multiply_add(y, square, splat(-41.33714294433594f));
  return v * multiply_add(y, square, splat(6.283164024353027f));
}

// Outputs from `first` on of `count` pixels: bias + input · weights, [channel][outputs].
INLINE void layer_block(const float *input, int stride, int channels, const float *weights,
                        const float *bias, float *output, int outputs, int first, const int count,
                        const int vectors, const int waves) {
  floats sum[MANY][VECTORS];
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++) sum[i][v] = load(bias + first + v * LANES);
  weights += first;
  for (int channel = 0; channel < channels; channel++, weights += outputs) {
    floats weight[VECTORS];
    for (int v = 0; v < vectors; v++) weight[v] = load(weights + v * LANES);
    for (int i = 0; i < count; i++) {
      floats value = splat(input[i * stride + channel]);
      for (int v = 0; v < vectors; v++) sum[i][v] = multiply_add(value, weight[v], sum[i][v]);
    }
  }
  for (int i = 0; i < count; i++)
    for (int v = 0; v < vectors; v++)
      store(output + i * outputs + first + v * LANES, waves ? wave(sum[i][v]) : sum[i][v]);
}

INLINE void layer_outputs(const float *input, int stride, int channels, const float *weights,
                          const float *bias, float *output, int outputs, int count, int first,
                          const int side, const int vectors, const int waves) {
  int i = 0;
  for (; i + side <= count; i += side)
    layer_block(input + i * stride, stride, channels, weights, bias, output + i * outputs, outputs,
                first, side, vectors, waves);
  for (; i < count; i++)
    layer_block(input + i * stride, stride, channels, weights, bias, output + i * outputs, outputs,
                first, 1, vectors, waves);
}

// to = a + share · (b − a) + more
INLINE void between(float *to, const float *a, const float *b, float share, const float *more,
                    int stride) {
  for (int q = 0; q < stride; q += LANES)
    store(to + q, multiply_add(splat(share), load(b + q) - load(a + q), load(a + q)) +
                      load(more + q));
}

// A picture, [row][column][4], of `rows` × `columns` pixels. `cells`: what the first layer makes of
// each cell's state, [cell][stride], in turns, less a quarter; it is interpolated to the pixels.
// `row_cells`: for each row of pixels the two rows of cells around it, `row_shares` how much of the
// second one it takes, `row_places` [row][stride] what is added for where it lies; the same for
// columns. `scratch`: a row of cells and 64 pixels.
EXPORT(points)
void points(const float *cells, int stride, int channels, int width, const int *row_cells,
            const float *row_shares, const float *row_places, const int *column_cells,
            const float *column_shares, const float *column_places, const float *second,
            const float *second_bias, const float *last, const float *last_bias, float *scratch,
            float *output, int rows, int columns) {
  float *const line = scratch, *const a = line + width * stride, *const b = a + CHUNK * stride;
  for (int i = 0; i < rows; i++) {
    const float *above = cells + row_cells[2 * i] * width * stride;
    const float *below = cells + row_cells[2 * i + 1] * width * stride;
    for (int x = 0; x < width * stride; x += stride)
      between(line + x, above + x, below + x, row_shares[i], row_places + i * stride, stride);
    for (int start = 0; start < columns; start += CHUNK) {
      const int count = columns - start < CHUNK ? columns - start : CHUNK;
      for (int p = 0; p < count; p++) {
        const int j = start + p;
        float *to = a + p * stride;
        between(to, line + column_cells[2 * j] * stride, line + column_cells[2 * j + 1] * stride,
                column_shares[j], column_places + j * stride, stride);
        for (int q = 0; q < stride; q += LANES) store(to + q, wave(load(to + q)));
      }
      int first = 0;
      for (; first + VECTORS * LANES <= stride; first += VECTORS * LANES)
        layer_outputs(a, stride, channels, second, second_bias, b, stride, count, first, PIXELS,
                      VECTORS, 1);
      for (; first < stride; first += LANES)
        layer_outputs(a, stride, channels, second, second_bias, b, stride, count, first, MANY, 1,
                      1);
      layer_outputs(b, stride, channels, last, last_bias,
                    output + (i * columns + start) * LANES, LANES, count, 0, MANY, 1, 0);
    }
  }
}
