// The automaton itself: s' = (s + m ⊙ U(P(s, c))) ⊙ M, one step at a time, without a page.

import { bufferSizes, checkDescription, padded, rulesOf } from "./description.js";
import { Grid } from "./grid.js";
import { RUNNERS, inJavaScript, instantiate } from "./kernels.js";
import { Codes } from "./latents.js";
import { NoMemoryError } from "./memory.js";
import { LocalDecoder } from "./points.js";

/** Cells that go through a rule together: what its operations hand on to each other stays in a near cache. */
const TOGETHER = 256;

export class Engine extends Grid {
  /**
   * @param {object} description what ncabook.live.describe returns
   * @param {Uint8Array} weights and its bytes
   * @param {boolean} fast false for multiply-adds with two roundings, everywhere the same
   * @throws {Error} if the two do not fit each other or this engine
   */
  static async create(description, weights, fast = true) {
    checkDescription(description, weights);
    const kernels = await instantiate(fast);
    try {
      return new this(description, weights, kernels);
    } catch (error) {
      if (!(error instanceof NoMemoryError) || kernels.kind === "JavaScript") throw error;
    }
    return new this(description, weights, inJavaScript());
  }

  constructor(description, weights, exports) {
    super(description, weights, exports);
    const cells = this.cellCount;
    /** Cells that cannot change the outcome are left out; false computes all of them, the same. */
    this.skip = true;
    this.strides = bufferSizes(description);
    this.buffers = this.strides.map((stride, i) =>
      (i === 0 ? this.cellsAt : this.allocate(4 * cells * stride)));
    for (const mask of ["fireAt", "beforeAt", "afterAt", "wideAt", "widerAt"]) {
      this[mask] = this.allocate(cells);
    }
    const most = cells * (description.decoder?.scale ?? 1) ** 2;
    this.all = { at: this.allocate(4 * most), count: cells };
    new Int32Array(this.memory.buffer, this.all.at, most).forEach((_, i, all) => { all[i] = i; });
    /** What to call to turn the field of perception, one function for each kernel. */
    this.turners = [];
    this.degrees = 0;
    this.rules = rulesOf(description).map((ops) => this.prepareRule(ops, weights));
    this.local = description.decoder?.kind === "local" ? new LocalDecoder(this, description.decoder, weights) : null;
    this.decoder = this.local ?? (description.decoder && this.prepareDecoder(description.decoder, weights));
    this.codes = description.codes ? new Codes(this, description.codes, weights) : null;
    this.fireRate = description.fire_rate;
    this.turn(description.turns ?? 0);
  }

  /** Turns the field of perception clockwise: each ring of every kernel is shifted round. */
  turn(degrees) {
    if (degrees === this.degrees) return;
    for (const turner of this.turners) turner(degrees);
    this.degrees = degrees;
  }

  /** A rule's operations, from the state to its change, and the cells that it computes. */
  prepareRule(ops, weights) {
    const cells = this.cellCount;
    const phases = [];  // operations in a row of equal reach see nothing of what another does to a neighbour
    for (const op of ops) {
      if (phases.at(-1)?.near !== op.near) phases.push({ near: op.near, runs: [] });
      phases.at(-1).runs.push(RUNNERS[op.kind](this, op, weights));
    }
    return {
      phases,
      /** The cells to compute, by how much further they reach than those that change. */
      lists: new Map([0, ...ops.map((op) => op.near)].map((near) =>
        [near, { at: this.allocate(4 * cells), count: 0 }])),
      changeAt: this.buffers[ops.at(-1).to],
      maskAt: this.allocate(cells),
    };
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
      const place = Object.assign(Object.create(this), { height, width, strides, buffers: starts, turners: [] });
      const run = RUNNERS[op.kind](place, op, bytes);
      return () => run({ at: this.all.at, count: height * width });
    });
    const { to } = ops.at(-1);
    return { runs, at: starts[to], stride: strides[to], height: scale * this.height, width: scale * this.width };
  }

  /** The picture that the decoder makes of the state, [row][column][stride]: {numbers, stride, height, width}. */
  decode() {
    if (this.local) return this.local.decode(this);
    const { runs, at, stride, height, width } = this.decoder;
    for (const run of runs) run();
    return { numbers: this.floats(at, height * width * stride), stride, height, width };
  }

  /** Draws another window of the torus from now on, where the decoder reads it at any point. */
  aim(window) {
    this.local.aim(this, window);
  }

  /** What does the steps. */
  get backend() {
    return this.kernels.kind === "JavaScript" ? "JavaScript" : "WebAssembly";
  }

  /** One step of every cell. */
  step() {
    const k = this.kernels;
    const { height, width, stride, cellCount, description } = this;
    const { living, living_threshold: threshold, seed, channels, fixed } = description;
    const masked = threshold !== null;
    k.fire_mask(this.fireAt, height, width, this.stepCount, seed, Math.floor(this.fireRate * 2 ** 24));
    const fire = new Uint8Array(this.memory.buffer, this.fireAt, cellCount);
    for (const [row, column, fires] of this.decided) fire[row * width + column] = Number(fires);
    if (masked) {
      k.living_mask(this.beforeAt, this.cellsAt, stride, living, threshold, height, width);
      k.dilate_mask(this.wideAt, this.beforeAt, height, width);
    }
    this.rules.forEach((rule, i) => {
      k.rule_mask(rule.maskAt, this.fireAt, this.rulesAt, i, cellCount);
      this.listCells(rule, masked && this.skip ? this.wideAt : 0);
      for (const { near, runs } of rule.phases) {
        const { at, count } = this.skip ? rule.lists.get(near) : this.all;
        for (let first = 0; first < count; first += TOGETHER) {
          const some = { at: at + 4 * first, count: Math.min(TOGETHER, count - first) };
          for (const run of runs) run(some);
        }
      }
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
