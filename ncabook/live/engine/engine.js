// The automaton itself: s' = (s + m ⊙ U(P(s, c))) ⊙ M, one step at a time, without a page.

import { KERNELS } from "./assets.js";
import { checkDescription, decodeBase64, decodeFloat, decodeHalf } from "./description.js";

const PAGE_BYTES = 65536;
const ALIGNMENT = 16;

let compiled = null;  // one module for all figures of a page; each has a memory of its own

/** Compiles the kernels, the first time it is called. */
function kernels() {
  compiled ??= WebAssembly.compile(decodeBase64(KERNELS)).catch((error) => {
    throw new Error(`live figure: this browser has no WebAssembly with SIMD (${error.message})`);
  });
  return compiled;
}

const padded = (channels) => (channels + 3) & ~3;

export class Engine {
  /**
   * @param {object} description what ncabook.live.describe returns
   * @param {Uint8Array} weights and its bytes
   * @throws {Error} if the two do not fit each other or this engine
   */
  static async create(description, weights) {
    checkDescription(description, weights);
    const { exports } = await WebAssembly.instantiate(await kernels(), {});
    return new Engine(description, weights, exports);
  }

  constructor(description, weights, exports) {
    const { height, width, channels } = description;
    Object.assign(this, { height, width, channels, description });
    /** Cells that cannot change the outcome are left out; false computes all of them, the same. */
    this.skip = true;
    this.classIndex = description.class_index;
    this.kernels = exports;
    this.memory = exports.memory;
    this.free = exports.__heap_base.value;

    const cells = height * width;
    this.cellCount = cells;
    this.stride = padded(channels);
    this.cellsAt = this.allocate(4 * cells * this.stride);
    this.fireAt = this.allocate(cells);
    this.beforeAt = this.allocate(cells);
    this.afterAt = this.allocate(cells);
    this.relevantAt = this.allocate(cells);
    this.listAt = this.allocate(4 * cells);
    this.allAt = this.allocate(4 * cells);
    new Int32Array(this.memory.buffer, this.allAt, cells).forEach((_, i, all) => { all[i] = i; });
    this.layers = description.layers.map((layer) => this.loadLayer(layer, weights));
    this.fireLimit = Math.floor(description.fire_rate * 2 ** 24);
    this.reset();
  }

  /** Reserves zeroed bytes for as long as the engine lives. */
  allocate(bytes) {
    const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.free = start + bytes;
    const missing = this.free - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return start;
  }

  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }

  /** Copies a layer's weights into the memory, its outputs padded with zeros to whole vectors. */
  loadLayer(layer, bytes) {
    const rows = layer.kernel ** 2 * layer.in;
    const stride = padded(layer.out);
    const place = (values, count) => {
      const start = this.allocate(4 * count * stride);
      const target = this.floats(start, count * stride);
      for (let row = 0; row < count; row++) {
        target.set(values.subarray(row * layer.out, (row + 1) * layer.out), row * stride);
      }
      return start;
    };
    return {
      ...layer,
      stride,
      slope: layer.leaky ?? 1,
      weightAt: place(decodeHalf(bytes, layer.weight, rows * layer.out), rows),
      biasAt: place(decodeFloat(bytes, layer.bias, layer.bias_rows * layer.out), layer.bias_rows),
      outputAt: this.allocate(4 * this.cellCount * stride),
    };
  }

  /** Cells as the kernels see them, [row][column][stride]: a view, valid until the next step. */
  get cells() {
    return this.floats(this.cellsAt, this.cellCount * this.stride);
  }

  /** A copy of the state, [row][column][channel]. */
  get state() {
    const { cells, cellCount, channels, stride } = this;
    const copy = new Float32Array(cellCount * channels);
    for (let i = 0; i < cellCount; i++) {
      copy.set(cells.subarray(i * stride, i * stride + channels), i * channels);
    }
    return copy;
  }

  /** Back to a single seed cell in the centre and to step 0: the same coins will fall again. */
  reset() {
    this.cells.fill(0);
    this.stepCount = 0;
    this.plant(this.width >> 1, this.height >> 1);
  }

  /** One step of every cell. */
  step() {
    const k = this.kernels;
    const { height, width, stride, cellCount, description } = this;
    const { alpha, living_threshold: threshold, seed } = description;
    const masked = threshold !== null;
    k.fire_mask(this.fireAt, height, width, this.stepCount, seed, this.fireLimit);
    if (masked) {
      k.living_mask(this.beforeAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.dilate_mask(this.relevantAt, this.beforeAt, height, width);
    }
    const count = k.list_cells(
      this.listAt, this.fireAt, masked && this.skip ? this.relevantAt : 0, cellCount,
    );
    const change = this.skip
      ? this.runLayers(this.listAt, count)
      : this.runLayers(this.allAt, cellCount);
    k.add_change(this.cellsAt, change, stride, this.listAt, count);
    if (masked) {
      k.living_mask(this.afterAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.zero_dead(this.cellsAt, stride, this.beforeAt, this.afterAt, cellCount);
    }
    this.stepCount += 1;
  }

  /** Perception and update of `count` listed cells; returns where their change is. */
  runLayers(listAt, count) {
    let input = this.cellsAt;
    let inputStride = this.stride;
    for (const layer of this.layers) {
      const biasRow = layer.bias_rows > 1 ? this.classIndex : 0;
      this.kernels.conv(
        input, inputStride, layer.in, layer.outputAt, layer.stride,
        layer.weightAt, layer.biasAt + 4 * biasRow * layer.stride,
        layer.kernel, layer.dilation, layer.slope, this.height, this.width, listAt, count,
      );
      input = layer.outputAt;
      inputStride = layer.stride;
    }
    return input;
  }

  /** Mutation: the condition changes, the state stays. */
  setClass(index) {
    const classes = this.description.classes.length;
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
    }
    this.classIndex = index;
  }

  /** Sets all channels to 0 in a disc of `radius` cells around (x, y), on the torus. */
  erase(x, y, radius) {
    const { cells, height, width, stride } = this;
    const distance = (a, b, n) => Math.min(Math.abs(a - b), n - Math.abs(a - b));
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const dx = distance(column, x, width);
        const dy = distance(row, y, height);
        if (dx * dx + dy * dy > radius * radius) continue;
        const at = (row * width + column) * stride;
        cells.fill(0, at, at + stride);
      }
    }
  }

  /** A fresh seed cell at column x, row y: visible channels 1, the others 0. */
  plant(x, y) {
    const wrap = (i, n) => ((i % n) + n) % n;
    const at = (wrap(y, this.height) * this.width + wrap(x, this.width)) * this.stride;
    this.cells.fill(0, at, at + this.stride);
    const { alpha } = this.description;
    this.cells.fill(1, at + alpha - 3, at + alpha + 1);
  }

  /** Writes the visible channels, composited on white, into RGBA bytes. */
  paint(pixels) {
    const { cells, cellCount, stride } = this;
    const { alpha } = this.description;
    for (let i = 0; i < cellCount; i++) {
      const a = i * stride + alpha;
      const white = 1 - Math.min(1, Math.max(0, cells[a]));
      // Colours are premultiplied. The array of pixels clamps to 0…255 by itself.
      pixels[4 * i] = 255 * (cells[a - 3] + white);
      pixels[4 * i + 1] = 255 * (cells[a - 2] + white);
      pixels[4 * i + 2] = 255 * (cells[a - 1] + white);
      pixels[4 * i + 3] = 255;
    }
  }
}
