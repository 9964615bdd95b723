// Classifier-free guidance: a second automaton grows beside the first, by the same rule and the same
// coins, from a seed of no class. Both make a step; with the changes Δu and Δc the first one's is
// Δu + w (Δc − Δu). With w = 1 it is as it was without.

import { checkDescription } from "./description.js";
import { Engine } from "./engine.js";

export class GuidedEngine extends Engine {
  /** Arguments as for {@link Engine}; the description's `free` is the seed of no class. */
  static async create(description, weights, fast = true) {
    checkDescription(description, weights);
    const { free, ...rest } = description;
    const other = await Engine.create({ ...rest, seeds: rest.seeds.map(() => free) }, weights, fast);
    const engine = await super.create(description, weights, fast);
    engine.other = other;
    return engine;
  }

  get both() {
    return [this, ...(this.other ? [this.other] : [])];  // without, while it is being made
  }

  step() {
    const { other, weight, stride } = this;
    const { fixed, channels } = this.description;
    const before = weight === 1 ? null : this.both.map((engine) => engine.cellsToRead.slice());
    other.fireRate = this.fireRate;
    super.step();
    other.step();
    if (before === null) return;
    const [own, free] = before;
    const [after, freely] = this.both.map((engine) => engine.cells);
    for (let at = 0; at < own.length; at += stride) {
      for (let i = at + fixed; i < at + channels; i++) {
        const change = freely[i] - free[i];
        after[i] = own[i] + change + weight * (after[i] - own[i] - change);
      }
    }
  }

  /** What both hold, one behind the other. */
  get state() {
    const states = this.both.map((engine) => (engine === this ? super.state : engine.state));
    const whole = new Float32Array(states.length * states[0].length);
    states.forEach((state, i) => whole.set(state, i * state.length));
    return whole;
  }

  fits(rest) {
    return rest.length === 0 || (rest.length === this.cellCount * this.channels && rest.every(Number.isFinite));
  }

  /** Of a single state, both begin with it. */
  restore(state, stepCount, planted = []) {
    const length = this.cellCount * this.channels;
    super.restore(state.subarray(0, length), stepCount, planted);
    this.other?.restore(state.length > length ? state.subarray(length) : state, stepCount, planted);
  }

  reset() {
    super.reset();
    this.other?.reset();
  }

  setClass(index) {
    super.setClass(index);
    this.other?.setClass(index);
  }

  choose(index) {
    super.choose(index);
    this.other?.choose(index);
  }

  plant(x, y) {
    super.plant(x, y);
    this.other?.plant(x, y);
  }

  erase(where) {
    super.erase(where);
    this.other?.erase(where);
  }

  disturb(where) {
    super.disturb(where);
    this.other?.disturb(where);
  }

  paint(where) {
    super.paint(where);
    this.other?.paint(where);
  }

  graft(where) {
    super.graft(where);
    this.other?.graft(where);
  }
}
