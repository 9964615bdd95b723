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

template <typename T, typename C>
T dot(const T* a, const T* b, C c) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < c; ++j) sum += a[j] * b[j];
  return sum;
}

// softmax(asked · x + position) over the taps' values x.
template <typename T, typename C>
void attend(const T* asked, const T* const* x, const T* position, int64_t k, T* weights, C c) {
  T most = -INFINITY, sum = 0;
  for (int64_t t = 0; t < k; ++t) {
    weights[t] = dot(asked, x[t], c) + (position ? position[t] : T(0));
    most = std::max(most, weights[t]);
  }
  for (int64_t t = 0; t < k; ++t) sum += weights[t] = std::exp(weights[t] - most);
  for (int64_t t = 0; t < k; ++t) weights[t] /= sum;
}

// The k values that a cell sees.
template <typename T>
void look(const Grid& g, const Place& at, const int64_t* tap, int64_t k, T* values, T** x) {
  for (int64_t t = 0; t < k; ++t)
    x[t] = values + (at.plane * g.height * g.width + at.neighbour(g, tap + 2 * t)) * g.channels;
}

// Σ w x, w = softmax(asked · x + position), for `asked` [n, heads, C] → [n, heads, C].
template <typename T>
void heard(const Grid& g, const Tensor& source, const Tensor& cells, const Tensor& taps,
           const Tensor& asked, const std::optional<Tensor>& position, Tensor& out) {
  const int64_t n = cells.size(0), k = taps.size(0), heads = asked.size(1);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    vector<T*> x(k);
    vector<T> weights(k);
    const T* bias = position ? position->data_ptr<T>() : nullptr;
    with_channels(g.channels, [&](auto c) {
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cells.data_ptr<int64_t>()[i]);
        look(g, at, taps.data_ptr<int64_t>(), k, source.data_ptr<T>(), x.data());
        for (int64_t h = 0; h < heads; ++h) {
          attend(asked.data_ptr<T>() + (i * heads + h) * c, x.data(), bias ? bias + h * k : bias, k,
                 weights.data(), c);
          T* to = out.data_ptr<T>() + (i * heads + h) * c;
          std::fill(to, to + c, T(0));
          for (int64_t t = 0; t < k; ++t)
            for (int64_t j = 0; j < c; ++j) to[j] += weights[t] * x[t][j];
        }
      }
    });
  });
}

template <typename T>
void heard_backward(const Grid& g, const Tensor& grad, const Tensor& source, const Tensor& cells,
                    const Tensor& taps, const Tensor& asked, const std::optional<Tensor>& position,
                    Tensor& source_grad, Tensor& asked_grad, Tensor& position_grad) {
  const int64_t k = taps.size(0), heads = asked.size(1);
  by_sample(g, cells, [&](int64_t begin, int64_t end) {
    vector<T*> x(k), to(k);
    vector<T> weights(k), slope(k);
    const T* bias = position ? position->data_ptr<T>() : nullptr;
    with_channels(g.channels, [&](auto c) {
      for (int64_t i = begin; i < end; ++i) {
        const Place at(g, cells.data_ptr<int64_t>()[i]);
        look(g, at, taps.data_ptr<int64_t>(), k, source.data_ptr<T>(), x.data());
        look(g, at, taps.data_ptr<int64_t>(), k, source_grad.data_ptr<T>(), to.data());
        T* of_position = position_grad.data_ptr<T>() + at.plane * heads * k;
        for (int64_t h = 0; h < heads; ++h, of_position += k) {
          const T* ask = asked.data_ptr<T>() + (i * heads + h) * c;
          const T* from = grad.data_ptr<T>() + (i * heads + h) * c;
          T* of_ask = asked_grad.data_ptr<T>() + (i * heads + h) * c;
          attend(ask, x.data(), bias ? bias + h * k : bias, k, weights.data(), c);
          T mean = 0;
          for (int64_t t = 0; t < k; ++t) mean += weights[t] * (slope[t] = dot(from, x[t], c));
          std::fill(of_ask, of_ask + c, T(0));
          for (int64_t t = 0; t < k; ++t) {
            const T weight = weights[t], turn = weight * (slope[t] - mean);
            of_position[t] += turn;
            for (int64_t j = 0; j < c; ++j) {
              to[t][j] += weight * from[j] + turn * ask[j];
              of_ask[j] += turn * x[t][j];
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
                const std::optional<Tensor>& position, int64_t height, int64_t width) {
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
                                                     const std::optional<Tensor>& position,
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
      "heard(Tensor source, Tensor cells, Tensor taps, Tensor asked, Tensor? position, int height, "
      "int width) -> Tensor");
  m.def(
      "heard_backward(Tensor grad, Tensor source, Tensor cells, Tensor taps, Tensor asked, "
      "Tensor? position, int height, int width) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(ncabook, CPU, m) {
  m.impl("patches", TORCH_FN(patches));
  m.impl("patches_backward", TORCH_FN(patches_backward));
  m.impl("moved", TORCH_FN(moved_op));
  m.impl("moved_backward", TORCH_FN(moved_backward_op));
  m.impl("heard", TORCH_FN(heard_op));
  m.impl("heard_backward", TORCH_FN(heard_backward_op));
}
