// The most multiply-adds per second that one thread of a browser does: twelve independent chains
// in registers, nothing loaded, nothing stored.

#include "vectors.h"

EXPORT(run)
float run(int rounds) {
  floats sum[12], a = splat(0.999f), b = splat(0.001f);
  for (int i = 0; i < 12; i++) sum[i] = splat(i);
  for (int r = 0; r < rounds; r++)
    for (int i = 0; i < 12; i++)
#ifdef __wasm_relaxed_simd__
      sum[i] = __builtin_wasm_relaxed_madd_f32x4(sum[i], a, b);
#else
      sum[i] = sum[i] * a + b;
#endif
  floats all = sum[0];
  for (int i = 1; i < 12; i++) all += sum[i];
  return all[0] + all[1] + all[2] + all[3];
}
