// One automaton that learns: its weights, rollouts and gradients in the memory of train.c.

import { FAST_TRAIN, TRAIN } from "./assets.js";
import { MOMENTUM, orthogonal } from "./muon.js";

const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
const MOST_BYTES = 2 ** 29;
const SEEN = 9;  // cells that a cell sees
export const RGBA = 4;
const ALPHA = 3;
const LAST_LAYER_STD = 1e-3;  // as MLPUpdate begins
const BETAS = [0.9, 0.999];
const EPSILON = 1e-8;

/** A module of build.py: base64 of gzip; null where this browser does not know its instructions. */
async function compileTraining(code) {
  const packed = new Blob([Uint8Array.from(atob(code), (c) => c.charCodeAt(0))]).stream();
  const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  return WebAssembly.compile(await module).catch(() => null);
}

/** The tensors of an automaton, named and shaped as PyTorch has them, and where their numbers lie. */
export function partsOf({ channels, features, units }) {
  const layers = [
    ["perception.conv", SEEN * channels, features, [features, channels, 3, 3]],
    ["update.layers.0", features, units, [units, features]],
    ["update.layers.1", units, channels, [channels, units]],
  ];
  let at = 0;
  return layers.flatMap(([name, rows, columns, shape]) => {
    const weight = { name: `${name}.weight`, shape, rows, columns, at };
    const bias = { name: `${name}.bias`, shape: [columns], rows: 1, columns, at: at + rows * columns };
    at = bias.at + columns;
    return [weight, bias];
  });
}

/** Where number `row`, `column` of a part lies in PyTorch's tensor. */
function placeOf({ shape, rows }, row, column) {
  if (shape.length < 4) return column * rows + row;
  const inputs = shape[1];
  return (column * inputs + row % inputs) * SEEN + Math.floor(row / inputs);
}

export class Trainer {
  /** {height, width, channels, features, units, fireRate, threshold, mostSteps}; `fast`: relaxed SIMD. */
  static async create(sizes, fast = true) {
    for (const code of fast ? [FAST_TRAIN, TRAIN] : [TRAIN]) {
      const module = await compileTraining(code);
      if (module !== null) return new this(sizes, (await WebAssembly.instantiate(module, {})).exports);
    }
    throw new Error("This browser has no WebAssembly with SIMD, which training in the page needs; a newer one has.");
  }

  constructor(sizes, kernels) {
    const { height, width, channels, features, units, fireRate = 0.5, threshold = 0.1, mostSteps = 64 } = sizes;
    Object.assign(this, { height, width, channels, features, units, fireRate, threshold, mostSteps, kernels });
    if ([channels, features, units].some((n) => !(n >= 4) || n % 4 !== 0) || channels < 2 * RGBA) {
      throw new Error(`${channels} channels, ${features} features, ${units} units; expected multiples of four, ` +
        "8 channels or more");
    }
    this.cells = height * width;
    this.size = this.cells * channels;
    this.parts = partsOf(this);
    this.count = kernels.train_weights(channels, features, units);
    this.free = kernels.__heap_base.value;
    const floats = (count) => this.allocate(4 * count);
    const [w, s] = [Array.from({ length: 5 }, () => floats(this.count)), floats((mostSteps + 1) * this.size)];
    [this.weightsAt, this.gradientAt, this.turnedAt, this.meanAt, this.squareAt] = w;
    this.statesAt = s;
    this.targetAt = floats(RGBA * this.cells);
    this.partsAt = this.allocate(16);
    kernels.train_setup(
      height, width, this.threshold, this.weightsAt, this.gradientAt, this.turnedAt, this.statesAt,
      floats(mostSteps * this.cells * (features + units)), floats(mostSteps * (this.cells + 1)),
      this.allocate(mostSteps * this.cells), floats(2 * this.size), floats(kernels.train_scratch()),
      this.allocate(3 * this.cells),
    );
    this.updates = 0;
    this.starts = [];  // what is stored before each step of the last rollout
  }

  /** Zeroed bytes, for as long as this lives. */
  allocate(bytes) {
    const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.free = start + bytes;
    const { memory } = this.kernels;
    if (this.free > MOST_BYTES) throw new Error("so large a training needs more than half a gigabyte; choose fewer cells or steps");
    const missing = this.free - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    return start;
  }

  floats(start, count) {
    return new Float32Array(this.kernels.memory.buffer, start, count);
  }

  get weights() { return this.floats(this.weightsAt, this.count); }
  get gradient() { return this.floats(this.gradientAt, this.count); }

  /** The state after `step` steps of the last rollout, [row][column][channel]. */
  state(step) { return this.floats(this.statesAt + 4 * step * this.size, this.size); }

  /** Numbers of all weights, of their gradients or the like, as PyTorch's tensors: {name: {shape, data}}. */
  tensors(numbers = this.weights) {
    return Object.fromEntries(this.parts.map((part) => {
      const data = new Float32Array(part.rows * part.columns);
      this.each(part, (here, there) => { data[there] = numbers[here]; });
      return [part.name, { shape: part.shape, data }];
    }));
  }

  /** Takes weights over that are named and ordered as PyTorch has them; Adam begins anew. */
  load(tensors) {
    const { weights } = this;
    for (const part of this.parts) {
      const { data } = tensors[part.name];
      this.each(part, (here, there) => { weights[here] = data[there]; });
    }
    this.forget();
  }

  each(part, visit) {
    for (let row = 0; row < part.rows; row++) {
      for (let column = 0; column < part.columns; column++) {
        visit(part.at + row * part.columns + column, placeOf(part, row, column));
      }
    }
  }

  forget() {
    this.updates = 0;
    for (const start of [this.meanAt, this.squareAt]) this.floats(start, this.count).fill(0);
  }

  /** Random weights, as PyTorch's layers and MLPUpdate begin; `random` gives numbers in [0, 1). */
  begin(random) {
    const { weights } = this;
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    this.parts.forEach(({ at, rows, columns }, i) => {
      const [last, bias] = [i >= 4, i % 2 === 1];
      const most = 1 / Math.sqrt(bias ? this.parts[i - 1].rows : rows);
      for (let q = at; q < at + rows * columns; q++) {
        weights[q] = last ? (bias ? 0 : LAST_LAYER_STD * normal()) : most * (2 * random() - 1);
      }
    });
    this.forget();
  }

  /** A state of one living cell in the middle. */
  seedState() {
    const state = new Float32Array(this.size);
    const middle = Math.floor(this.height / 2) * this.width + Math.floor(this.width / 2);
    return state.fill(1, middle * this.channels, middle * this.channels + RGBA);
  }

  /** Whether a cell of a state lives. */
  lives(state) {
    for (let i = ALPHA; i < state.length; i += this.channels) if (state[i] > this.threshold) return true;
    return false;
  }

  /** Runs `steps` steps from `start` and keeps what the way back needs; gives the last state. */
  rollout(start, steps, seed, ring = false, first = 0) {
    this.state(0).set(start);
    this.starts = [0];
    const limit = Math.floor(this.fireRate * 2 ** 24);
    for (let step = 0; step < steps; step++) {
      this.starts.push(this.kernels.train_forward(
        step, this.starts[step], first + step, seed, limit, Number(ring && step === 0),
      ));
    }
    return this.state(steps);
  }

  /** Sets what is to grow: premultiplied RGBA in [0, 1], [row][column][4]. */
  aim(target) {
    this.floats(this.targetAt, RGBA * this.cells).set(target);
  }

  /** Of the last rollout, by its last state; the gradient of all weights grows by `share` of its own. */
  learn(overflow, share) {
    const steps = this.starts.length - 1;
    const { kernels } = this;
    kernels.train_loss(steps, this.targetAt, overflow, share, this.partsAt);
    const [square, outside] = new Float64Array(kernels.memory.buffer, this.partsAt, 2);
    for (let step = steps - 1; step >= 0; step--) kernels.train_backward(step, this.starts[step]);
    return { square, outside };
  }

  /** Before the rollouts of a batch. */
  clear() {
    this.gradient.fill(0);
    this.kernels.train_turn();
  }

  /** Gives every tensor's gradient the length 1 (Mordvintsev et al. 2020); returns that of all before. */
  normalise() {
    const { gradient } = this;
    let all = 0;
    for (const { at, rows, columns } of this.parts) {
      const own = gradient.subarray(at, at + rows * columns);
      let sum = 0;
      for (let q = 0; q < own.length; q++) sum += own[q] * own[q];
      const scale = 1 / (Math.sqrt(sum) + EPSILON);
      for (let q = 0; q < own.length; q++) own[q] *= scale;
      all += sum;
    }
    return Math.sqrt(all);
  }

  /** Shortens a gradient that is longer than `most`; returns its length before. */
  clip(most) {
    const { gradient } = this;
    let sum = 0;
    for (let q = 0; q < gradient.length; q++) sum += gradient[q] * gradient[q];
    const length = Math.sqrt(sum);
    if (length > most) for (let q = 0; q < gradient.length; q++) gradient[q] *= most / length;
    return length;
  }

  /** An update by Adam: of all weights, or of some parts. */
  adam(rate, parts = this.parts) {
    this.updates += 1;
    const [young, flat] = BETAS.map((beta) => 1 - beta ** this.updates);
    for (const { at, rows, columns } of parts) {
      const [weight, gradient, mean, square] =
        [this.weightsAt, this.gradientAt, this.meanAt, this.squareAt].map((start) => start + 4 * at);
      this.kernels.adam(
        weight, gradient, mean, square, rows * columns, rate / young, Math.sqrt(flat), ...BETAS, EPSILON,
      );
    }
  }

  /** An update of the matrices by Muon, and of the biases by Adam. */
  muon(rate, biasRate) {
    const [weights, gradient, mean] = [this.weightsAt, this.gradientAt, this.meanAt].map((at) => this.floats(at, this.count));
    for (const { at, rows, columns } of this.parts.filter((part) => part.rows > 1)) {
      const ahead = new Float64Array(rows * columns);
      for (let q = 0; q < ahead.length; q++) {
        mean[at + q] += (1 - MOMENTUM) * (gradient[at + q] - mean[at + q]);
        ahead[q] = gradient[at + q] + MOMENTUM * (mean[at + q] - gradient[at + q]);  // Nesterov's
      }
      const step = rate * Math.sqrt(Math.max(1, columns / rows));
      orthogonal(ahead, rows, columns).forEach((value, q) => { weights[at + q] -= step * value; });
    }
    this.adam(biasRate, this.parts.filter((part) => part.rows === 1));
  }
}
