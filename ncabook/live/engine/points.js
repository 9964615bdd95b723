// A decoder that reads the state at any point, and the window of the torus that it draws; points_gpu.js
// does the same on a graphics processor.
//
// Its first layer is linear in the state, and so is the interpolation between cells: the layer is
// computed for each cell, and its sums are interpolated. What it adds for where a pixel lies is a sum
// of what its row and its column add.

import { HARMONICS, MOST_PIXELS, PLACE, decodeFloat, decodeHalf, padded } from "./description.js";
import { wrap } from "./plain.js";

const TURN = 1 / (2 * Math.PI);  // the kernel's sines count in turns
const QUARTER = 0.25;  // and begin a quarter of a turn later
const FEW_PIXELS = 128;  // where nothing compiles
const CHUNK = 32;  // as in points.c

export class LocalDecoder {
  constructor(engine, { image, hidden, first, second, last }, bytes) {
    const { height, width, description: { channels } } = engine;
    const stride = padded(hidden);
    const weights = ({ weight }, inputs, outputs) => decodeHalf(bytes, weight, inputs * outputs);
    const biases = ({ bias }, outputs) => decodeFloat(bytes, bias, outputs);
    const turns = (numbers, less = 0) => numbers.map((value) => value * TURN - less);
    const both = turns(weights(first, channels + PLACE, hidden));
    this.first = engine.place(both.subarray(0, channels * hidden), channels);
    this.place = both.slice(channels * hidden);
    this.firstBias = engine.place(turns(biases(first, hidden), QUARTER), 1);
    this.second = engine.place(turns(weights(second, hidden, hidden)), hidden);
    this.secondBias = engine.place(turns(biases(second, hidden), QUARTER), 1);
    this.last = engine.place(weights(last, hidden, image), hidden);
    this.lastBias = engine.place(biases(last, image), 1);
    this.read = engine.allocate(4 * height * width * stride);
    this.scratch = engine.allocate(4 * stride * (width + 2 * CHUNK));
    const [rows, columns] = [0, 1].map(() => ({
      cells: engine.allocate(8 * MOST_PIXELS),
      shares: engine.allocate(4 * MOST_PIXELS),
      places: engine.allocate(4 * MOST_PIXELS * stride),
    }));
    Object.assign(this, { hidden, stride, rows, columns });
    /** Pixels along a cell where the whole grid is drawn. */
    const most = engine.kernels.kind === "JavaScript" ? FEW_PIXELS : MOST_PIXELS;
    this.factor = Math.max(1, Math.floor(most / Math.max(height, width)));
    this.output = engine.allocate(16 * MOST_PIXELS ** 2);
    this.zoom(engine, 1, 0, 0);
  }

  /** The window of a picture that is `times` as large, with the cell at column x, row y in its middle. */
  zoom(engine, times, x, y) {
    const [height, width] = [engine.height / times, engine.width / times];
    const [top, left] = times === 1 ? [0, 0] : [
      wrap(y + 0.5 - height / 2, engine.height), wrap(x + 0.5 - width / 2, engine.width)];
    const [rows, columns] = [engine.height, engine.width].map((cells) => cells * this.factor);
    this.aim(engine, { top, left, height, width, rows, columns });
  }

  /** What to draw: a window {top, left, height, width} in cells, as so many rows and columns of pixels. */
  aim(engine, { top, left, height, width, rows, columns }) {
    this.window = { top, left, height, width, rows, columns };
    this.lay(engine, this.rows, { first: top, cells: height, pixels: rows, all: engine.height, column: 0 });
    this.lay(engine, this.columns, { first: left, cells: width, pixels: columns, all: engine.width, column: 1 });
  }

  /** Where the middles of pixels lie, along one side. */
  lay(engine, to, { first, cells, pixels, all, column }) {
    const { hidden, stride, place } = this;
    const around = new Int32Array(engine.memory.buffer, to.cells, 2 * pixels);
    const shares = engine.floats(to.shares, pixels);
    const places = engine.floats(to.places, pixels * stride).fill(0);
    for (let i = 0; i < pixels; i++) {
      const at = first + (i + 0.5) * cells / pixels;
      const before = Math.floor(at - 0.5);
      around[2 * i] = wrap(before, all);
      around[2 * i + 1] = wrap(before + 1, all);
      shares[i] = at - 0.5 - before;
      for (let k = 0; k < 2 * HARMONICS; k++) {
        const turn = 2 * Math.PI * (1 + (k >> 1)) * at;
        const feature = k & 1 ? Math.cos(turn) : Math.sin(turn);
        for (let q = 0; q < hidden; q++) places[i * stride + q] += feature * place[(2 * k + column) * hidden + q];
      }
    }
  }

  /** The window's picture, as Engine.decode() gives it. */
  decode(engine) {
    const { height, width, cellCount, cellsAt, kernels, all, channels } = engine;
    const { read, stride, rows, columns, window } = this;
    void engine.cellsToRead;  // so that the memory has the present
    kernels.conv(cellsAt, engine.stride, channels, read, stride, stride, this.first, this.firstBias,
      1, 1, 1, false, height, width, all.at, cellCount);
    kernels.points(read, stride, this.hidden, width, rows.cells, rows.shares, rows.places,
      columns.cells, columns.shares, columns.places, this.second, this.secondBias, this.last, this.lastBias,
      this.scratch, this.output, window.rows, window.columns);
    const numbers = engine.floats(this.output, 4 * window.rows * window.columns);
    return { numbers, stride: 4, height: window.rows, width: window.columns, window };
  }
}
