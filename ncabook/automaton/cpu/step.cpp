// One step of an automaton for the cells that matter, and its gradient.
//
// A step changes only cells that fire; of those, cells that neither live nor border on a living
// one become zero whatever the network says. (A dead cell on the border becomes zero too, but
// the alpha that it would have had may keep its neighbour alive.) So: list the other cells that
// fire, gather their neighbourhoods, run the network on the list, write the changes back. The list is cut into chunks whose activations stay in a core's cache;
// matrix products are ATen's (oneDNN, with AMX or AVX-512 where the machine has them), and
// everything between them is a loop below. Nothing but the state is kept for the gradient:
// the backward pass gathers and computes the activations again.
//
// Layout: state [B, H, W, C], contiguous, float or double; networks in the dtype of `weights`.
// Same inputs and number of threads, same bits: every sum has a fixed order.

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace {

using at::Tensor;
using std::vector;

constexpr double kSlope = 0.2;     // of LeakyReLU
constexpr int64_t kChunk = 2048;   // cells per chunk at most
constexpr int64_t kRound = 256;    // chunk sizes are multiples: few shapes, oneDNN caches each

struct Grid {
  int64_t batch, height, width, channels;
  explicit Grid(const Tensor& state)
      : batch(state.size(0)), height(state.size(1)), width(state.size(2)), channels(state.size(3)) {}
  int64_t cells() const { return batch * height * width; }
  int64_t wrap(int64_t v, int64_t n) const { return v < 0 ? v + n : (v >= n ? v - n : v); }
};

struct Network {
  vector<Tensor> kernels;  // per branch [features, taps · C]
  vector<Tensor> taps;     // per branch int64 [taps, 2]: (dy, dx)
  Tensor bias;             // [1, B or cells, all features]: the condition's share included
  vector<Tensor> weights;  // of the update's layers, [out, in]
  vector<Tensor> biases;
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

// The neighbourhoods of cells[0..n) as rows [taps · C]; further rows stay zero.
Tensor gather(const Grid& g, const Tensor& source, const Tensor& taps, const int32_t* cells,
              int64_t n, int64_t rows) {
  const int64_t k = taps.size(0), bytes = g.channels * source.element_size();
  Tensor patch = at::empty({rows, k * g.channels}, source.options());
  const char* from = static_cast<const char*>(source.data_ptr());
  char* to = static_cast<char*>(patch.data_ptr());
  const int64_t* tap = taps.data_ptr<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t cell = cells[i];
    const int64_t x = cell % g.width, y = cell / g.width % g.height;
    const int64_t plane = cell - y * g.width - x;
    for (int64_t t = 0; t < k; ++t, to += bytes) {
      const int64_t row = g.wrap(y + tap[2 * t], g.height), column = g.wrap(x + tap[2 * t + 1], g.width);
      std::memcpy(to, from + (plane + row * g.width + column) * bytes, bytes);
    }
  }
  std::memset(to, 0, (rows - n) * k * bytes);
  return patch;
}

// Calls f(row of the bias, first, count) for the runs of cells[0..n) that share a bias row.
template <typename F>
void bias_runs(const Grid& g, int64_t bias_rows, const int32_t* cells, int64_t n, F f) {
  const int64_t per_row = g.cells() / bias_rows;
  for (int64_t i = 0; i < n;) {
    const int64_t row = cells[i] / per_row;
    int64_t j = i + 1;
    while (j < n && cells[j] / per_row == row) ++j;
    f(row, i, j - i);
    i = j;
  }
}

struct Activations {
  vector<Tensor> patches;
  vector<Tensor> outputs;  // after each LeakyReLU; the last is the change
};

Activations forward_chunk(const Grid& g, const Network& net, const Tensor& source,
                          const int32_t* cells, int64_t n, int64_t rows) {
  Activations a;
  vector<Tensor> parts;
  for (size_t b = 0; b < net.kernels.size(); ++b) {
    a.patches.push_back(gather(g, source, net.taps[b], cells, n, rows));
    parts.push_back(at::mm(a.patches[b], net.kernels[b].t()));
  }
  Tensor y = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  if (net.bias.size(0) == g.cells()) {
    const Tensor index = at::from_blob(const_cast<int32_t*>(cells), {n}, at::kInt);
    y.narrow(0, 0, n).add_(net.bias.index_select(0, index));
  } else {
    bias_runs(g, net.bias.size(0), cells, n, [&](int64_t row, int64_t first, int64_t count) {
      y.narrow(0, first, count).add_(net.bias[row]);
    });
  }
  a.outputs.push_back(at::leaky_relu_(y, kSlope));
  for (size_t l = 0; l < net.weights.size(); ++l) {
    Tensor z = at::addmm(net.biases[l], a.outputs.back(), net.weights[l].t());
    a.outputs.push_back(l + 1 < net.weights.size() ? at::leaky_relu_(z, kSlope) : z);
  }
  return a;
}

// → after [B, H, W, C]; cells int32 [n] that fired and survive; mask uint8 [B, H, W] of survivors.
void check_bias(const Grid& g, const Tensor& bias) {
  const int64_t rows = bias.size(0);
  TORCH_CHECK(rows == 1 || rows == g.batch || rows == g.cells(), "a bias of ", rows,
              " rows; expected 1, one per sample or one per cell");
}

std::tuple<Tensor, Tensor, Tensor> step(const Tensor& state, const Tensor& fire,
                                        at::TensorList kernels, at::TensorList taps,
                                        const Tensor& bias, at::TensorList weights,
                                        at::TensorList biases, int64_t fixed, int64_t alpha,
                                        double threshold, bool mortal) {
  at::AutoDispatchBelowAutograd guard;
  const Grid g(state);
  check_bias(g, bias);
  const Network net{kernels.vec(), taps.vec(), bias, weights.vec(), biases.vec()};
  const auto bytes = state.options().dtype(at::kByte);
  Tensor mask = at::ones({g.batch, g.height, g.width}, bytes);
  uint8_t* alive = mask.data_ptr<uint8_t>();
  const bool* fires = fire.data_ptr<bool>();
  const int64_t period = fire.numel();
  if (mortal) {
    AT_DISPATCH_FLOATING_TYPES(state.scalar_type(), "living", [&] {
      living(g, state.data_ptr<scalar_t>(), alpha, threshold, alive);
    });
  }
  vector<uint8_t> near(alive, alive + g.cells());
  if (mortal) widen(g, near.data(), near.data());
  vector<int32_t> list;
  list.reserve(g.cells());
  for (int64_t c = 0; c < g.cells(); ++c)
    if (near[c] && fires[c % period]) list.push_back(c);
  const int64_t count = list.size(), size = chunk_size(count);

  Tensor after = state.clone();
  const auto dtype = kernels[0].scalar_type();
  const Tensor source = state.to(dtype);
  at::parallel_for(0, (count + size - 1) / size, 1, [&](int64_t begin, int64_t end) {
    at::AutoDispatchBelowAutograd guard;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = std::min(size, count - i * size);
      const int64_t rows = (n + kRound - 1) / kRound * kRound;
      const int32_t* chunk = list.data() + i * size;
      const Tensor change =
          forward_chunk(g, net, source, chunk, n, rows).outputs.back().to(state.scalar_type());
      AT_DISPATCH_FLOATING_TYPES(state.scalar_type(), "scatter", [&] {
        const scalar_t* from = change.data_ptr<scalar_t>();
        scalar_t* to = after.data_ptr<scalar_t>();
        const int64_t out = change.size(1);
        for (int64_t j = 0; j < n; ++j)
          for (int64_t c = 0; c < out; ++c)
            to[chunk[j] * g.channels + fixed + c] += from[j * out + c];
      });
    }
  });
  if (mortal) {
    vector<uint8_t> still(g.cells());
    AT_DISPATCH_FLOATING_TYPES(state.scalar_type(), "survive", [&] {
      scalar_t* data = after.data_ptr<scalar_t>();
      living(g, data, alpha, threshold, still.data());
      at::parallel_for(0, g.cells(), 4096, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
          alive[c] &= still[c];
          if (!alive[c])  // times zero, not zero: what is not finite must not look dead
            for (int64_t j = 0; j < g.channels; ++j) data[c * g.channels + j] *= 0;
        }
      });
    });
  }
  // Cells that did not survive have no gradient.
  list.erase(std::remove_if(list.begin(), list.end(), [&](int32_t c) { return !alive[c]; }),
             list.end());
  Tensor cells = at::empty({int64_t(list.size())}, bytes.dtype(at::kInt));
  std::copy(list.begin(), list.end(), cells.data_ptr<int32_t>());
  return {after, cells, mask};
}

// Gradients of every input of `step` that has one, given the gradient of `after`.
std::tuple<Tensor, vector<Tensor>, Tensor, vector<Tensor>, vector<Tensor>> step_backward(
    const Tensor& grad, const Tensor& state, const Tensor& cells, const Tensor& mask,
    at::TensorList kernels, at::TensorList taps, const Tensor& bias, at::TensorList weights,
    at::TensorList biases, int64_t fixed, bool state_needs_gradient) {
  at::AutoDispatchBelowAutograd guard;
  const Grid g(state);
  const Network net{kernels.vec(), taps.vec(), bias, weights.vec(), biases.vec()};
  const auto wide = state.options();
  const auto dtype = kernels[0].scalar_type();
  const int64_t count = cells.size(0), size = chunk_size(count);
  const int32_t* list = cells.data_ptr<int32_t>();
  const uint8_t* alive = mask.data_ptr<uint8_t>();
  const Tensor source = state.to(dtype);
  const size_t branches = net.kernels.size(), layers = net.weights.size();

  // One set of sums per thread, added up in the threads' order at the end.
  struct Sums {
    vector<Tensor> kernels, weights, biases;
    Tensor bias;
  };
  const bool mapped = bias.size(0) == g.cells() && g.cells() > g.batch;
  Tensor bias_map = mapped ? at::zeros_like(bias) : Tensor();
  vector<Sums> sums(at::get_num_threads());
  for (auto& s : sums) {
    for (const auto& k : net.kernels) s.kernels.push_back(at::zeros(k.sizes(), wide));
    for (const auto& w : net.weights) s.weights.push_back(at::zeros(w.sizes(), wide));
    for (const auto& b : net.biases) s.biases.push_back(at::zeros(b.sizes(), wide));
    if (!mapped) s.bias = at::zeros_like(bias);
  }
  vector<Tensor> patch_grads;
  if (state_needs_gradient)
    for (const auto& k : net.kernels)
      patch_grads.push_back(at::empty({count + kRound, k.size(1)}, k.options()));

  at::parallel_for(0, (count + size - 1) / size, 1, [&](int64_t begin, int64_t end) {
    at::AutoDispatchBelowAutograd guard;
    Sums& sum = sums[at::get_thread_num()];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = std::min(size, count - i * size);
      const int64_t rows = (n + kRound - 1) / kRound * kRound;
      const int32_t* chunk = list + i * size;
      const Activations a = forward_chunk(g, net, source, chunk, n, rows);
      Tensor d = at::zeros({rows, net.weights.back().size(0)}, wide);
      AT_DISPATCH_FLOATING_TYPES(state.scalar_type(), "incoming", [&] {
        const scalar_t* from = grad.data_ptr<scalar_t>();
        scalar_t* to = d.data_ptr<scalar_t>();
        const int64_t out = d.size(1);
        for (int64_t j = 0; j < n; ++j)
          std::copy_n(from + chunk[j] * g.channels + fixed, out, to + j * out);
      });
      sum.biases[layers - 1].add_(d.sum(0));
      d = d.to(dtype);
      for (size_t l = layers; l-- > 0;) {
        sum.weights[l].add_(at::mm(d.t(), a.outputs[l]));
        d = at::leaky_relu_backward(at::mm(d, net.weights[l]), a.outputs[l], kSlope, true);
        if (l > 0) sum.biases[l - 1].add_(d.sum(0, false, state.scalar_type()));
      }
      if (mapped) {
        const Tensor index = at::from_blob(const_cast<int32_t*>(chunk), {n}, at::kInt);
        bias_map.index_copy_(0, index.to(at::kLong), d.narrow(0, 0, n).to(bias.scalar_type()));
      } else {
        bias_runs(g, bias.size(0), chunk, n, [&](int64_t row, int64_t first, int64_t length) {
          sum.bias[row].add_(d.narrow(0, first, length).sum(0, false, state.scalar_type()));
        });
      }
      int64_t feature = 0;
      for (size_t b = 0; b < branches; ++b) {
        const int64_t width = net.kernels[b].size(0);
        const Tensor part = branches == 1 ? d : d.narrow(1, feature, width).contiguous();
        feature += width;
        sum.kernels[b].add_(at::mm(part.t(), a.patches[b]));
        if (state_needs_gradient) {
          Tensor target = patch_grads[b].narrow(0, i * size, n);
          if (n == rows) {
            at::mm_out(target, part, net.kernels[b]);
          } else {
            target.copy_(at::mm(part, net.kernels[b]).narrow(0, 0, n));
          }
        }
      }
    }
  });
  for (size_t t = 1; t < sums.size(); ++t) {
    for (size_t b = 0; b < branches; ++b) sums[0].kernels[b].add_(sums[t].kernels[b]);
    for (size_t l = 0; l < layers; ++l) {
      sums[0].weights[l].add_(sums[t].weights[l]);
      sums[0].biases[l].add_(sums[t].biases[l]);
    }
    if (!mapped) sums[0].bias.add_(sums[t].bias);
  }

  // A cell's gradient: its own, and what each computed cell that saw it sends back. Reading
  // through the list's inverse, every cell is written by one thread only.
  Tensor state_grad;
  if (state_needs_gradient) {
    state_grad = at::empty_like(state);
    vector<int32_t> place(g.cells(), -1);
    for (int64_t i = 0; i < count; ++i) place[list[i]] = i;
    AT_DISPATCH_FLOATING_TYPES(state.scalar_type(), "outgoing", [&] {
      const scalar_t* from = grad.data_ptr<scalar_t>();
      scalar_t* to = state_grad.data_ptr<scalar_t>();
      at::parallel_for(0, g.cells(), 512, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
          scalar_t* row = to + c * g.channels;
          for (int64_t j = 0; j < g.channels; ++j)
            row[j] = alive[c] ? from[c * g.channels + j] : scalar_t(0);
        }
        for (size_t b = 0; b < branches; ++b) {
          const int64_t k = net.taps[b].size(0);
          const int64_t* tap = net.taps[b].data_ptr<int64_t>();
          AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, dtype, "sender", [&] {
            const auto* sent = patch_grads[b].data_ptr<scalar_t>();
            int64_t x = begin % g.width, y = begin / g.width % g.height;
            for (int64_t c = begin; c < end; ++c) {
              auto* row = to + c * g.channels;
              const int64_t plane = c - y * g.width - x;
              for (int64_t t = 0; t < k; ++t) {
                const int64_t sender = plane + g.wrap(y - tap[2 * t], g.height) * g.width +
                                       g.wrap(x - tap[2 * t + 1], g.width);
                const int32_t p = place[sender];
                if (p < 0) continue;
                const auto* message = sent + (int64_t(p) * k + t) * g.channels;
                for (int64_t j = 0; j < g.channels; ++j) row[j] += message[j];
              }
              if (++x == g.width) x = 0, y = y + 1 == g.height ? 0 : y + 1;
            }
          });
        }
      });
    });
  }
  return {state_grad, sums[0].kernels, mapped ? bias_map : sums[0].bias, sums[0].weights,
          sums[0].biases};
}

}  // namespace

TORCH_LIBRARY(ncabook, m) {
  m.def(
      "step(Tensor state, Tensor fire, Tensor[] kernels, Tensor[] taps, Tensor bias, "
      "Tensor[] weights, Tensor[] biases, int fixed, int alpha, float threshold, bool mortal) "
      "-> (Tensor, Tensor, Tensor)");
  m.def(
      "step_backward(Tensor grad, Tensor state, Tensor cells, Tensor mask, Tensor[] kernels, "
      "Tensor[] taps, Tensor bias, Tensor[] weights, Tensor[] biases, int fixed, "
      "bool state_needs_gradient) -> (Tensor, Tensor[], Tensor, Tensor[], Tensor[])");
}

TORCH_LIBRARY_IMPL(ncabook, CPU, m) {
  m.impl("step", TORCH_FN(step));
  m.impl("step_backward", TORCH_FN(step_backward));
}
