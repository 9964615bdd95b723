// What a critic says of a picture, place by place: convolutions of the visible channels, with what
// lies in the fixed ones beside them. It changes nothing.

import { decodeFloat, decodeHalf } from "./description.js";

export class Critic {
  /** Of a description and its weights. */
  constructor({ critic: { layers, centre, spread }, height, width }, weights) {
    Object.assign(this, { centre, spread });
    this.size = { height, width };
    this.layers = layers.map((layer) => {
      const { in: inputs, out, kernel, stride, padding } = layer;
      const from = this.size;
      const side = (length) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
      const size = this.size = { height: side(from.height), width: side(from.width) };
      return {
        ...layer, from, size,
        weight: decodeHalf(weights, layer.weight, out * inputs * kernel ** 2),
        bias: decodeFloat(weights, layer.bias, out),
        planes: new Float32Array(out * size.height * size.width),
      };
    });
  }

  /** Scores of an engine's picture: 0 between made and real ones, 1 and more for what looks real. */
  judge(engine) {
    let planes = planesOf(engine);
    for (const layer of this.layers) {
      convolve(layer, planes);
      planes = layer.planes;
    }
    return planes.map((score) => (score - this.centre) / this.spread);
  }
}

/** The visible channels and the fixed ones, [channel][row][column]. */
function planesOf({ cellsToRead: cells, cellCount, stride, description: { fixed, visible } }) {
  const channels = Array.from({ length: visible + fixed }, (_, k) => (k < visible ? fixed + k : k - visible));
  const planes = new Float32Array(channels.length * cellCount);
  channels.forEach((channel, k) => {
    for (let i = 0; i < cellCount; i++) planes[k * cellCount + i] = cells[i * stride + channel];
  });
  return planes;
}

function convolve({ in: inputs, out, kernel, stride, padding, slope, weight, bias, from, size, planes }, source) {
  const [area, least] = [size.height * size.width, -padding];
  for (let o = 0; o < out; o++) {
    const target = planes.subarray(o * area, (o + 1) * area);
    target.fill(bias[o]);
    for (let i = 0; i < inputs; i++) {
      const first = i * from.height * from.width;
      for (let tap = 0; tap < kernel ** 2; tap++) {
        const [down, right] = [Math.floor(tap / kernel) + least, tap % kernel + least];
        const factor = weight[(o * inputs + i) * kernel ** 2 + tap];
        // The columns whose source lies inside: outside of the picture there are zeros.
        const start = Math.max(0, Math.ceil(-right / stride));
        const end = Math.min(size.width, Math.floor((from.width - 1 - right) / stride) + 1);
        for (let row = 0; row < size.height; row++) {
          const line = row * stride + down;
          if (line < 0 || line >= from.height) continue;
          const [at, to] = [first + line * from.width + right, row * size.width];
          for (let column = start; column < end; column++) {
            target[to + column] += factor * source[at + column * stride];
          }
        }
      }
    }
    if (slope < 1) target.forEach((value, k) => { if (value < 0) target[k] = slope * value; });
  }
}
