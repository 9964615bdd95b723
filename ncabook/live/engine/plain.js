// The kernels of the .c files once more, for browsers that have no WebAssembly with SIMD, or
// none at all (an iPhone in Lockdown Mode). Same names, arguments and memory; some ten times slower.

import { placeOf } from "./doubling.js";

const PAGE = 65536;

/** A place along one side of a torus, from 0 to n. */
export const wrap = (i, n) => ((i % n) + n) % n;

/** What a module of kernels exports. Sums are float64 here, and only what is stored is rounded. */
export function plainKernels() {
  let bytes;
  let floats;
  let ints;
  const memory = {
    buffer: new ArrayBuffer(0),
    grow(pages) {
      const larger = new Uint8Array(this.buffer.byteLength + pages * PAGE);
      if (bytes) larger.set(bytes);
      this.buffer = larger.buffer;
      [bytes, floats, ints] = [larger, new Float32Array(this.buffer), new Int32Array(this.buffer)];
    },
  };
  const each = (at, count, visit) => { for (let i = 0; i < count; i++) visit(ints[at / 4 + i]); };
  const leaky = (value, slope) => Math.max(value, value * slope);
  // Addresses are in bytes, as in C; positions in `floats` are a quarter of them.
  const neighbour = (input, stride, cell, dy, dx, height, width) =>
    input / 4 + stride * (wrap(Math.floor(cell / width) + dy, height) * width + wrap(cell % width + dx, width));

  const coin = (column, row, step, seed) => {
    let h = Math.imul(column, 0x8da6b343) ^ Math.imul(row, 0xd8163841) ^ Math.imul(step, 0xcb1ab31f) ^ seed;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return (h ^ (h >>> 16)) >>> 8;
  };

  /** Writes into `mask` whether `lives` holds anywhere in each cell's 3×3 window. */
  const window = (mask, height, width, lives) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let found = false;
        for (let k = 0; k < 9 && !found; k++) {
          found = lives(wrap(y + Math.floor(k / 3) - 1, height) * width + wrap(x + k % 3 - 1, width));
        }
        bytes[mask + y * width + x] = found;
      }
    }
  };

  // Abramowitz and Stegun 7.1.26, as in layers.c.
  const errorFunction = (x) => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
    const y = 1 - t * terms.reduce((sum, term) => sum * t + term) * Math.exp(-x * x);
    return x < 0 ? -y : y;
  };

  return {
    memory,
    __heap_base: { value: 16 },
    coin,

    fire_mask(mask, height, width, step, seed, limit) {
      for (let i = 0; i < height * width; i++) {
        bytes[mask + i] = coin(i % width, Math.floor(i / width), step, seed) < limit;
      }
    },

    rule_mask(own, mask, rules, rule, count) {
      for (let i = 0; i < count; i++) bytes[own + i] = Number(bytes[mask + i] && bytes[rules + i] === rule);
    },

    living_mask(mask, state, stride, alpha, threshold, height, width) {
      const limit = Math.fround(threshold);
      window(mask, height, width, (cell) => floats[state / 4 + cell * stride + alpha] > limit);
    },

    dilate_mask(wide, mask, height, width) {
      window(wide, height, width, (cell) => bytes[mask + cell]);
    },

    list_cells(cells, fire, relevant, count) {
      let listed = 0;
      for (let i = 0; i < count; i++) {
        if (relevant) bytes[fire + i] &= bytes[relevant + i];
        if (bytes[fire + i]) ints[cells / 4 + listed++] = i;
      }
      return listed;
    },

    conv(input, inStride, inChannels, output, outStride, outChannels, weights, bias, kernel, dilation,
      slope, add, height, width, cells, count) {
      const sum = new Float64Array(outChannels);
      const reach = (kernel - 1) / 2;
      each(cells, count, (cell) => {
        const to = output / 4 + cell * outStride;
        for (let o = 0; o < outChannels; o++) sum[o] = floats[bias / 4 + o] + (add ? floats[to + o] : 0);
        let weight = weights / 4;
        for (let k = 0; k < kernel * kernel; k++) {
          const [dy, dx] = [Math.floor(k / kernel) - reach, (k % kernel) - reach];
          const from = neighbour(input, inStride, cell, dy * dilation, dx * dilation, height, width);
          for (let channel = 0; channel < inChannels; channel++, weight += outChannels) {
            const value = floats[from + channel];
            if (value === 0) continue;
            for (let o = 0; o < outChannels; o++) sum[o] += value * floats[weight + o];
          }
        }
        for (let o = 0; o < outChannels; o++) floats[to + o] = leaky(sum[o], slope);
      });
    },

    bank(input, stride, output, outStride, filters, filterCount, height, width, cells, count) {
      each(cells, count, (cell) => {
        const to = output / 4 + cell * outStride;
        floats.fill(0, to, to + filterCount * stride);
        for (let k = 0; k < 9; k++) {
          const from = neighbour(input, stride, cell, Math.floor(k / 3) - 1, (k % 3) - 1, height, width);
          for (let f = 0; f < filterCount; f++) {
            const share = floats[filters / 4 + 9 * f + k];
            for (let q = 0; q < stride; q++) floats[to + f * stride + q] += share * floats[from + q];
          }
        }
      });
    },

    attend(input, inStride, output, outStride, heads, size, scale, positions, kernel, height, width, cells, count) {
      const [embedding, reach] = [heads * size, (kernel - 1) / 2];
      const taps = [...Array(kernel * kernel).keys()];
      each(cells, count, (cell) => {
        const near = taps.map((n) =>
          neighbour(input, inStride, cell, Math.floor(n / kernel) - reach, (n % kernel) - reach, height, width));
        for (let h = 0; h < heads; h++) {
          const query = input / 4 + cell * inStride + h * size;
          const logits = taps.map((n) => {
            let dot = 0;
            for (let q = 0; q < size; q++) dot += floats[query + q] * floats[near[n] + embedding + h * size + q];
            return dot * scale + floats[positions / 4 + h * taps.length + n];
          });
          const most = Math.max(...logits);
          const weights = logits.map((logit) => Math.exp(logit - most));
          const total = weights.reduce((a, b) => a + b);
          for (let q = 0; q < size; q++) {
            let sum = 0;
            for (const n of taps) sum += weights[n] * floats[near[n] + 2 * embedding + h * size + q];
            floats[output / 4 + cell * outStride + h * size + q] = sum / total;
          }
        }
      });
    },

    norm(data, stride, channels, weight, bias, eps, slope, cells, count) {
      each(cells, count, (cell) => {
        const values = floats.subarray(data / 4 + cell * stride, data / 4 + cell * stride + channels);
        const mean = values.reduce((a, b) => a + b) / channels;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channels;
        const scale = 1 / Math.sqrt(variance + eps);
        values.forEach((value, q) => {
          values[q] = leaky((value - mean) * scale * floats[weight / 4 + q] + floats[bias / 4 + q], slope);
        });
      });
    },

    gelu(data, stride, channels, cells, count) {
      each(cells, count, (cell) => {
        for (let i = data / 4 + cell * stride, end = i + channels; i < end; i++) {
          floats[i] *= 0.5 * (1 + errorFunction(floats[i] * Math.SQRT1_2));
        }
      });
    },

    gather(input, stride, where, whereStride, output, outStride, kernel, height, width, cells, count) {
      const [taps, reach] = [kernel * kernel, (kernel - 1) / 2];
      each(cells, count, (cell) => {
        const given = where / 4 + cell * whereStride;
        for (let t = 0; t < taps; t++) {
          const y = Math.fround(Math.floor(cell / width) + Math.floor(t / kernel) - reach + floats[given + 2 * t]);
          const x = Math.fround((cell % width) + (t % kernel) - reach + floats[given + 2 * t + 1]);
          const modulation = 2 / (1 + Math.exp(-floats[given + 2 * taps + t]));
          const [top, left] = [Math.floor(y), Math.floor(x)];
          const to = output / 4 + cell * outStride + t * stride;
          floats.fill(0, to, to + stride);
          for (let k = 0; k < 4; k++) {
            const [below, beside] = [k >> 1, k & 1];
            const share = modulation * (below ? y - top : 1 - y + top) * (beside ? x - left : 1 - x + left);
            const from = neighbour(input, stride, 0, top + below, left + beside, height, width);
            for (let q = 0; q < stride; q++) floats[to + q] += share * floats[from + q];
          }
        }
      });
    },

    doubling(input, stride, channels, output, outputs, weights, bias, _, height, width) {
      const values = new Float64Array(channels);
      const product = new Float64Array(outputs);
      // What `ways` (S, −a or c of conv.c, by rows and by columns) adds to the pixels (rows, columns).
      const add = (ways, rows, columns) => {
        const first = weights / 4 + ways * channels * outputs;
        for (let o = 0; o < outputs; o++) {
          const { at, size } = placeOf(o, channels, outputs);
          product[o] = 0;
          for (let i = 0; i < channels; i++) product[o] += values[i] * floats[first + at + i * size];
        }
        for (const row of rows) {
          for (const column of columns) {
            const to = output / 4 + (wrap(row, 2 * height) * 2 * width + wrap(column, 2 * width)) * outputs;
            for (let o = 0; o < outputs; o++) floats[to + o] += product[o];
          }
        }
      };
      for (let i = 0; i < 4 * height * width; i++) {
        floats.copyWithin(output / 4 + i * outputs, bias / 4, bias / 4 + outputs);
      }
      const reached = (i) => [[2 * i, 2 * i + 1], [2 * i], [2 * i - 1]];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [here, left, above, corner] = [[0, 0], [0, -1], [-1, 0], [-1, -1]].map(([dy, dx]) =>
            neighbour(input, stride, y * width + x, dy, dx, height, width));
          for (let ways = 0; ways < 9; ways++) {
            const [down, right] = [Math.floor(ways / 3), ways % 3];
            for (let i = 0; i < channels; i++) {
              const beside = right ? floats[left + i] : 0;
              const over = down ? floats[above + i] - (right ? floats[corner + i] : 0) : 0;
              values[i] = floats[here + i] - beside - over;
            }
            add(ways, reached(y)[down], reached(x)[right]);
          }
        }
      }
    },

    points(cells, stride, channels, width, rowCells, rowShares, rowPlaces, columnCells, columnShares,
      columnPlaces, second, secondBias, last, lastBias, _, output, rows, columns) {
      const [line, a, b] = [width, 1, 1].map((n) => new Float64Array(n * stride));
      const between = (to, at, from, one, other, share, more) => {
        for (let q = 0; q < stride; q++) {
          to[at + q] = from[one + q] + share * (from[other + q] - from[one + q]) + floats[more + q];
        }
      };
      const layer = (from, weights, bias, outputs, store) => {
        for (let o = 0; o < outputs; o++) {
          let sum = floats[bias / 4 + o];
          for (let i = 0; i < channels; i++) sum += from[i] * floats[weights / 4 + i * outputs + o];
          store(o, sum);
        }
      };
      const wave = (x) => Math.cos(2 * Math.PI * x);
      for (let i = 0; i < rows; i++) {
        const [above, below] = [0, 1].map((k) => cells / 4 + ints[rowCells / 4 + 2 * i + k] * width * stride);
        for (let x = 0; x < width * stride; x += stride) {
          between(line, x, floats, above + x, below + x, floats[rowShares / 4 + i], rowPlaces / 4 + i * stride);
        }
        for (let j = 0; j < columns; j++) {
          const [left, right] = [0, 1].map((k) => ints[columnCells / 4 + 2 * j + k] * stride);
          between(a, 0, line, left, right, floats[columnShares / 4 + j], columnPlaces / 4 + j * stride);
          for (let q = 0; q < stride; q++) a[q] = wave(a[q]);
          layer(a, second, secondBias, stride, (o, sum) => { b[o] = wave(sum); });
          const to = output / 4 + 4 * (i * columns + j);
          layer(b, last, lastBias, 4, (o, sum) => { floats[to + o] = sum; });
        }
      }
    },

    groups(data, stride, channels, groups, weight, bias, eps, slope, _, count) {
      const size = channels / groups;
      for (let first = 0; first < channels; first += size) {
        const total = (term) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            for (let q = first; q < first + size; q++) sum += term(floats[data / 4 + i * stride + q]);
          }
          return sum / (count * size);
        };
        const mean = total((value) => value);
        const scale = 1 / Math.sqrt(total((value) => (value - mean) ** 2) + eps);
        for (let i = 0; i < count; i++) {
          for (let q = first; q < first + size; q++) {
            const at = data / 4 + i * stride + q;
            floats[at] = leaky((floats[at] - mean) * scale * floats[weight / 4 + q] + floats[bias / 4 + q], slope);
          }
        }
      }
    },

    add_change(state, stride, change, channels, cells, count) {
      each(cells, count, (cell) => {
        for (let q = 0; q < channels; q++) floats[state / 4 + cell * stride + q] += floats[change / 4 + cell * channels + q];
      });
    },

    zero_dead(state, stride, channels, before, after, count) {
      for (let i = 0; i < count; i++) {
        if (!(bytes[before + i] & bytes[after + i])) floats.fill(0, state / 4 + i * stride, state / 4 + i * stride + channels);
      }
    },
  };
}
