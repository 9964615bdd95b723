// Engines and their timeline behind one function, so that a worker or the page itself can run
// them. Messages are plain objects, and so are the answers.

import { createEngine } from "./backend.js";
import { paint } from "./paint.js";
import { Timeline } from "./timeline.js";

export class Simulation {
  /**
   * `descriptions`, and their weights one after another; targets are the first one's. `force`: a
   * backend, see createEngine.
   */
  static async create(descriptions, weights, force) {
    let end = 0;
    const engines = await Promise.all(descriptions.map((description, i) => {
      const start = end;
      end = i === descriptions.length - 1 ? weights.length : start + description.weights_bytes;
      return createEngine(description, weights.subarray(start, end), force);
    }));
    for (const engine of engines) engine.targets ??= engines[0].targets;
    return new Simulation(engines);
  }

  constructor(engines) {
    this.engines = engines;
    this.timeline = new Timeline(engines);
    this.shown = "picture";
    this.nextFrames = 0;  // when pictures are due again
  }

  /** Does what a message asks; answers with what was asked for, else with what there is to see. */
  handle({ kind, ...values }) {
    return this[kind](values) ?? this.report(kind === "advance" && values.budget > 0);
  }

  /** At most `steps` steps, as many as fit in `budget` milliseconds, but one at least. */
  advance({ steps, budget }) {
    const end = performance.now() + budget;
    for (let i = 0; i < steps; i++) {
      this.timeline.advance();
      if (performance.now() >= end) break;
    }
  }

  act({ event }) {
    this.timeline.act(event);
  }

  back() {
    this.timeline.back();
  }

  seek({ step }) {
    this.timeline.seek(step);
  }

  reset() {
    this.timeline.reset();
  }

  replay({ events, classIndex, degrees }) {
    this.timeline.replay(events, classIndex, degrees);
  }

  show({ shown }) {
    this.shown = shown;
  }

  /** Nothing changes; for a first look. */
  look() {}

  /** All numbers of the cell at (x, y) in each automaton and of its window, and the size of its last change. */
  inspect({ x, y }) {
    const cells = this.engines.map((engine) => {
      const { cellsToRead, stride, height, width, description: { channels } } = engine;
      const i = y * width + x;
      const near = (n) => (y + Math.floor(n / 3) - 1 + height) % height * width + (x + n % 3 - 1 + width) % width;
      const around = Array.from({ length: 9 }, (_, n) =>
        [...cellsToRead.subarray(near(n) * stride, near(n) * stride + channels)]);
      return {
        values: around[4],
        around,
        change: engine.changes[i],
        rule: engine.ruleMap[i],
      };
    });
    return { cells };
  }

  /** A copy of the whole state of an engine, [row][column][channel]. */
  getState({ index = 0 }) {
    return { state: this.engines[index].state };
  }

  setFireRate({ rate }) {
    for (const engine of this.engines) engine.fireRate = rate;
  }

  /** Replaces the state of an engine, [row][column][channel]; what was recorded is forgotten. */
  setState({ state, index = 0 }) {
    const engine = this.engines[index];
    const length = engine.cellCount * engine.channels;
    if (state.length !== length) {
      throw new RangeError(`live figure: a state of ${state.length} numbers; expected ${length}, ` +
        `${engine.height} rows of ${engine.width} cells of ${engine.channels} channels`);
    }
    this.timeline.begin(() => engine.restore(Float32Array.from(state), 0));
  }

  /** `hurried`: more steps follow at once, so that a picture that is slow to decode may wait. */
  report(hurried = false) {
    const { timeline, engines } = this;
    const ballots = engines.map((engine) =>
      (engine.description.votes.length === 0 ? null : engine.ballot));
    const now = performance.now();
    if (!hurried || now >= this.nextFrames) {
      this.frames = engines.map((engine, i) => paint(engine, this.shown, ballots[i]));
      const end = performance.now();
      // Decoding gets half of the time at most; what is not decoded is fast.
      this.nextFrames = engines.some((engine) => engine.decoder) ? 2 * end - now : 0;
    }
    return {
      step: timeline.step,
      classIndex: engines[0].classIndex,
      degrees: engines[0].degrees,
      backends: engines.map((engine) => engine.backend),
      errors: engines.map((engine) => engine.error),
      ballots: ballots.map((ballot) => ballot && { counts: ballot.counts, winner: ballot.winner }),
      // A frame that may be shown again is kept: what is sent to a page is gone from its worker.
      frames: this.nextFrames === 0
        ? this.frames : this.frames.map(({ data, ...size }) => ({ data: data.slice(), ...size })),
      canGoBack: timeline.step > 0 || timeline.applied > 0,
      recorded: {
        events: timeline.events.slice(0, timeline.applied),
        classIndex: timeline.startClass,
        degrees: timeline.startDegrees,
      },
    };
  }
}
