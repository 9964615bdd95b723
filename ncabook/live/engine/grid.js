// A grid of cells in the kernels' memory: what they hold, what can be done to them between two
// steps, and how well they do. Of the step itself it knows nothing.

import { startsOf, wholeTargets } from "./contents.js";
import { Critic } from "./critic.js";
import { bufferSizes, decodeHalf } from "./description.js";
import { Memory } from "./memory.js";
import { wrap } from "./plain.js";
import { insideOf } from "./shapes.js";

const ERASING = 0x5eed;  // seeds of the coins for damage, apart from those for firing
const NOISE = 0x6e00;
const LARGEST = 1000;  // what no trained automaton's state comes near

/** Channels that are 1 in a seed cell: the visible ones, or, where a local decoder reads hidden ones, all. */
const seedSize = ({ visible, channels, fixed, decoder }) =>
  (visible > 0 || decoder?.kind !== "local" ? visible : channels - fixed);

export class Grid extends Memory {
  constructor(description, weights, exports) {
    super(exports);
    const { height, width, channels } = description;
    Object.assign(this, { height, width, channels, description });
    this.classIndex = description.class_index;
    /** How far a class leads away from none; only where a second automaton grows beside. */
    this.weight = 1;

    const cells = height * width;
    this.cellCount = cells;
    [this.stride] = bufferSizes(description);
    this.cellsAt = this.allocate(4 * cells * this.stride);
    for (const mask of ["livesAt", "rulesAt"]) this[mask] = this.allocate(cells);
    /** What is to be grown, RGBA bytes of the whole grid for each class; null if unknown. */
    this.targets = wholeTargets(description, weights);
    this.starts = startsOf(description, weights);
    /** What lies in the fixed channels, bytes of the whole grid for each class; null if nothing. */
    this.inputs = description.inputs === null
      ? null : weights.subarray(description.inputs);
    /** What the planes hold, if it differs from cell to cell. */
    this.condition = description.condition === null
      ? null : decodeHalf(weights, description.condition, cells * description.planes);
    this.critic = description.critic ? new Critic(description, weights) : null;
    this.reset();
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

  /** Puts back a copy that `state` gave, the step that it belongs to, and the seeds of `fresh` then. */
  restore(state, stepCount, planted = []) {
    const { cells, cellCount, channels, stride } = this;
    for (let i = 0; i < cellCount; i++) {
      cells.set(state.subarray(i * channels, (i + 1) * channels), i * stride);
    }
    this.stepCount = stepCount;
    this.planted = planted;
  }

  /** Whether `state` could have these numbers behind the cells, at a step. */
  fits(rest) {
    return rest.length === 0;
  }

  /** Back to the start, else to a seed cell in the centre, at step 0: the same coins will fall again. */
  reset() {
    this.cells.fill(0);
    this.stepCount = 0;
    this.planted = [];
    this.ruleMap.fill(0);
    const { starts, classIndex } = this;
    if (starts) this.restore(starts[classIndex % starts.length], 0);
    else if (seedSize(this.description) > 0) this.plant(this.width >> 1, this.height >> 1);
    this.fillPlanes();  // an input lies where a start has some numbers, too
  }

  /**
   * Mutation: the condition, or the input, changes, the state stays. Where a seed tells the class,
   * the old ones go, and one of this class begins.
   */
  setClass(index) {
    this.choose(index);
    if (this.description.seeds) {
      this.cells.fill(0);
      this.planted = [];
      this.plant(this.width >> 1, this.height >> 1);
    }
    this.fillPlanes();
  }

  guide(weight) {
    this.weight = weight;
  }

  /** The class of the seeds to come; where no seed tells it, `setClass` is what changes something. */
  choose(index) {
    const classes = Math.max(1, this.description.classes.length);  // 0 where there is no choice
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
    }
    this.classIndex = index;
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
  forShape(where, change) {
    const { height, width, stride } = this;
    const inside = insideOf(where, this);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (!inside(row, column)) continue;
        change(row, column, (row * width + column) * stride);
      }
    }
  }

  /** A number in [0, 1) for what happens outside of a step, by the kernels' hash. */
  coin(column, row, step, seed) {
    return this.kernels.coin(column, row, step, seed) / 2 ** 24;
  }

  /** Empties the cells of a shape; `share` of them, drawn by the coin `salt`. */
  erase({ share = 1, salt = 0, ...where }) {
    const { cells } = this;
    this.forShape(where, (row, column, at) => {
      if (this.coin(column, row, salt, ERASING) < share) this.clear(cells, at);
    });
  }

  /** Sets what a step writes in a cell to 0, and what it only reads to `erased`, if there are such numbers. */
  clear(cells, at) {
    const { fixed, erased = [] } = this.description;
    cells.set(erased, at);
    cells.fill(0, at + fixed, at + this.channels);
  }

  /** The channels that readers draw on: the first, and the one behind the last. */
  get drawable() {
    return [0, this.description.fixed];
  }

  /** Sets what is drawn on, input channels, which a step only reads, to `value` in a shape. */
  draw({ value, ...where }) {
    const { cells, drawable: [first, end] } = this;
    this.forShape(where, (row, column, at) => cells.fill(value, at + first, at + end));
  }

  /** Gives the visible channels in a shape one of the inks' colours, and makes them opaque. */
  paint({ ink, ...where }) {
    const { cells } = this;
    const { fixed, visible, inks } = this.description;
    const [...values] = [...inks[ink].color, 1].slice(0, visible);
    this.forShape(where, (row, column, at) => cells.set(values, at + fixed));
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

  /** What was drawn, and the map of rules; may be put back after a reset. */
  get drawn() {
    const { cellsToRead: cells, cellCount, stride, drawable: [first, end] } = this;
    const [planes, count] = [new Float32Array(cellCount * (end - first)), end - first];
    for (let i = 0; i < cellCount; i++) planes.set(cells.subarray(i * stride + first, i * stride + end), i * count);
    return { planes, rules: this.ruleMap.slice() };
  }

  set drawn({ planes, rules }) {
    const { cells, cellCount, stride, drawable: [first, end] } = this;
    const count = end - first;
    for (let i = 0; i < cellCount; i++) cells.set(planes.subarray(i * count, (i + 1) * count), i * stride + first);
    this.ruleMap.set(rules);
  }

  /** Whether a number of the state is beyond what a figure shows, or none at all. */
  get runsAway() {
    const { cellsToRead: cells, cellCount, channels, stride } = this;
    for (let i = 0; i < cellCount; i++) {
      for (let at = i * stride, end = at + channels; at < end; at++) {
        if (!(Math.abs(cells[at]) <= LARGEST)) return true;
      }
    }
    return false;
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

  /** A fresh seed cell at column x, row y: that of the class; else those of `seedSize` 1, the others 0. */
  plant(x, y) {
    const [row, column] = [wrap(y, this.height), wrap(x, this.width)];
    const at = (row * this.width + column) * this.stride;
    const { fixed, channels, ring, seeds } = this.description;
    this.cells.fill(0, at + fixed, at + channels);
    if (seeds) this.cells.set(seeds[this.classIndex], at + fixed);
    else this.cells.fill(1, at + fixed, at + fixed + seedSize(this.description));
    if (ring) this.planted = [...this.fresh, { row, column, step: this.stepCount }];
  }

  /** Seeds planted since the last step, where they begin with a ring. */
  get fresh() {
    return this.planted.filter(({ step }) => step === this.stepCount);
  }

  /**
   * Cells that no coin decides about in the coming step, as [row, column, whether it fires]: the
   * neighbours of a fresh seed fire, and then, of all that was listed, the seeds themselves do not.
   */
  get decided() {
    const { height, width, fresh } = this;
    const around = fresh.flatMap(({ row, column }) => Array.from({ length: 9 }, (_, n) =>
      [(row + Math.floor(n / 3) - 1 + height) % height, (column + n % 3 - 1 + width) % width, true]));
    return [...around, ...fresh.map(({ row, column }) => [row, column, false])];
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
      this.kernels.living_mask(this.livesAt, this.cellsAt, stride, living, threshold, height, width);
    }
    const lives = new Uint8Array(this.memory.buffer, this.livesAt, cellCount);
    const votes = new Int16Array(cellCount).fill(-1);
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
}
