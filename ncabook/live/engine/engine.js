// The automaton itself: s' = (s + m ⊙ U(P(s, c))) ⊙ M, one step at a time, without a page.

import { FAST_CONV, KERNELS } from "./assets.js";
import {
  bufferSizes, checkDescription, decodeBase64, decodeFloat, decodeHalf, padded, rulesOf,
} from "./description.js";
import { plainKernels } from "./plain.js";

const ERASING = 0x5eed;  // seeds of the coins for damage, apart from those for firing
const NOISE = 0x6e00;
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;

let compiled = null;  // the modules, for all figures of a page; each has a memory of its own

/** A module of build.py: base64 of gzip. */
async function compile(code) {
  const packed = new Blob([decodeBase64(code)]).stream();
  const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  return WebAssembly.compile(await module);
}

/** The kernels on a new memory; the convolution is the fast one where `fast` and the browser allow. */
async function instantiate(fast) {
  compiled ??= Promise.all([KERNELS, FAST_CONV].map((code) => compile(code).catch(() => null)));
  const [all, conv] = await compiled;
  if (all === null) return { ...plainKernels(), kind: "JavaScript" };
  const { exports } = await WebAssembly.instantiate(all, {});
  if (conv === null || !fast) return { ...exports, kind: "SIMD" };
  // Its stack lies where that of the other kernels does; they never run at the same time.
  const env = { memory: exports.memory };
  const { conv: fastConv } = (await WebAssembly.instantiate(conv, { env })).exports;
  return { ...exports, conv: fastConv, kind: "relaxed SIMD" };
}

export class Engine {
  /**
   * @param {object} description what ncabook.live.describe returns
   * @param {Uint8Array} weights and its bytes
   * @param {boolean} fast false for multiply-adds with two roundings, everywhere the same
   * @throws {Error} if the two do not fit each other or this engine
   */
  static async create(description, weights, fast = true) {
    checkDescription(description, weights);
    return new this(description, weights, await instantiate(fast));
  }

  constructor(description, weights, exports) {
    const { height, width, channels } = description;
    Object.assign(this, { height, width, channels, description });
    /** Cells that cannot change the outcome are left out; false computes all of them, the same. */
    this.skip = true;
    this.classIndex = description.class_index;
    this.kernels = exports;
    this.memory = exports.memory;
    this.heap = { free: exports.__heap_base.value };

    const cells = height * width;
    this.cellCount = cells;
    this.strides = bufferSizes(description);
    this.buffers = this.strides.map((stride) => this.allocate(4 * cells * stride));
    [this.stride] = this.strides;
    [this.cellsAt] = this.buffers;
    for (const mask of ["fireAt", "beforeAt", "afterAt", "wideAt", "widerAt", "rulesAt"]) {
      this[mask] = this.allocate(cells);
    }
    const most = cells * (description.decoder?.scale ?? 1) ** 2;
    this.all = { at: this.allocate(4 * most), count: cells };
    new Int32Array(this.memory.buffer, this.all.at, most).forEach((_, i, all) => { all[i] = i; });
    this.rules = rulesOf(description).map((ops) => this.prepareRule(ops, weights));
    /** What is to be grown, RGBA bytes of the whole grid for each class; null if unknown. */
    this.targets = description.targets && this.wholeTargets(description.targets, weights);
    this.start = startOf(description, weights);
    /** What lies in the fixed channels, bytes of the whole grid for each class; null if nothing. */
    this.inputs = description.inputs === null
      ? null : weights.subarray(description.inputs);
    /** What the planes hold, if it differs from cell to cell. */
    this.condition = description.condition === null
      ? null : decodeHalf(weights, description.condition, cells * description.planes);
    this.decoder = description.decoder && this.prepareDecoder(description.decoder, weights);
    this.fireRate = description.fire_rate;
    this.reset();
  }

  /** A rule's operations, from the state to its change, and the cells that it computes. */
  prepareRule(ops, weights) {
    const cells = this.cellCount;
    return {
      /** The cells to compute, by how much further they reach than those that change. */
      lists: new Map([0, ...ops.map((op) => op.near)].map((near) =>
        [near, { at: this.allocate(4 * cells), count: 0 }])),
      ops: ops.map((op) => ({ near: op.near, run: this[op.kind](op, weights) })),
      changeAt: this.buffers[ops.at(-1).to],
      maskAt: this.allocate(cells),
    };
  }

  /** Reserves zeroed bytes for as long as the engine lives. */
  allocate(bytes) {
    const start = (this.heap.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.heap.free = start + bytes;
    const missing = this.heap.free - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return start;
  }

  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }

  /** Copies `rows` rows of numbers into the memory, each padded with zeros to whole vectors. */
  place(values, rows) {
    const length = values.length / rows;
    const start = this.allocate(4 * rows * padded(length));
    const target = this.floats(start, rows * padded(length));
    for (let row = 0; row < rows; row++) {
      target.set(values.subarray(row * length, (row + 1) * length), row * padded(length));
    }
    return start;
  }

  // Each operation of a description becomes a function of a list of cells.

  conv(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const [out, rows] = [padded(op.out), op.kernel ** 2 * op.in];
    const weight = this.place(decodeHalf(bytes, op.weight, rows * op.out), rows);
    const bias = this.place(decodeFloat(bytes, op.bias, op.bias_rows * op.out), op.bias_rows);
    const biasStep = op.bias_rows > 1 ? 4 * out : 0;
    return ({ at, count }) => this.kernels.conv(
      from, fromStride, op.in, to, toStride, out, weight, bias + this.classIndex * biasStep,
      op.kernel, op.dilation, op.slope, op.add, height, width, at, count,
    );
  }

  bank(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const filters = this.place(decodeFloat(bytes, op.weight, 9 * op.filters), 1);
    return ({ at, count }) => this.kernels.bank(
      from, fromStride, to, toStride, filters, op.filters, height, width, at, count,
    );
  }

  attend(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to]];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const neighbours = op.kernel ** 2;
    const position = this.place(decodeFloat(bytes, op.position, op.heads * neighbours), 1);
    return ({ at, count }) => this.kernels.attend(
      from, fromStride, to, toStride, op.heads, op.size, op.scale, position, op.kernel,
      height, width, at, count,
    );
  }

  norm(op, bytes) {
    const [to, stride] = [this.buffers[op.to] + 4 * op.offset, this.strides[op.to]];
    const weight = this.place(decodeFloat(bytes, op.weight, op.channels), 1);
    const bias = this.place(decodeFloat(bytes, op.bias, op.channels), 1);
    return ({ at, count }) =>
      this.kernels.norm(to, stride, op.channels, weight, bias, op.eps, op.slope, at, count);
  }

  gelu(op) {
    const [to, stride] = [this.buffers[op.to], this.strides[op.to]];
    return ({ at, count }) => this.kernels.gelu(to, stride, op.channels, at, count);
  }

  gather(op) {
    const [from, where, to] = [op.from, op.where, op.to].map((i) => this.buffers[i]);
    const [fromStride, whereStride, toStride] =
      [op.from, op.where, op.to].map((i) => this.strides[i]);
    const { height, width } = this;
    return ({ at, count }) => this.kernels.gather(
      from, fromStride, where, whereStride, to, toStride, op.kernel, height, width, at, count,
    );
  }

  upsample(op) {
    const [from, to, stride] = [this.buffers[op.from], this.buffers[op.to], this.strides[op.to]];
    const { height, width } = this;
    return () => this.kernels.upsample(from, stride, to, height, width);
  }

  groups(op, bytes) {
    const [to, stride] = [this.buffers[op.to], this.strides[op.to]];
    const weight = this.place(decodeFloat(bytes, op.weight, op.channels), 1);
    const bias = this.place(decodeFloat(bytes, op.bias, op.channels), 1);
    return ({ count }) =>
      this.kernels.groups(to, stride, op.channels, op.groups, weight, bias, op.eps, op.slope, count);
  }

  /** From the state to a larger picture: operations like those of a step, on grids of their own. */
  prepareDecoder({ buffers, scales, ops, scale }, bytes) {
    const strides = [this.stride, ...buffers];
    const grids = [1, ...scales].map((s) => ({ height: s * this.height, width: s * this.width }));
    const starts = grids.map(({ height, width }, i) =>
      (i === 0 ? this.cellsAt : this.allocate(4 * height * width * strides[i])));
    const runs = ops.map((op) => {
      const { height, width } = grids[op.to];
      // The operation sees this engine, but with the decoder's buffers and the grid that it writes.
      const place = Object.assign(Object.create(this), { height, width, strides, buffers: starts });
      const run = place[op.kind](op, bytes);
      return () => run({ at: this.all.at, count: height * width });
    });
    const { to } = ops.at(-1);
    return { runs, at: starts[to], stride: strides[to], height: scale * this.height, width: scale * this.width };
  }

  /** The picture that the decoder makes of the state, [row][column][stride]: {numbers, stride, height, width}. */
  decode() {
    const { runs, at, stride, height, width } = this.decoder;
    for (const run of runs) run();
    return { numbers: this.floats(at, height * width * stride), stride, height, width };
  }

  wholeTargets({ offset, top, left, height, width }, bytes) {
    const count = Math.max(1, this.description.classes.length);
    const whole = new Uint8Array(4 * this.cellCount * count);
    for (let row = 0; row < count * height; row++) {
      const picture = Math.floor(row / height);
      const at = (picture * this.height + top + row % height) * this.width + left;
      const start = offset + 4 * row * width;
      whole.set(bytes.subarray(start, start + 4 * width), 4 * at);
    }
    return whole;
  }

  /** What does the steps. */
  get backend() {
    return this.kernels.kind === "JavaScript" ? "JavaScript" : "WebAssembly";
  }

  /** Cells as the kernels see them, [row][column][stride]: a view, valid until the next step. */
  get cells() {
    return this.floats(this.cellsAt, this.cellCount * this.stride);
  }

  /** The same, for those who change nothing. */
  get cellsToRead() {
    return this.cells;
  }

  /** A copy of the state, [row][column][channel]. */
  get state() {
    const { cellsToRead: cells, cellCount, channels, stride } = this;
    const copy = new Float32Array(cellCount * channels);
    for (let i = 0; i < cellCount; i++) {
      copy.set(cells.subarray(i * stride, i * stride + channels), i * channels);
    }
    return copy;
  }

  /** Puts back a copy that `state` gave, and the step that it belongs to. */
  restore(state, stepCount) {
    const { cells, cellCount, channels, stride } = this;
    for (let i = 0; i < cellCount; i++) {
      cells.set(state.subarray(i * channels, (i + 1) * channels), i * stride);
    }
    this.stepCount = stepCount;
  }

  /** Back to the start, else to a seed cell in the centre, at step 0: the same coins will fall again. */
  reset() {
    this.cells.fill(0);
    this.stepCount = 0;
    this.ruleMap.fill(0);
    this.fillPlanes();
    if (this.start) this.restore(this.start, 0);
    else if (this.description.visible > 0) this.plant(this.width >> 1, this.height >> 1);
  }

  /** One step of every cell. */
  step() {
    const k = this.kernels;
    const { height, width, stride, cellCount, description } = this;
    const { living, living_threshold: threshold, seed, channels, fixed } = description;
    const masked = threshold !== null;
    k.fire_mask(this.fireAt, height, width, this.stepCount, seed, Math.floor(this.fireRate * 2 ** 24));
    if (masked) {
      k.living_mask(this.beforeAt, this.cellsAt, stride, living, threshold, height, width);
      k.dilate_mask(this.wideAt, this.beforeAt, height, width);
    }
    this.rules.forEach((rule, i) => {
      k.rule_mask(rule.maskAt, this.fireAt, this.rulesAt, i, cellCount);
      this.listCells(rule, masked && this.skip ? this.wideAt : 0);
      for (const { near, run } of rule.ops) run(this.skip ? rule.lists.get(near) : this.all);
    });
    for (const { lists, changeAt } of this.rules) {
      const { at, count } = lists.get(0);
      k.add_change(this.cellsAt, stride, changeAt, padded(channels), at, count);
    }
    if (masked) {
      k.living_mask(this.afterAt, this.cellsAt, stride, living, threshold, height, width);
      k.zero_dead(this.cellsAt + 4 * fixed, stride, channels - fixed, this.beforeAt, this.afterAt, cellCount);
    }
    this.stepCount += 1;
  }

  /** Lists a rule's cells that fire and matter, and for each `near` those within as many cells. */
  listCells({ lists, maskAt }, relevantAt) {
    const k = this.kernels;
    const { height, width, cellCount } = this;
    const changing = lists.get(0);
    changing.count = k.list_cells(changing.at, maskAt, relevantAt, cellCount);
    for (const [near, list] of lists) {
      if (near === 0 || !this.skip) continue;
      let mask = maskAt;
      for (let i = 0; i < near; i++) {
        const wider = mask === this.wideAt ? this.widerAt : this.wideAt;
        k.dilate_mask(wider, mask, height, width);
        mask = wider;
      }
      list.count = k.list_cells(list.at, mask, 0, cellCount);
    }
  }

  /** Mutation: the condition, or the input, changes, the state stays. */
  setClass(index) {
    const classes = Math.max(1, this.description.classes.length);  // 0 where there is no choice
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
    }
    this.classIndex = index;
    this.fillPlanes();
  }

  /** Where the class, its picture or a map is an input like the state, writes it into every cell. */
  fillPlanes() {
    const { planes, channels, fixed } = this.description;
    const { cells, cellCount, stride, inputs, condition } = this;
    const picture = inputs?.subarray(this.classIndex * cellCount * fixed);
    for (let i = 0; i < cellCount; i++) {
      for (let k = 0; inputs && k < fixed; k++) cells[i * stride + k] = picture[i * fixed + k] / 255;
      for (let k = 0; k < planes; k++) {
        cells[i * stride + channels + k] = condition ? condition[i * planes + k] : Number(k === this.classIndex);
      }
    }
  }

  /** Calls `change(row, column, offset)` for the cells inside `shape`, placed on the torus. */
  forShape({ shape, x, y, size }, change) {
    const { height, width, stride } = this;
    const apart = (a, b, n) => Math.min(Math.abs(a - b), n - Math.abs(a - b));
    const [right, down] = [x - (width - 1) / 2, y - (height - 1) / 2];
    const inside = {
      circle: (dx, dy) => dx * dx + dy * dy <= size * size,
      square: (dx, dy) => Math.max(dx, dy) <= size,
      // The half of the grid that the point lies in: left, right, upper or lower.
      half: (dx, dy, row, column) => (Math.abs(right) >= Math.abs(down)
        ? (column - (width - 1) / 2) * right >= 0
        : (row - (height - 1) / 2) * down >= 0),
    }[shape];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (!inside(apart(column, x, width), apart(row, y, height), row, column)) continue;
        change(row, column, (row * width + column) * stride);
      }
    }
  }

  /** A number in [0, 1) for what happens outside of a step, by the kernels' hash. */
  coin(column, row, step, seed) {
    return this.kernels.coin(column, row, step, seed) / 2 ** 24;
  }

  /** Sets what a step writes to 0 in a shape; of `share` of its cells, drawn by the coin `salt`. */
  erase({ share = 1, salt = 0, ...where }) {
    const { cells } = this;
    const { fixed, channels } = this.description;
    this.forShape(where, (row, column, at) => {
      if (this.coin(column, row, salt, ERASING) >= share) return;
      cells.fill(0, at + fixed, at + channels);
    });
  }

  /** Sets the input channels, which a step only reads, to `value` in a shape. */
  draw({ value, ...where }) {
    const { cells } = this;
    this.forShape(where, (row, column, at) => cells.fill(value, at, at + this.description.fixed));
  }

  /** Adds normal noise of standard deviation `sigma` to the living cells of a shape. */
  disturb({ sigma, salt = 0, ...where }) {
    const { cells } = this;
    const { fixed, channels, living, living_threshold: threshold } = this.description;
    this.forShape(where, (row, column, at) => {
      if (threshold !== null && cells[at + living] <= threshold) return;
      for (let k = fixed; k < channels; k++) {
        const [u, v] = [0, 1].map((i) => this.coin(column, row, salt, 2 * k + NOISE + i));
        cells[at + k] += sigma * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
      }
    });
  }

  /** The number of the rule that each cell obeys. */
  get ruleMap() {
    return new Uint8Array(this.memory.buffer, this.rulesAt, this.cellCount);
  }

  /** Gives the cells of a shape to another rule; their state stays. */
  graft({ rule, ...where }) {
    const { ruleMap, stride } = this;
    this.forShape(where, (row, column, at) => { ruleMap[at / stride] = rule; });
  }

  /** A fresh seed cell at column x, row y: visible channels 1, the others 0. */
  plant(x, y) {
    const wrap = (i, n) => ((i % n) + n) % n;
    const at = (wrap(y, this.height) * this.width + wrap(x, this.width)) * this.stride;
    const { fixed, visible, channels } = this.description;
    this.cells.fill(0, at + fixed, at + channels);
    this.cells.fill(1, at + fixed, at + fixed + visible);
  }

  /**
   * How the cells vote: {votes, counts, winner}. Living cells have a vote, or all where there is no
   * living mask: the number of its largest class channel, else −1. The winner's channel is the
   * largest on average; −1 while nobody votes.
   */
  get ballot() {
    const { height, width, stride, cellCount, cellsToRead: cells, description } = this;
    const { living, living_threshold: threshold, channels, votes: { length } } = description;
    if (threshold !== null) {
      this.kernels.living_mask(this.afterAt, this.cellsAt, stride, living, threshold, height, width);
    }
    const lives = new Uint8Array(this.memory.buffer, this.afterAt, cellCount);
    const votes = new Int8Array(cellCount).fill(-1);
    const [counts, sums] = [Array(length).fill(0), Array(length).fill(0)];
    for (let i = 0; i < cellCount; i++) {
      if (threshold !== null && !lives[i]) continue;
      const own = cells.subarray(i * stride + channels - length, i * stride + channels);
      votes[i] = own.indexOf(Math.max(...own));
      if (votes[i] >= 0) counts[votes[i]] += 1;
      own.forEach((value, k) => { sums[k] += value; });
    }
    return { votes, counts, winner: votes.every((vote) => vote < 0) ? -1 : sums.indexOf(Math.max(...sums)) };
  }

  /** Mean squared difference of the visible channels from the class's target; null without one. */
  get error() {
    if (this.targets === null) return null;
    const { cellsToRead: cells, cellCount, stride, targets } = this;
    const first = this.description.fixed;
    const target = targets.subarray(4 * cellCount * this.classIndex);
    let sum = 0;
    for (let i = 0; i < cellCount; i++) {
      for (let k = 0; k < 4; k++) {
        sum += (cells[i * stride + first + k] - target[4 * i + k] / 255) ** 2;
      }
    }
    return sum / (4 * cellCount);
  }

  /** Size of each cell's last change; 0 for those that were not computed. */
  get changes() {
    const { channels } = this.description;
    const stride = padded(channels);
    const sizes = new Float32Array(this.cellCount);
    for (const { lists, changeAt } of this.rules) {
      const { at, count } = lists.get(0);
      const change = this.floats(changeAt, this.cellCount * stride);
      for (const i of new Int32Array(this.memory.buffer, at, count)) {
        sizes[i] = Math.hypot(...change.subarray(i * stride, i * stride + channels));
      }
    }
    return sizes;
  }

  /** Whether each cell was computed in the last step, as 0 or 1. */
  get fired() {
    const fired = new Uint8Array(this.cellCount);
    for (const { maskAt } of this.rules) {
      new Uint8Array(this.memory.buffer, maskAt, this.cellCount)
        .forEach((computed, i) => { fired[i] |= computed; });
    }
    return fired;
  }
}

/** What every cell begins with, [row][column][channel]; null for a single seed cell. */
function startOf({ start, fill, height, width, channels }, weights) {
  const length = height * width * channels;
  if (fill) return Float32Array.from({ length }, (_, i) => fill[i % channels]);
  return start === null ? null : decodeHalf(weights, start, length);
}
