// One step of an automaton for the cells that matter, and its gradient.
//
// A step changes only cells that fire; of those, cells that neither live nor border on a living
// one become zero whatever the network says. (A dead cell on the border becomes zero too, but
// the alpha that it would have had may keep its neighbour alive.) So: list the other cells that
// fire, gather their neighbourhoods, run the network on the list, write the changes back. The
// list is cut into chunks whose activations stay in a core's cache; matrix products are ATen's
// (oneDNN, with AMX or AVX-512 where the machine has them), and everything between them is one
// loop below. Nothing but the state is kept for the gradient: the backward pass gathers and
// computes the activations again.
//
// Types: T of the state [B, H, W, C], contiguous, and of the biases, float or double; N of the
// matrices, T or bfloat16.
// Same inputs and number of threads, same bits: every sum has a fixed order.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <vector>

#include "grid.h"

namespace {

using at::Tensor;
using std::vector;

constexpr int64_t kChunk = 4096;   // cells per chunk at most
constexpr int64_t kRound = 256;    // chunk sizes are multiples: few shapes, oneDNN caches each

struct Network {
  vector<Tensor> kernels;  // per branch [features, taps · C]
  vector<Tensor> taps;     // per branch int64 [taps, 2]: (dy, dx)
  Tensor bias;             // [1, B or cells, all features]: the condition's share included
  vector<Tensor> weights;  // of the update's layers, [out, in]
  vector<Tensor> biases;
  double seen, inner;      // slopes left of zero, of what is seen and of the layers between
};

// out[cell] = some of the 3×3 window of `in` is set; `out` may be `in`.
void widen(const Grid& g, const uint8_t* in, uint8_t* out) {
  vector<uint8_t> across(g.cells());
  at::parallel_for(0, g.batch * g.height, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const uint8_t* row = in + r * g.width;
      for (int64_t x = 0; x < g.width; ++x)
        across[r * g.width + x] = row[g.wrap(x - 1, g.width)] | row[x] | row[g.wrap(x + 1, g.width)];
    }
  });
  at::parallel_for(0, g.batch * g.height, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t first = r / g.height * g.height, y = r % g.height;
      const uint8_t* up = &across[(first + g.wrap(y - 1, g.height)) * g.width];
      const uint8_t* here = &across[r * g.width];
      const uint8_t* down = &across[(first + g.wrap(y + 1, g.height)) * g.width];
      for (int64_t x = 0; x < g.width; ++x) out[r * g.width + x] = up[x] | here[x] | down[x];
    }
  });
}

// alive[cell]: some alpha in the 3×3 window exceeds the threshold.
template <typename T>
void living(const Grid& g, const T* state, int64_t alpha, double threshold, uint8_t* alive) {
  at::parallel_for(0, g.cells(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) alive[c] = state[c * g.channels + alpha] > T(threshold);
  });
  widen(g, alive, alive);
}

// Chunks of equal size, at least one per thread where there is enough work.
int64_t chunk_size(int64_t count) {
  const int64_t threads = at::get_num_threads();
  const int64_t pieces = (count + kChunk * threads - 1) / (kChunk * threads) * threads;
  const int64_t size = (count + pieces - 1) / std::max<int64_t>(1, pieces);
  return std::max(kRound, (size + kRound - 1) / kRound * kRound);
}

// Calls f(T, N): one value of the state's type, one of the networks'.
template <typename F>
void with_types(const Tensor& state, const Tensor& kernel, F f) {
  const bool low = kernel.scalar_type() == at::kBFloat16;
  if (state.scalar_type() == at::kDouble) {
    low ? f(double{}, at::BFloat16{}) : f(double{}, double{});
  } else {
    low ? f(float{}, at::BFloat16{}) : f(float{}, float{});
  }
}

// [rows, width] of this thread's memory; what was in it is lost. It is kept from call to call:
// to ask the system for fresh pages costs more than a layer.
Tensor scratch(size_t slot, int64_t rows, int64_t width, at::ScalarType dtype) {
  static thread_local vector<Tensor> slots;
  if (slots.size() <= slot) slots.resize(slot + 1);
  Tensor& t = slots[slot];
  if (!t.defined() || t.scalar_type() != dtype || t.numel() < rows * width)
    t = at::empty({rows * width}, at::TensorOptions().dtype(dtype));
  return t.narrow(0, 0, rows * width).view({rows, width});
}

// Some of the listed cells, what one thread computes at a time. Matrices have `rows` ≥ n rows;
// those from n on are zero on the way in and are not read on the way out.
struct Chunk {
  const int32_t* cells;
  int64_t n, rows;
  Chunk(const int32_t* list, int64_t count, int64_t size, int64_t index)
      : cells(list + index * size),
        n(std::min(size, count - index * size)),
        rows((n + kRound - 1) / kRound * kRound) {}
};

// The neighbourhoods of a chunk's cells as rows [taps · C].
template <typename N>
void gather(const Grid& g, const N* source, const Tensor& taps, const Chunk& chunk, N* to) {
  const int64_t k = taps.size(0);
  const int64_t* tap = taps.data_ptr<int64_t>();
  with_channels(g.channels, [&](auto channels) {
    for (int64_t i = 0; i < chunk.n; ++i) {
      const Place at(g, chunk.cells[i]);
      const N* plane = source + at.plane * g.height * g.width * channels;
      for (int64_t t = 0; t < k; ++t, to += channels)
        std::memcpy(to, plane + at.neighbour(g, tap + 2 * t) * channels, channels * sizeof(N));
    }
    std::memset(to, 0, (chunk.rows - chunk.n) * k * channels * sizeof(N));
  });
}

// y ← LeakyReLU(y + bias), a row of the bias for each row of y; a slope of 0 is ReLU's.
template <typename T, typename N, typename BiasOf>
void add_bias_and_activate(N* y, int64_t n, int64_t width, T slope, BiasOf bias_of) {
  for (int64_t i = 0; i < n; ++i, y += width) {
    const T* bias = bias_of(i);
    for (int64_t j = 0; j < width; ++j) {
      const T v = T(y[j]) + bias[j];
      y[j] = N(v > 0 ? v : slope * v);
    }
  }
}

// The same for a matrix product's gradient: d ← d · LeakyReLU′, and row by row into `sum_of(i)`.
// The activation keeps the sign, so its output serves as well as its input.
template <typename T, typename N, typename SumOf>
void through_activation(N* d, const N* output, int64_t n, int64_t width, T slope, SumOf sum_of) {
  for (int64_t i = 0; i < n; ++i, d += width, output += width) {
    T* sum = sum_of(i);
    for (int64_t j = 0; j < width; ++j) {
      const T v = T(d[j]) * (T(output[j]) > 0 ? T(1) : slope);
      d[j] = N(v);
      sum[j] += T(d[j]);
    }
  }
}

// Numbers of the scratch slots: patches first, then what the layers put out, then the gradients.
struct Activations {
  vector<Tensor> patches;  // per branch
  vector<Tensor> outputs;  // of the layers, with bias and LeakyReLU; the last one's without
  size_t slots = 0;        // used so far
};

// Rows of a bias of [1, B or cells, features] by position in the chunk.
template <typename T>
auto bias_rows(const Grid& g, T* bias, int64_t rows, int64_t features, const Chunk& chunk) {
  const uint32_t per_row = g.cells() / rows;
  return [=](int64_t i) { return bias + uint32_t(chunk.cells[i]) / per_row * features; };
}

template <typename T, typename N>
Activations forward_chunk(const Grid& g, const Network& net, const Tensor& source,
                          const Chunk& chunk, size_t layers) {
  Activations a;
  const auto dtype = source.scalar_type();
  const auto room = [&](int64_t width) { return scratch(a.slots++, chunk.rows, width, dtype); };
  const int64_t features = net.bias.size(1);
  Tensor y = room(features);
  int64_t feature = 0;
  for (size_t b = 0; b < net.kernels.size(); ++b) {
    const int64_t width = net.kernels[b].size(0);
    a.patches.push_back(room(net.kernels[b].size(1)));
    gather(g, source.data_ptr<N>(), net.taps[b], chunk, a.patches[b].data_ptr<N>());
    Tensor part = y.narrow(1, feature, width);
    at::mm_out(part, a.patches[b], net.kernels[b].t());
    feature += width;
  }
  add_bias_and_activate<T>(y.data_ptr<N>(), chunk.n, features, T(net.seen),
                           bias_rows(g, net.bias.data_ptr<T>(), net.bias.size(0), features, chunk));
  a.outputs.push_back(y);
  for (size_t l = 0; l < layers; ++l) {
    const int64_t width = net.weights[l].size(0);
    Tensor z = room(width);
    at::mm_out(z, a.outputs.back(), net.weights[l].t());
    if (l + 1 < net.weights.size())
      add_bias_and_activate<T>(z.data_ptr<N>(), chunk.n, width, T(net.inner),
                               [b = net.biases[l].data_ptr<T>()](int64_t) { return b; });
    a.outputs.push_back(z);
  }
  return a;
}

// → after [B, H, W, C]; cells int32 [n] that fired and survive; mask uint8 [B, H, W] of survivors.
template <typename T, typename N>
std::tuple<Tensor, Tensor, Tensor> step(const Tensor& state, const bool* fires, int64_t period,
                                        const Network& net, int64_t fixed, int64_t alpha,
                                        double threshold, bool mortal) {
  const Grid g(state);
  const auto bytes = state.options().dtype(at::kByte);
  Tensor mask = at::ones({g.batch, g.height, g.width}, bytes);
  uint8_t* alive = mask.data_ptr<uint8_t>();
  if (mortal) living(g, state.data_ptr<T>(), alpha, threshold, alive);
  vector<uint8_t> near(alive, alive + g.cells());
  if (mortal) widen(g, near.data(), near.data());
  vector<int32_t> list;
  list.reserve(g.cells());
  for (int64_t first = 0; first < g.cells(); first += period)
    for (int64_t c = 0; c < period; ++c)
      if (near[first + c] && fires[c]) list.push_back(first + c);
  const int64_t count = list.size(), size = chunk_size(count);

  Tensor after = state.clone();
  T* data = after.data_ptr<T>();
  const Tensor source = state.to(net.kernels[0].scalar_type());
  at::parallel_for(0, (count + size - 1) / size, 1, [&](int64_t begin, int64_t end) {
    at::AutoDispatchBelowAutograd guard;
    for (int64_t i = begin; i < end; ++i) {
      const Chunk chunk(list.data(), count, size, i);
      const Tensor change =
          forward_chunk<T, N>(g, net, source, chunk, net.weights.size()).outputs.back();
      const N* from = change.data_ptr<N>();
      const T* bias = net.biases.back().data_ptr<T>();
      const int64_t out = change.size(1);
      for (int64_t j = 0; j < chunk.n; ++j, from += out) {
        T* to = data + chunk.cells[j] * g.channels + fixed;
        for (int64_t c = 0; c < out; ++c) to[c] += T(from[c]) + bias[c];
      }
    }
  });
  if (mortal) {
    vector<uint8_t> still(g.cells());
    living(g, data, alpha, threshold, still.data());
    at::parallel_for(0, g.cells(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        alive[c] &= still[c];
        if (!alive[c])  // times zero, not zero: what is not finite must not look dead
          for (int64_t j = fixed; j < g.channels; ++j) data[c * g.channels + j] *= 0;
      }
    });
  }
  // Cells that did not survive have no gradient.
  list.erase(std::remove_if(list.begin(), list.end(), [&](int32_t c) { return !alive[c]; }),
             list.end());
  Tensor cells = at::empty({int64_t(list.size())}, bytes.dtype(at::kInt));
  std::copy(list.begin(), list.end(), cells.data_ptr<int32_t>());
  return {after, cells, mask};
}

// What a thread's cells send back to the cells that they saw: [planes, H, W, C], for the samples
// that it worked on.
struct Sent {
  Tensor sum;
  int64_t first = 0, planes = 0;
};

// Adds the gradients of a chunk's patches to the cells that were in them.
template <typename T, typename N>
void send_back(const Grid& g, const N* messages, const Tensor& taps, const Chunk& chunk,
               const Sent& sent) {
  const int64_t k = taps.size(0);
  const int64_t* tap = taps.data_ptr<int64_t>();
  T* sum = sent.sum.data_ptr<T>();
  with_channels(g.channels, [&](auto channels) {
    for (int64_t i = 0; i < chunk.n; ++i) {
      const Place at(g, chunk.cells[i]);
      T* plane = sum + (at.plane - sent.first) * g.height * g.width * channels;
      for (int64_t t = 0; t < k; ++t, messages += channels) {
        T* to = plane + at.neighbour(g, tap + 2 * t) * channels;
        for (int64_t j = 0; j < channels; ++j) to[j] += T(messages[j]);
      }
    }
  });
}

// A cell's gradient: its own if it survived, and what was sent to it, in the threads' order.
template <typename T>
Tensor state_gradient(const Grid& g, const Tensor& grad, const uint8_t* alive, int64_t fixed,
                      const vector<Sent>& all) {
  Tensor result = at::empty_like(grad);
  const int64_t plane = g.height * g.width * g.channels;
  at::parallel_for(0, g.batch * g.height, 8, [&](int64_t begin, int64_t end) {
    const T* from = grad.data_ptr<T>();
    T* to = result.data_ptr<T>();
    for (int64_t r = begin; r < end; ++r) {
      const int64_t row = r * g.width, sample = r / g.height;
      with_channels(g.channels, [&](auto channels) {
        for (int64_t i = row; i < row + g.width; ++i)
          for (int64_t j = 0; j < channels; ++j)
            to[i * channels + j] = alive[i] || j < fixed ? from[i * channels + j] : T(0);
      });
      for (const Sent& sent : all) {
        if (sample < sent.first || sample >= sent.first + sent.planes) continue;
        const T* share = sent.sum.data_ptr<T>() - sent.first * plane;
        for (int64_t i = row * g.channels; i < (row + g.width) * g.channels; ++i) to[i] += share[i];
      }
    }
  });
  return result;
}

// What the threads add up, each in its own, and in the threads' order at the end.
struct Sums {
  vector<Tensor> kernels, weights, biases;
  Tensor bias;
  Sums(const Network& net, const at::TensorOptions& wide, bool mapped) {
    for (const auto& k : net.kernels) kernels.push_back(at::zeros(k.sizes(), wide));
    for (const auto& w : net.weights) weights.push_back(at::zeros(w.sizes(), wide));
    for (const auto& b : net.biases) biases.push_back(at::zeros(b.sizes(), wide));
    if (!mapped) bias = at::zeros_like(net.bias);
  }
  void add(const Sums& other) {
    for (size_t b = 0; b < kernels.size(); ++b) kernels[b].add_(other.kernels[b]);
    for (size_t l = 0; l < weights.size(); ++l) weights[l].add_(other.weights[l]);
    for (size_t l = 0; l < biases.size(); ++l) biases[l].add_(other.biases[l]);
    if (bias.defined()) bias.add_(other.bias);
  }
};

// Gradients of every input of `step` that has one, given the gradient of `after`.
template <typename T, typename N>
std::tuple<Tensor, vector<Tensor>, Tensor, vector<Tensor>, vector<Tensor>> step_backward(
    const Tensor& grad, const Tensor& state, const Tensor& cells, const Tensor& mask,
    const Network& net, int64_t fixed, bool state_needs_gradient) {
  const Grid g(state);
  const auto dtype = net.kernels[0].scalar_type();
  const int64_t count = cells.size(0), size = chunk_size(count);
  const Tensor source = state.to(dtype);
  const size_t branches = net.kernels.size(), layers = net.weights.size();
  const int64_t features = net.bias.size(1), out = net.weights.back().size(0);

  // A bias of its own for every cell is written, not added up: each is computed once.
  const bool mapped = net.bias.size(0) == g.cells() && g.cells() > g.batch;
  Tensor bias_map = mapped ? at::zeros_like(net.bias) : Tensor();
  vector<Sums> sums;
  for (int t = 0; t < at::get_num_threads(); ++t) sums.emplace_back(net, state.options(), mapped);
  vector<Sent> sent(sums.size());

  at::parallel_for(0, (count + size - 1) / size, 1, [&](int64_t begin, int64_t end) {
    at::AutoDispatchBelowAutograd guard;
    Sums& sum = sums[at::get_thread_num()];
    Sent& back = sent[at::get_thread_num()];
    if (state_needs_gradient) {
      const int32_t* list = cells.data_ptr<int32_t>();
      back.first = Place(g, list[begin * size]).plane;
      back.planes = Place(g, list[std::min(count, end * size) - 1]).plane + 1 - back.first;
      back.sum = at::zeros({back.planes, g.height, g.width, g.channels}, state.options());
    }
    for (int64_t i = begin; i < end; ++i) {
      const Chunk chunk(cells.data_ptr<int32_t>(), count, size, i);
      Activations a = forward_chunk<T, N>(g, net, source, chunk, layers - 1);
      const auto clear_rest = [&](const Tensor& d) {
        d.narrow(0, chunk.n, chunk.rows - chunk.n).zero_();
      };
      Tensor d = scratch(a.slots++, chunk.rows, out, dtype);
      N* to = d.data_ptr<N>();
      T* bias_sum = sum.biases.back().data_ptr<T>();
      for (int64_t j = 0; j < chunk.n; ++j, to += out) {
        const T* from = grad.data_ptr<T>() + chunk.cells[j] * g.channels + fixed;
        for (int64_t c = 0; c < out; ++c) {
          to[c] = N(from[c]);
          bias_sum[c] += from[c];
        }
      }
      clear_rest(d);
      for (size_t l = layers; l-- > 0;) {
        sum.weights[l].add_(at::mm(d.t(), a.outputs[l]));
        const int64_t width = net.weights[l].size(1);
        Tensor before = scratch(a.slots++, chunk.rows, width, dtype);
        at::mm_out(before, d, net.weights[l]);
        d = before;
        N* gradient = d.data_ptr<N>();
        const N* output = a.outputs[l].data_ptr<N>();
        if (l > 0) {
          T* total = sum.biases[l - 1].data_ptr<T>();
          through_activation<T>(gradient, output, chunk.n, width, T(net.inner),
                                [=](int64_t) { return total; });
        } else {
          T* total = (mapped ? bias_map : sum.bias).data_ptr<T>();
          through_activation<T>(gradient, output, chunk.n, width, T(net.seen),
                                bias_rows(g, total, net.bias.size(0), features, chunk));
        }
        clear_rest(d);
      }
      int64_t feature = 0;
      for (size_t b = 0; b < branches; ++b) {
        const int64_t width = net.kernels[b].size(0);
        const Tensor part = branches == 1 ? d : d.narrow(1, feature, width).contiguous();
        feature += width;
        sum.kernels[b].add_(at::mm(part.t(), a.patches[b]));
        if (state_needs_gradient) {
          Tensor messages = scratch(a.slots++, chunk.rows, net.kernels[b].size(1), dtype);
          at::mm_out(messages, part, net.kernels[b]);
          send_back<T>(g, messages.data_ptr<N>(), net.taps[b], chunk, back);
        }
      }
    }
  });
  for (size_t t = 1; t < sums.size(); ++t) sums[0].add(sums[t]);
  Tensor state_grad;
  if (state_needs_gradient)
    state_grad = state_gradient<T>(g, grad, mask.data_ptr<uint8_t>(), fixed, sent);
  return {state_grad, sums[0].kernels, mapped ? bias_map : sums[0].bias, sums[0].weights,
          sums[0].biases};
}

void check_bias(const Grid& g, const Tensor& bias) {
  const int64_t rows = bias.size(0);
  TORCH_CHECK(rows == 1 || rows == g.batch || rows == g.cells(), "a bias of ", rows,
              " rows; expected 1, one per sample or one per cell");
}

std::tuple<Tensor, Tensor, Tensor> step_op(const Tensor& state, const Tensor& fire,
                                           at::TensorList kernels, at::TensorList taps,
                                           const Tensor& bias, at::TensorList weights,
                                           at::TensorList biases, double seen, double inner,
                                           int64_t fixed, int64_t alpha, double threshold,
                                           bool mortal) {
  at::AutoDispatchBelowAutograd guard;
  check_bias(Grid(state), bias);
  const Network net{kernels.vec(), taps.vec(), bias, weights.vec(), biases.vec(), seen, inner};
  std::tuple<Tensor, Tensor, Tensor> result;
  with_types(state, kernels[0], [&](auto t, auto n) {
    result = step<decltype(t), decltype(n)>(state, fire.data_ptr<bool>(), fire.numel(), net, fixed,
                                            alpha, threshold, mortal);
  });
  return result;
}

std::tuple<Tensor, vector<Tensor>, Tensor, vector<Tensor>, vector<Tensor>> step_backward_op(
    const Tensor& grad, const Tensor& state, const Tensor& cells, const Tensor& mask,
    at::TensorList kernels, at::TensorList taps, const Tensor& bias, at::TensorList weights,
    at::TensorList biases, double seen, double inner, int64_t fixed, bool state_needs_gradient) {
  at::AutoDispatchBelowAutograd guard;
  const Network net{kernels.vec(), taps.vec(), bias, weights.vec(), biases.vec(), seen, inner};
  std::tuple<Tensor, vector<Tensor>, Tensor, vector<Tensor>, vector<Tensor>> result;
  with_types(state, kernels[0], [&](auto t, auto n) {
    result = step_backward<decltype(t), decltype(n)>(grad, state, cells, mask, net, fixed,
                                                     state_needs_gradient);
  });
  return result;
}

}  // namespace

TORCH_LIBRARY(ncabook, m) {
  m.def(
      "step(Tensor state, Tensor fire, Tensor[] kernels, Tensor[] taps, Tensor bias, "
      "Tensor[] weights, Tensor[] biases, float seen, float inner, int fixed, int alpha, "
      "float threshold, bool mortal) "
      "-> (Tensor, Tensor, Tensor)");
  m.def(
      "step_backward(Tensor grad, Tensor state, Tensor cells, Tensor mask, Tensor[] kernels, "
      "Tensor[] taps, Tensor bias, Tensor[] weights, Tensor[] biases, float seen, float inner, "
      "int fixed, bool state_needs_gradient) -> (Tensor, Tensor[], Tensor, Tensor[], Tensor[])");
}

TORCH_LIBRARY_IMPL(ncabook, CPU, m) {
  m.impl("step", TORCH_FN(step_op));
  m.impl("step_backward", TORCH_FN(step_backward_op));
}
