// A learner and the automaton of this minute, behind one function: what a worker runs.

import { Learner } from "./learner.js";
import { RGBA } from "./trainer.js";

const MOST_STEPS = 160;  // of the automaton that is shown, before it begins again while it learns
const PAPER = 238;  // of 255, so that white can be seen on it
const MOST_AT_ONCE = 10;  // steps for one picture

export class Classroom {
  static async create({ picture, settings, fast }) {
    return new this(await Learner.create(picture, settings, fast));
  }

  constructor(learner) {
    this.learner = learner;
    this.replant();
  }

  /** The automaton that is shown begins with a seed. */
  replant() {
    this.state = this.learner.trainer.seedState();
    this.step = 0;
    this.coins = Math.floor(this.learner.random() * 2 ** 32);
  }

  /** Runs what is shown with the weights of now. */
  advance(steps) {
    const { trainer } = this.learner;
    for (let i = 0; i < Math.min(steps, MOST_AT_ONCE); i++, this.step++) {
      this.state = trainer.rollout(this.state, 1, this.coins, this.step === 0, this.step).slice();
    }
  }

  handle(message) {
    const { learner, state } = this;
    const { trainer } = learner;
    const losses = [];
    if (message.kind === "train") {
      const start = performance.now();
      do losses.push(learner.iterate()); while (performance.now() - start < message.budget);
      if (this.step >= MOST_STEPS || !trainer.lives(state)) this.replant();
      this.advance(message.steps);
    } else if (message.kind === "watch") {
      this.advance(message.steps);
    } else if (message.kind === "replant") {
      this.replant();
    } else if (message.kind === "erase") {
      this.erase(message);
    } else if (message.kind === "aim") {
      learner.aim(message.rgba);
    } else if (message.kind === "set") {
      Object.assign(learner.settings, message.settings);
    } else if (message.kind === "weights") {
      return { ...this.report(losses), tensors: trainer.tensors(), weights: trainer.weights.slice() };
    }
    return this.report(losses);
  }

  /** Erases a disc of what is shown. */
  erase({ x, y, radius }) {
    const { height, width, channels } = this.learner.trainer;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if ((row - y) ** 2 + (column - x) ** 2 > radius ** 2) continue;
        const at = (row * width + column) * channels;
        this.state.fill(0, at, at + channels);
      }
    }
  }

  report(losses) {
    const { iteration, skipped, trainer } = this.learner;
    return {
      losses, iteration, skipped, step: this.step, pixels: this.pixels(), lives: trainer.lives(this.state),
      distance: this.learner.distance(this.state),
    };
  }

  /** The state's colours on paper, RGBA bytes. */
  pixels() {
    const { channels, cells } = this.learner.trainer;
    const pixels = new Uint8ClampedArray(RGBA * cells).fill(255);
    for (let i = 0; i < cells; i++) {
      const at = i * channels;
      const paper = PAPER * (1 - Math.min(1, Math.max(0, this.state[at + 3])));
      for (let q = 0; q < 3; q++) pixels[RGBA * i + q] = 255 * this.state[at + q] + paper;
    }
    return pixels;
  }
}
