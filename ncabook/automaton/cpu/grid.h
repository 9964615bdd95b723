// Where cells are on the torus. Shared by the sources of the compiled CPU step.

#pragma once

#include <ATen/ATen.h>

#include <type_traits>

namespace {

struct Grid {
  int64_t batch, height, width, channels;
  explicit Grid(const at::Tensor& state)
      : Grid(state.size(0), state.size(1), state.size(2), state.size(3)) {}
  Grid(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : batch(batch), height(height), width(width), channels(channels) {}
  int64_t cells() const { return batch * height * width; }
  int64_t wrap(int64_t v, int64_t n) const { return v < 0 ? v + n : (v >= n ? v - n : v); }
};

// Where a cell is: sample, row, column.
struct Place {
  int64_t plane, y, x;
  Place(const Grid& g, uint32_t cell) {  // 32 bits divide several times faster than 64
    const uint32_t width = g.width, height = g.height;
    x = cell % width, y = cell / width % height, plane = cell / width / height;
  }
  // The neighbour's number in the plane.
  int64_t neighbour(const Grid& g, const int64_t* tap) const {
    return g.wrap(y + tap[0], g.height) * g.width + g.wrap(x + tap[1], g.width);
  }
};

// Calls f(channels), with the number as a constant where it is the usual one: loops over a
// cell's channels are short, and unrolled they are several times faster.
template <typename F>
void with_channels(int64_t channels, F f) {
  if (channels == 16) {
    f(std::integral_constant<int64_t, 16>{});
  } else {
    f(channels);
  }
}

}  // namespace
