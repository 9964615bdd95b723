// The cells of a latent automaton in colours: their first channels, or the code that is nearest.

import { decodeHalf, padded } from "./description.js";

const RANGE = 2.5;  // latents have mean 0 and standard deviation 1: what lies beyond is rare
const GOLDEN_ANGLE = 137.508;  // degrees between the hues of two codes
const [SATURATION, LIGHTNESS] = [0.6, 0.55];

/** The first three latents as red, green and blue, −2.5 to 2.5 each; where there are fewer, the last again. */
export function latentsPicture({ height, width, cellCount, stride, cellsToRead: cells, description }) {
  const { channels } = description;
  const [fixed, visible] = description.visible ? [description.fixed, description.visible] : [0, channels];  // a local decoder reads what is hidden
  const data = new Uint8ClampedArray(4 * cellCount).fill(255);
  for (let i = 0; i < cellCount; i++) {
    for (let k = 0; k < 3; k++) {
      const value = cells[i * stride + fixed + Math.min(k, visible - 1)];
      data[4 * i + k] = 255 * (value + RANGE) / (2 * RANGE);
    }
  }
  return { data, height, width };
}

/** The colour of a code: no neighbours in number are neighbours in hue. */
export function codeColor(code) {
  const hue = code * GOLDEN_ANGLE / 30;
  const chroma = SATURATION * Math.min(LIGHTNESS, 1 - LIGHTNESS);
  return [0, 8, 4].map((n) => {
    const k = (n + hue) % 12;
    return Math.round(255 * (LIGHTNESS - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/** Each cell in the colour of the code that is nearest to it. */
export function codesPicture(engine) {
  const { height, width, cellCount } = engine;
  const data = new Uint8ClampedArray(4 * cellCount).fill(255);
  engine.codes.nearest(engine).forEach((code, i) => data.set(engine.codes.colors[code], 4 * i));
  return { data, height, width };
}

export class Codes {
  constructor(engine, { offset, count }, bytes) {
    const { fixed, visible } = engine.description;
    const codes = decodeHalf(bytes, offset, count * visible);
    this.colors = Array.from({ length: count }, (_, code) => codeColor(code));
    this.stride = padded(count);
    // The nearest code c of a cell x has the largest x·c − |c|² / 2: that is a linear map.
    this.inputs = fixed + visible;
    const weights = new Float32Array(this.inputs * this.stride);
    const bias = new Float32Array(this.stride).fill(-Infinity);
    for (let code = 0; code < count; code++) {
      bias[code] = 0;
      codes.subarray(code * visible, (code + 1) * visible).forEach((value, k) => {
        weights[(fixed + k) * this.stride + code] = value;
        bias[code] -= value ** 2 / 2;
      });
    }
    this.weights = engine.place(weights, this.inputs);
    this.bias = engine.place(bias, 1);
    this.scores = engine.allocate(4 * engine.cellCount * this.stride);
  }

  /** The number of the code that is nearest to each cell. */
  nearest(engine) {
    const { height, width, cellCount, cellsAt, kernels, all } = engine;
    const { inputs, stride, scores } = this;
    void engine.cellsToRead;  // so that the memory has the present
    kernels.conv(cellsAt, engine.stride, inputs, scores, stride, stride, this.weights, this.bias,
      1, 1, 1, false, height, width, all.at, cellCount);
    const found = engine.floats(scores, cellCount * stride);
    return Uint32Array.from({ length: cellCount }, (_, i) => {
      let best = i * stride;
      for (let at = best; at < (i + 1) * stride; at++) if (found[at] > found[best]) best = at;
      return best - i * stride;
    });
  }
}
