// What all kernels share: vectors of four floats, and the torus.

#pragma once
#include <stdint.h>
#include <wasm_simd128.h>

typedef float floats __attribute__((vector_size(16), aligned(4)));
typedef int32_t ints __attribute__((vector_size(16)));

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))
// Readers wait for every byte: unrolled, some kernels would be large, and hardly faster.
#define SMALL __attribute__((minsize))

enum { LANES = 4 };  // floats in a vector

INLINE floats load(const float *from) { return *(const floats *)from; }
INLINE void store(float *to, floats value) { *(floats *)to = value; }
INLINE floats splat(float value) { return (floats){value, value, value, value}; }
INLINE floats larger(floats a, floats b) { return (floats)wasm_f32x4_max((v128_t)a, (v128_t)b); }
INLINE floats smaller(floats a, floats b) { return (floats)wasm_f32x4_min((v128_t)a, (v128_t)b); }

// In one operation, with one rounding, where relaxed SIMD is.
INLINE floats multiply_add(floats a, floats b, floats sum) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f32x4(a, b, sum);
#else
  return a * b + sum;
#endif
}

// LeakyReLU; a slope of 1 leaves the value as it is, 0 makes it ReLU.
INLINE floats leaky(floats value, float slope) { return larger(value, value * splat(slope)); }

// A neighbour is never further than the grid is wide, so one correction is enough.
INLINE int wrap(int i, int n) { return i < 0 ? i + n : i >= n ? i - n : i; }

// The input of the cell at (dy, dx) from `cell`.
INLINE const float *neighbour(const float *input, int stride, int cell, int dy, int dx, int height,
                              int width) {
  int y = wrap(cell / width + dy, height);
  int x = wrap(cell % width + dx, width);
  return input + (y * width + x) * stride;
}
