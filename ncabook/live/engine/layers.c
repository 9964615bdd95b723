// The layers of perceptions, updates and decoders, but for the convolution (conv.c).
//
// Each writes its outputs at the listed cells and leaves all others as they are. Buffers may hold
// several parts side by side; `output` then points at the part of the first cell.

#include "vectors.h"

#pragma clang attribute push(SMALL, apply_to = function)

// eˣ with a relative error of 2·10⁻⁷ (the polynomial is that of Moshier's Cephes library).
INLINE floats exponential(floats x) {
  x = smaller(larger(x, splat(-87)), splat(88));
  floats n = (floats)wasm_f32x4_nearest((v128_t)(x * splat(1.44269504088896341f)));
  floats r = x - n * splat(0.693359375f) + n * splat(2.12194440e-4f);
  floats y = splat(1.9875691500e-4f);
  const float terms[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                         5.0000001201e-1f};
  for (int i = 0; i < 5; i++) y = y * r + splat(terms[i]);
  y = y * r * r + r + splat(1);
  ints power = ((ints)wasm_i32x4_trunc_sat_f32x4((v128_t)n) + 127) << 23;
  return y * (floats)power;
}

// erf with an absolute error of 2·10⁻⁷ (Abramowitz and Stegun 7.1.26).
INLINE floats error_function(floats x) {
  floats size = (floats)wasm_f32x4_abs((v128_t)x);
  floats t = splat(1) / (splat(1) + splat(0.3275911f) * size);
  floats y = splat(1.061405429f);
  const float terms[] = {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
  for (int i = 0; i < 4; i++) y = y * t + splat(terms[i]);
  y = splat(1) - y * t * exponential(-x * x);
  return (floats)wasm_v128_bitselect((v128_t)y, (v128_t)x, wasm_i32x4_splat(0x7fffffff));
}

INLINE float sum_of(floats v) { return v[0] + v[1] + v[2] + v[3]; }

INLINE int modulo(int i, int n) { return (i % n + n) % n; }

// ---------------------------------------------------------------- layers

// Fixed 3×3 filters, each over every channel by itself: [filter][channel], channels padded.
EXPORT(bank)
void bank(const float *input, int stride, float *output, int out_stride, const float *filters,
          int filter_count, int height, int width, const int *cells, int count) {
  for (int i = 0; i < count; i++) {
    const float *near[9];
    for (int k = 0; k < 9; k++)
      near[k] = neighbour(input, stride, cells[i], k / 3 - 1, k % 3 - 1, height, width);
    float *out = output + cells[i] * out_stride;
    for (int f = 0; f < filter_count; f++, out += stride)
      for (int q = 0; q < stride; q += LANES) {
        floats sum = splat(0);
        for (int k = 0; k < 9; k++) sum += splat(filters[9 * f + k]) * load(near[k] + q);
        store(out + q, sum);
      }
  }
}

// Attention of each cell over its k×k neighbourhood, for each head: softmax(q·k · scale + b) · v.
// The input holds queries, keys and values, each [head][size]; sizes are multiples of four.
EXPORT(attend)
void attend(const float *input, int in_stride, float *output, int out_stride, int heads, int size,
            float scale, const float *positions, int kernel, int height, int width,
            const int *cells, int count) {
  enum { MOST = 64 };  // neighbours: kernels up to 7×7, and room for a whole last vector
  const int embedding = heads * size, neighbours = kernel * kernel, reach = kernel / 2;
  for (int i = 0; i < count; i++)
    for (int h = 0; h < heads; h++) {
      const float *query = input + cells[i] * in_stride + h * size;
      const float *near[MOST];
      float weight[MOST];
      float most = -1e30f;
      for (int n = 0; n < neighbours; n++) {
        near[n] = neighbour(input, in_stride, cells[i], n / kernel - reach, n % kernel - reach,
                            height, width) + embedding + h * size;
        floats dot = splat(0);
        for (int q = 0; q < size; q += LANES) dot += load(query + q) * load(near[n] + q);
        weight[n] = sum_of(dot) * scale + positions[h * neighbours + n];
        if (weight[n] > most) most = weight[n];
      }
      for (int n = neighbours; n % LANES; n++) weight[n] = -1e30f;
      float total = 0;
      for (int n = 0; n < neighbours; n += LANES) {
        floats e = exponential(load(weight + n) - splat(most));
        store(weight + n, e);
        for (int lane = 0; lane < LANES && n + lane < neighbours; lane++) total += e[lane];
      }
      float *out = output + cells[i] * out_stride + h * size;
      for (int q = 0; q < size; q += LANES) {
        floats sum = splat(0);
        for (int n = 0; n < neighbours; n++)
          sum += splat(weight[n]) * load(near[n] + embedding + q);
        store(out + q, sum / splat(total));
      }
    }
}

// LayerNorm over the first `channels` of each cell, then LeakyReLU, in place.
EXPORT(norm)
void norm(float *data, int stride, int channels, const float *weight, const float *bias, float eps,
          float slope, const int *cells, int count) {
  for (int i = 0; i < count; i++) {
    float *at = data + cells[i] * stride;
    float mean = 0, variance = 0;
    for (int q = 0; q < channels; q++) mean += at[q];
    mean /= channels;
    for (int q = 0; q < channels; q++) variance += (at[q] - mean) * (at[q] - mean);
    float scale = 1 / __builtin_sqrtf(variance / channels + eps);
    for (int q = 0; q < channels; q += LANES)
      store(at + q, leaky((load(at + q) - splat(mean)) * splat(scale) * load(weight + q) +
                              load(bias + q), slope));
  }
}

// x · Φ(x), in place, where Φ is the normal distribution's.
EXPORT(gelu)
void gelu(float *data, int stride, int channels, const int *cells, int count) {
  for (int i = 0; i < count; i++)
    for (int q = 0; q < channels; q += LANES) {
      float *at = data + cells[i] * stride + q;
      floats x = load(at);
      store(at, x * splat(0.5f) * (splat(1) + error_function(x * splat(0.70710678118654752f))));
    }
}

// The mean of four channels over all cells, and the variance: of a few cells at a time, which stay
// in the first cache, and these put together (Chan et al. 1979).
static void moments(const float *data, int stride, int count, double mean[LANES],
                    double variance[LANES]) {
  enum { FEW = 64 };
  for (int lane = 0; lane < LANES; lane++) mean[lane] = variance[lane] = 0;
  for (int done = 0; done < count; done += FEW) {
    const float *from = data + done * stride;
    const int some = count - done < FEW ? count - done : FEW;
    floats sum = splat(0), squares = splat(0);
    for (int i = 0; i < some; i++) sum += load(from + i * stride);
    sum /= splat(some);
    for (int i = 0; i < some; i++) {
      floats apart = load(from + i * stride) - sum;
      squares += apart * apart;
    }
    const double share = (double)some / (done + some);
    for (int lane = 0; lane < LANES; lane++) {
      const double apart = sum[lane] - mean[lane];
      mean[lane] += share * apart;
      variance[lane] += share * ((double)squares[lane] / some - variance[lane] +
                                 (1 - share) * apart * apart);
    }
  }
}

// GroupNorm over all `count` cells, then LeakyReLU, in place. `scratch`: two cells.
EXPORT(groups)
void groups(float *data, int stride, int channels, int groups, const float *weight,
            const float *bias, float eps, float slope, float *scratch, int count) {
  float *const times = scratch, *const plus = scratch + stride;
  for (int q = 0; q < stride; q += LANES) {
    double mean[LANES], variance[LANES];
    moments(data + q, stride, count, mean, variance);
    for (int lane = 0; lane < LANES; lane++) {
      plus[q + lane] = mean[lane];
      times[q + lane] = variance[lane];
    }
  }
  const int size = channels / groups;
  for (int first = 0; first < channels; first += size) {
    double mean = 0, variance = 0;
    for (int q = first; q < first + size; q++) mean += plus[q] / (double)size;
    for (int q = first; q < first + size; q++)
      variance += (times[q] + (plus[q] - mean) * (plus[q] - mean)) / size;
    const double scale = 1 / __builtin_sqrt(variance + eps);
    for (int q = first; q < first + size; q++) {
      times[q] = scale * weight[q];
      plus[q] = bias[q] - mean * times[q];
    }
  }
  for (int i = 0; i < count; i++, data += stride)
    for (int q = 0; q < stride; q += LANES)
      store(data + q, leaky(load(data + q) * load(times + q) + load(plus + q), slope));
}

// The inputs of a modulated deformable convolution: for each tap of k×k, the cell's channels where
// the tap points, bilinearly, times 2·sigmoid(weight). `where` holds Δy, Δx per tap, then weights.
EXPORT(gather)
void gather(const float *input, int stride, const float *where, int where_stride, float *output,
            int out_stride, int kernel, int height, int width, const int *cells, int count) {
  const int taps = kernel * kernel, reach = kernel / 2;
  for (int i = 0; i < count; i++)
    for (int t = 0; t < taps; t++) {
      const float *given = where + cells[i] * where_stride;
      float y = cells[i] / width + t / kernel - reach + given[2 * t];
      float x = cells[i] % width + t % kernel - reach + given[2 * t + 1];
      float modulation = 2 / (1 + exponential(splat(-given[2 * taps + t]))[0]);
      float top = __builtin_floorf(y), left = __builtin_floorf(x);
      float down = y - top, right = x - left;
      int y0 = modulo((int)top, height), x0 = modulo((int)left, width);
      int y1 = wrap(y0 + 1, height), x1 = wrap(x0 + 1, width);
      const float *corner[] = {input + (y0 * width + x0) * stride,
                               input + (y0 * width + x1) * stride,
                               input + (y1 * width + x0) * stride,
                               input + (y1 * width + x1) * stride};
      const float share[] = {(1 - down) * (1 - right), (1 - down) * right, down * (1 - right),
                             down * right};
      for (int q = 0; q < stride; q += LANES) {
        floats sum = splat(0);
        for (int k = 0; k < 4; k++) sum += splat(share[k]) * load(corner[k] + q);
        store(output + cells[i] * out_stride + t * stride + q, sum * splat(modulation));
      }
    }
}

#pragma clang attribute pop
