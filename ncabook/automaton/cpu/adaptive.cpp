// What a list of cells sees of its neighbours where that depends on what is there: patches,
// moved taps and attention, each with its gradient. A step for such perceptions is written in
// PyTorch (`listed.py`); these are the parts that it would make of dozens of small operations,
// each of which writes k² values per cell and channel to memory.
//
// `source` is [rows, C]: all cells' values, or some cells' only; then `index`, int32 [B · H · W],
// says in which row a cell's are. `cells` int64 [n], in rising order. Same inputs, same bits,
// whatever the number of threads: a sample's gradient is one thread's.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <tuple>
#include <vector>

#include "grid.h"

namespace {

using at::Tensor;
using std::vector;

constexpr int64_t kGrain = 256;  // cells

Grid grid_of(const Tensor& source, int64_t height, int64_t width) {
  return Grid(0, height, width, source.size(1));  // the number of samples is not needed
}

const int32_t* rows_of(const std::optional<Tensor>& index) {
  return index ? index->data_ptr<int32_t>() : nullptr;
}

// Where a cell's values are.
int64_t row(const int32_t* index, int64_t cell) { return index ? index[cell] : cell; }

// Calls f(begin, end) for the cells of each sample; samples side by side.
template <typename F>
void by_sample(const Grid& g, const Tensor& cells, F f) {
  const int64_t n = cells.size(0), plane = g.height * g.width;
  if (n == 0) return;
  const int64_t* cell = cells.data_ptr<int64_t>();
  at::parallel_for(0, cell[n - 1] / plane + 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t sample = begin; sample < end; ++sample) {
      const int64_t* first = std::lower_bound(cell, cell + n, sample * plane);
      const int64_t* last = std::lower_bound(first, cell + n, (sample + 1) * plane);
      f(first - cell, last - cell);
    }
  });
}

// → [n rounded up to a multiple of `round`, k, C]; zero from n on.
Tensor patches(const Tensor& source, const std::optional<Tensor>& index, const Tensor& cells,
               const Tensor& taps, int64_t height, int64_t width, int64_t round) {
  TORCH_CHECK(source.is_contiguous(), "source has to be contiguous");
  const Grid g = grid_of(source, height, width);
  const int64_t n = cells.size(0), k = taps.size(0);
  const int64_t bytes = g.channels * source.element_size();
  Tensor out = at::empty({(n + round - 1) / round * round, k, g.channels}, source.options());
  out.narrow(0, n, out.size(0) - n).zero_();
  const char* from = static_cast<const char*>(source.data_ptr());
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t *cell = cells.data_ptr<int64_t>(), *tap = taps.data_ptr<int64_t>();
    char* to = static_cast<char*>(out.data_ptr()) + begin * k * bytes;
    for (int64_t i = begin; i < end; ++i) {
      const Place at(g, cell[i]);
      const int64_t first = at.plane * height * width;
      for (int64_t t = 0; t < k; ++t, to += bytes)
        std::memcpy(to, from + row(rows_of(index), first + at.neighbour(g, tap + 2 * t)) * bytes,
                    bytes);
    }
  });
  return out;
}

// grad [n or more, k, C] → the source's, in float32 where grad is bfloat16.
Tensor patches_backward(const Tensor& grad, int64_t rows, const std::optional<Tensor>& index,
                        const Tensor& cells, const Tensor& taps, int64_t height, int64_t width) {
  const int64_t k = taps.size(0), channels = grad.size(2);
  const Grid g(0, height, width, channels);
  const bool low = grad.scalar_type() == at::kBFloat16;
  Tensor out = at::zeros({rows, channels}, low ? grad.options().dtype(at::kFloat) : grad.options());
  const auto add = [&](auto wide, auto narrow) {
    using T = decltype(wide);
    using N = decltype(narrow);
    by_sample(g, cells, [&](int64_t begin, int64_t end) {
      const int64_t *cell = cells.data_ptr<int64_t>(), *tap = taps.data_ptr<int64_t>();
      with_channels(channels, [&](auto c) {
        const N* from = grad.data_ptr<N>() + begin * k * c;
        for (int64_t i = begin; i < end; ++i) {
          const Place at(g, cell[i]);
          const int64_t first = at.plane * height * width;
          for (int64_t t = 0; t < k; ++t, from += c) {
            T* to = out.data_ptr<T>() +
                    row(rows_of(index), first + at.neighbour(g, tap + 2 * t)) * c;
            for (int64_t j = 0; j < c; ++j) to[j] += T(from[j]);
          }
        }
      });
    });
  };
  if (low) {
    add(float{}, at::BFloat16{});
  } else if (grad.scalar_type() == at::kDouble) {
    add(double{}, double{});
  } else {
    add(float{}, float{});
  }
  return out;
}

// A tap that landed between four cells: their values' places and shares.
template <typename T>
struct Between {
  int64_t corner[4];  // above left, above right, below left, below right
  T share[4], down, right;
  Between(const Grid& g, const Place& at, const int64_t* tap, const T* move, int64_t channels) {
    const T y = T(at.y + tap[0]) + move[0], x = T(at.x + tap[1]) + move[1];
    const T top = std::floor(y), left = std::floor(x);
    down = y - top, right = x - left;
    const int64_t first = at.plane * g.height * g.width;
    for (int64_t i = 0; i < 4; ++i) {
      const int64_t r = turn(int64_t(top) + i / 2, g.height), c = turn(int64_t(left) + i % 2, g.width);
      corner[i] = (first + r * g.width + c) * channels;
      share[i] = (i / 2 ? down : 1 - down) * (i % 2 ? right : 1 - right);
    }
  }
  // A move may go around the torus several times.
  static int64_t turn(int64_t v, int64_t n) {
    const int64_t rest = v % n;
    return rest < 0 ? rest + n : rest;
  }
};

// Values where taps moved by `moves` [n, 2k] land, bilinear, times `weights` [n, k] → [n, k, C].
template <typename T>
void moved(const Grid& g, const Tensor& source, const Tensor& cells, const Tensor& taps,
           const Tensor& moves, const Tensor& weights, Tensor& out) {
  const int64_t n = cells.size(0), k = taps.size(0);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t *cell = cells.data_ptr<int64_t>(), *tap = taps.data_ptr<int64_t>();
    const T* from = source.data_ptr<T>();
    with_channels(g.channels, [&](auto c) {
      T* to = out.data_ptr<T>() + begin * k * c;
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cell[i]);
        for (int64_t t = 0; t < k; ++t, to += c) {
          const Between<T> b(g, at, tap + 2 * t, moves.data_ptr<T>() + 2 * (i * k + t), c);
          const T weight = weights.data_ptr<T>()[i * k + t];
          T part[4];
          for (int64_t q = 0; q < 4; ++q) part[q] = weight * b.share[q];
          for (int64_t j = 0; j < c; ++j)
            to[j] = part[0] * from[b.corner[0] + j] + part[1] * from[b.corner[1] + j] +
                    part[2] * from[b.corner[2] + j] + part[3] * from[b.corner[3] + j];
        }
      }
    });
  });
}

template <typename T>
void moved_backward(const Grid& g, const Tensor& grad, const Tensor& source, const Tensor& cells,
                    const Tensor& taps, const Tensor& moves, const Tensor& weights,
                    Tensor& source_grad, Tensor& moves_grad, Tensor& weights_grad) {
  const int64_t k = taps.size(0);
  by_sample(g, cells, [&](int64_t begin, int64_t end) {
    const int64_t *cell = cells.data_ptr<int64_t>(), *tap = taps.data_ptr<int64_t>();
    const T* values = source.data_ptr<T>();
    T* sum = source_grad.data_ptr<T>();
    with_channels(g.channels, [&](auto c) {
      const T* from = grad.data_ptr<T>() + begin * k * c;
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cell[i]);
        for (int64_t t = 0; t < k; ++t, from += c) {
          const int64_t here = i * k + t;
          const Between<T> b(g, at, tap + 2 * t, moves.data_ptr<T>() + 2 * here, c);
          const T weight = weights.data_ptr<T>()[here];
          T seen[4];  // each corner's part of the gradient
          for (int64_t q = 0; q < 4; ++q) {
            const T* value = values + b.corner[q];
            T* to = sum + b.corner[q];
            const T part = weight * b.share[q];
            T dot = 0;
#pragma omp simd reduction(+ : dot)
            for (int64_t j = 0; j < c; ++j) {
              dot += from[j] * value[j];
              to[j] += part * from[j];
            }
            seen[q] = dot;
          }
          T* move = moves_grad.data_ptr<T>() + 2 * here;
          move[0] = weight * ((1 - b.right) * (seen[2] - seen[0]) + b.right * (seen[3] - seen[1]));
          move[1] = weight * ((1 - b.down) * (seen[1] - seen[0]) + b.down * (seen[3] - seen[2]));
          weights_grad.data_ptr<T>()[here] = b.share[0] * seen[0] + b.share[1] * seen[1] +
                                             b.share[2] * seen[2] + b.share[3] * seen[3];
        }
      }
    });
  });
}

// e^x for x ≤ 0, to a few units in the last place. The library's is a call for every number; this
// one is eight operations that a loop does for sixteen at a time (x = n log 2 + r, and Taylor).
inline float quick_exp(float x) {
  x = std::max(x, -87.0f) * 1.44269504f;
  const float n = std::floor(x + 0.5f), r = (x - n) * 0.69314718f;
  const float p = 1 + r * (1 + r * (0.5f + r * (0.16666667f + r * (0.041666668f +
                  r * (0.0083333338f + r * 0.0013888889f)))));
  const int32_t bits = (int32_t(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return p * power;
}
inline double quick_exp(double x) { return std::exp(x); }

constexpr int64_t kLanes = 16;

// What a cell sees, its k states as columns: [C, lanes], k filled up to a multiple of kLanes.
template <typename T>
struct View {
  int64_t k, lanes;
  vector<T> columns, weights, slope;
  vector<int64_t> where;  // of each state, its first value
  View(int64_t k, int64_t channels)
      : k(k), lanes((k + kLanes - 1) / kLanes * kLanes), columns(lanes * channels),
        weights(lanes), slope(lanes), where(k) {}

  template <typename C>
  void look(const Grid& g, const Place& at, const int64_t* tap, const T* values, C c) {
    for (int64_t t = 0; t < k; ++t) {
      where[t] = (at.plane * g.height * g.width + at.neighbour(g, tap + 2 * t)) * c;
      const T* from = values + where[t];
      for (int64_t j = 0; j < c; ++j) columns[j * lanes + t] = from[j];
    }
  }

  // y · x for each x.
  template <typename C>
  void products(const T* y, T* to, C c) const {
    for (int64_t first = 0; first < lanes; first += kLanes) {
      T sum[kLanes] = {};
      for (int64_t j = 0; j < c; ++j)
        for (int64_t l = 0; l < kLanes; ++l) sum[l] += y[j] * columns[j * lanes + first + l];
      std::copy(sum, sum + kLanes, to + first);
    }
  }

  // weights = softmax(asked · x + position).
  template <typename C>
  void attend(const T* asked, const T* position, C c) {
    products(asked, weights.data(), c);
    T most = -INFINITY, sum = 0;
    for (int64_t t = 0; t < k; ++t) {
      weights[t] += position[t];
      most = std::max(most, weights[t]);
    }
    for (int64_t t = 0; t < lanes; ++t) weights[t] = quick_exp(std::min(weights[t] - most, T(0)));
    for (int64_t t = 0; t < k; ++t) sum += weights[t];
    for (int64_t t = 0; t < lanes; ++t) weights[t] /= sum;
  }
};

// Σ w x, w = softmax(asked · x + position), for `asked` [n, heads, C] → [n, heads, C].
template <typename T>
void heard(const Grid& g, const Tensor& source, const Tensor& cells, const Tensor& taps,
           const Tensor& asked, const Tensor& position, Tensor& out) {
  const int64_t n = cells.size(0), k = taps.size(0), heads = asked.size(1);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    View<T> view(k, g.channels);
    const T *bias = position.data_ptr<T>(), *values = source.data_ptr<T>();
    with_channels(g.channels, [&](auto c) {
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cells.data_ptr<int64_t>()[i]);
        view.look(g, at, taps.data_ptr<int64_t>(), values, c);
        for (int64_t h = 0; h < heads; ++h) {
          view.attend(asked.data_ptr<T>() + (i * heads + h) * c, bias ? bias + h * k : bias, c);
          T* __restrict__ to = out.data_ptr<T>() + (i * heads + h) * c;
          std::fill(to, to + c, T(0));
          for (int64_t t = 0; t < k; ++t) {
            const T* __restrict__ x = values + view.where[t];
            const T weight = view.weights[t];
            for (int64_t j = 0; j < c; ++j) to[j] += weight * x[j];
          }
        }
      }
    });
  });
}

template <typename T>
void heard_backward(const Grid& g, const Tensor& grad, const Tensor& source, const Tensor& cells,
                    const Tensor& taps, const Tensor& asked, const Tensor& position,
                    Tensor& source_grad, Tensor& asked_grad, Tensor& position_grad) {
  const int64_t k = taps.size(0), heads = asked.size(1);
  by_sample(g, cells, [&](int64_t begin, int64_t end) {
    View<T> view(k, g.channels);
    const T *bias = position.data_ptr<T>(), *values = source.data_ptr<T>();
    with_channels(g.channels, [&](auto c) {
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cells.data_ptr<int64_t>()[i]);
        view.look(g, at, taps.data_ptr<int64_t>(), values, c);
        T* of_position = position_grad.data_ptr<T>() + at.plane * heads * k;
        for (int64_t h = 0; h < heads; ++h, of_position += k) {
          const T* ask = asked.data_ptr<T>() + (i * heads + h) * c;
          const T* from = grad.data_ptr<T>() + (i * heads + h) * c;
          T* __restrict__ of_ask = asked_grad.data_ptr<T>() + (i * heads + h) * c;
          view.attend(ask, bias ? bias + h * k : bias, c);
          view.products(from, view.slope.data(), c);
          T mean = 0;
          for (int64_t t = 0; t < k; ++t) mean += view.weights[t] * view.slope[t];
          std::fill(of_ask, of_ask + c, T(0));
          for (int64_t t = 0; t < k; ++t) {
            const T weight = view.weights[t], turn = weight * (view.slope[t] - mean);
            const T* __restrict__ x = values + view.where[t];
            T* __restrict__ to = source_grad.data_ptr<T>() + view.where[t];
            of_position[t] += turn;
            for (int64_t j = 0; j < c; ++j) {
              to[j] += weight * from[j] + turn * ask[j];
              of_ask[j] += turn * x[j];
            }
          }
        }
      }
    });
  });
}

template <typename F>
void with_type(const Tensor& source, F f) {
  TORCH_CHECK(source.is_contiguous(), "source has to be contiguous");
  source.scalar_type() == at::kDouble ? f(double{}) : f(float{});
}

Tensor moved_op(const Tensor& source, const Tensor& cells, const Tensor& taps, const Tensor& moves,
                const Tensor& weights, int64_t height, int64_t width) {
  const Grid g = grid_of(source, height, width);
  Tensor out = at::empty({cells.size(0), taps.size(0), g.channels}, source.options());
  with_type(source, [&](auto t) {
    moved<decltype(t)>(g, source, cells, taps, moves, weights, out);
  });
  return out;
}

std::tuple<Tensor, Tensor, Tensor> moved_backward_op(const Tensor& grad, const Tensor& source,
                                                     const Tensor& cells, const Tensor& taps,
                                                     const Tensor& moves, const Tensor& weights,
                                                     int64_t height, int64_t width) {
  Tensor of_source = at::zeros_like(source), of_moves = at::empty_like(moves),
         of_weights = at::empty_like(weights);
  with_type(source, [&](auto t) {
    moved_backward<decltype(t)>(grid_of(source, height, width), grad, source, cells, taps, moves,
                                weights, of_source, of_moves, of_weights);
  });
  return {of_source, of_moves, of_weights};
}

Tensor heard_op(const Tensor& source, const Tensor& cells, const Tensor& taps, const Tensor& asked,
                const Tensor& position, int64_t height, int64_t width) {
  Tensor out = at::empty_like(asked);
  with_type(source, [&](auto t) {
    heard<decltype(t)>(grid_of(source, height, width), source, cells, taps, asked, position, out);
  });
  return out;
}

// The position's gradient comes per sample, [B, heads, k]: to be added up in their order.
std::tuple<Tensor, Tensor, Tensor> heard_backward_op(const Tensor& grad, const Tensor& source,
                                                     const Tensor& cells, const Tensor& taps,
                                                     const Tensor& asked,
                                                     const Tensor& position,
                                                     int64_t height, int64_t width) {
  const int64_t batch = source.size(0) / (height * width);
  Tensor of_source = at::zeros_like(source), of_asked = at::empty_like(asked),
         of_position = at::zeros({batch, asked.size(1), taps.size(0)}, source.options());
  with_type(source, [&](auto t) {
    heard_backward<decltype(t)>(grid_of(source, height, width), grad, source, cells, taps, asked,
                                position, of_source, of_asked, of_position);
  });
  return {of_source, of_asked, of_position};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ncabook, m) {
  m.def(
      "patches(Tensor source, Tensor? index, Tensor cells, Tensor taps, int height, int width, "
      "int round) -> Tensor");
  m.def(
      "patches_backward(Tensor grad, int rows, Tensor? index, Tensor cells, Tensor taps, "
      "int height, int width) -> Tensor");
  m.def(
      "moved(Tensor source, Tensor cells, Tensor taps, Tensor moves, Tensor weights, int height, "
      "int width) -> Tensor");
  m.def(
      "moved_backward(Tensor grad, Tensor source, Tensor cells, Tensor taps, Tensor moves, "
      "Tensor weights, int height, int width) -> (Tensor, Tensor, Tensor)");
  m.def(
      "heard(Tensor source, Tensor cells, Tensor taps, Tensor asked, Tensor position, int height, "
      "int width) -> Tensor");
  m.def(
      "heard_backward(Tensor grad, Tensor source, Tensor cells, Tensor taps, Tensor asked, "
      "Tensor position, int height, int width) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(ncabook, CPU, m) {
  m.impl("patches", TORCH_FN(patches));
  m.impl("patches_backward", TORCH_FN(patches_backward));
  m.impl("moved", TORCH_FN(moved_op));
  m.impl("moved_backward", TORCH_FN(moved_backward_op));
  m.impl("heard", TORCH_FN(heard_op));
  m.impl("heard_backward", TORCH_FN(heard_backward_op));
}
