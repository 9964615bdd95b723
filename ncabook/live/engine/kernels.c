// The arithmetic of one automaton step, for WebAssembly with 128-bit SIMD. Freestanding: no libc.
// Here: which cells change, and what becomes of the state; layers.c and conv.c hold what is between.
//
// Layout: every tensor is [row][column][channel] float32 (NHWC). A cell's channels are padded
// with zeros to a multiple of four, its "stride", so that a cell is a whole number of vectors.
// The grid is a torus. Masks are one byte per cell, 0 or 1.
//
// Work is given as a list of cells. Leaving out cells that cannot change the outcome is exact,
// see list_cells, and saves most of the time of a growing pattern.

#include "vectors.h"

// ---------------------------------------------------------------- masks

// Upper 24 bits of a hash of (column, row, step, seed); the same as ncabook.automaton.fire.
EXPORT(coin)
uint32_t coin(uint32_t column, uint32_t row, uint32_t step, uint32_t seed) {
  uint32_t h = column * 0x8da6b343u ^ row * 0xd8163841u ^ step * 0xcb1ab31fu ^ seed;
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return h >> 8;
}

// Cells that fire at this step: coin < limit, where limit is the fire rate in units of 2^-24.
EXPORT(fire_mask) SMALL
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

// Cells with some set cell in their 3×3 window; r times in a row, in a square of reach r.
EXPORT(dilate_mask) SMALL
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

// Those of the cells in `mask` that obey a rule.
EXPORT(rule_mask) SMALL
void rule_mask(uint8_t *own, const uint8_t *mask, const uint8_t *rules, int rule, int count) {
  for (int i = 0; i < count; i++) own[i] = mask[i] && rules[i] == rule;
}

// Writes the numbers of the cells that have to be computed, and returns how many they are; `fire`
// keeps only those.
//
// A cell that does not fire keeps its state. A cell that was dead before the step is zeroed after
// it, but not at once: its new alpha may still keep a neighbour alive. So `relevant` holds the
// living cells *and* their neighbours (living_mask, then dilate_mask); 0 stands for all cells.
EXPORT(list_cells)
int list_cells(int *cells, uint8_t *fire, const uint8_t *relevant, int count) {
  int listed = 0;
  for (int i = 0; i < count; i++) {
    if (relevant) fire[i] &= relevant[i];
    cells[listed] = i;
    listed += fire[i];
  }
  return listed;
}

// ---------------------------------------------------------------- state

// state += change, at the listed cells; `channels` is a multiple of four.
EXPORT(add_change)
void add_change(float *state, int stride, const float *change, int channels, const int *cells,
                int count) {
  for (int i = 0; i < count; i++)
    for (int q = 0; q < channels; q += LANES) {
      float *at = state + cells[i] * stride + q;
      store(at, load(at) + load(change + cells[i] * channels + q));
    }
}

// Zeroes the channels of cells that did not live both before and after the step.
EXPORT(zero_dead)
void zero_dead(float *state, int stride, int channels, const uint8_t *before,
               const uint8_t *after, int count) {
  for (int i = 0; i < count; i++) {
    if (before[i] & after[i]) continue;
    for (int q = 0; q < channels; q++) state[i * stride + q] = 0;
  }
}
