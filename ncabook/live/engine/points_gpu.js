// The local decoder of points.js on a graphics processor: its first layer for each cell, all else for each
// pixel of the window.

import { MOST_PIXELS } from "./description.js";
import { Gpu } from "./gpu.js";
import { convolution, matrices, parts, room, table } from "./operations.js";
import { pointsShader } from "./shaders.js";

const MOST_OUTPUTS = 32;  // layers in one drawing: five vectors each, of the 224 that every device has

export class GpuPoints {
  /** The decoder's numbers, and those of its window, are what the engine's kernels have. */
  constructor(gpu, engine) {
    const { local, description: { channels } } = engine;
    const { hidden, stride } = local;
    const layers = stride / 4;
    const place = (at, rows, columns) => engine.floats(at, rows * columns).slice();
    const layer = (inputs, out) => ({ kernel: 1, dilation: 1, in: inputs, out, slope: 1, bias_rows: 1 });
    this.cells = gpu.buffer(layers);
    this.first = convolution(layer(channels, stride), place(local.first, channels, stride),
      place(local.firstBias, 1, stride), gpu);
    const side = { height: MOST_PIXELS, width: MOST_PIXELS };
    this.pixels = new Gpu(gpu.gl, side);  // the picture lies in a corner of it
    this.sides = new Gpu(gpu.gl, { ...side, height: 1 + layers });
    [this.rows, this.columns] = [0, 1].map(() => this.sides.buffer(1));
    this.pictures = [0, 1].map(() => this.pixels.buffer(1));
    const outs = room(gpu, layers, Math.min(MOST_OUTPUTS, layers));
    const second = place(local.second, hidden, stride);
    const bias = place(local.secondBias, 1, stride);
    const last = place(local.last, hidden, 4);
    this.program = this.pixels.program(pointsShader(layers, outs));
    this.parts = parts(layers, outs, (first) => ({
      weights: gpu.matrices(matrices(layer(hidden, stride), second, first, outs)),
      table: Float32Array.of(
        ...table(bias.subarray(4 * first, 4 * (first + outs)), 4 * outs),
        ...table(last.subarray(16 * first, 16 * (first + outs)), 16 * outs),
        ...place(local.lastBias, 1, 4),
      ),
    }));
    Object.assign(this, { gpu, engine, local, layers });
  }

  /** Takes over the window that the engine was last told to draw. */
  aim() {
    const { local, pixels, pictures } = this;
    const { rows, columns } = this.window = local.window;
    pixels.grid = { height: rows, width: columns };
    for (const picture of pictures) picture.width = columns;
    this.lay(this.rows, local.rows, rows);
    this.lay(this.columns, local.columns, columns);
  }

  /** One side of it, a texel of a row for each pixel: what is around, and below, what its place adds. */
  lay(to, { cells, shares, places }, pixels) {
    const { engine, layers, local: { stride } } = this;
    const around = new Int32Array(engine.memory.buffer, cells, 2 * pixels);
    const share = engine.floats(shares, pixels);
    const added = engine.floats(places, pixels * stride);
    const numbers = new Float32Array(4 * (1 + layers) * MOST_PIXELS);
    for (let i = 0; i < pixels; i++) {
      numbers.set([around[2 * i], around[2 * i + 1], share[i]], 4 * i);
      for (let l = 0; l < layers; l++) {
        const at = i * stride + 4 * l;
        numbers.set(added.subarray(at, at + 4), 4 * ((1 + l) * MOST_PIXELS + i));
      }
    }
    this.sides.write(to, numbers);
  }

  /** The window's picture, of a state's texture, as Engine.decode() gives it; null if the device is gone. */
  decode(state) {
    const { gpu, pixels, cells, first: { program, parts: all }, rows, columns } = this;
    if (this.window !== this.local.window) this.aim();
    for (const { first, count, values } of all) {
      gpu.draw(program, cells, first, count, { from: state, first, ...values(0) });
    }
    let [picture, before] = this.pictures;
    for (const { first, values } of this.parts) {
      [picture, before] = [before, picture];
      pixels.draw(this.program, picture, 0, 1, { from: cells, to: before, rows, columns, first, ...values });
    }
    const numbers = pixels.read(picture);
    return numbers && { numbers, stride: 4, ...pixels.grid, window: this.window };
  }
}
