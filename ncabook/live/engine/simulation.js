// Engines and their timeline behind one function, so that a worker or the page itself can run
// them. Messages are plain objects, and so are the answers.

import { createEngine } from "./backend.js";
import { expect } from "./description.js";
import { checkMoment } from "./events.js";
import { paint } from "./paint.js";
import { checkSnapshot, snapshotOf, withSnapshot } from "./snapshot.js";
import { Timeline } from "./timeline.js";

// What may be asked for: first what changes the state.
const CHANGES = new Set(["act", "back", "seek", "reset", "recall", "replay", "setState", "restore"]);
const MESSAGES = new Set([
  ...CHANGES, "advance", "show", "look", "inspect", "getState", "snapshot", "setFireRate", "recorded", "zoom",
]);
const ZOOMS = [1, 2, 4];
const LOOK_EVERY = { WebGL2: 64, WebAssembly: 8, JavaScript: 8 };  // steps between two looks for a runaway

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
    const { beside, film } = engines[0].description;
    this.shown = beside ? (film ? "film" : "latents") : "picture";
    this.nextFrames = 0;  // when pictures are due again
    /** The automaton that ran away, so that no step follows; undefined if none did. */
    this.stopped = undefined;
  }

  /** Does what a message asks; answers with what was asked for, else with what there is to see. */
  handle({ kind, ...values }) {
    expect(MESSAGES.has(kind), "message", kind, `one of ${[...MESSAGES].join(", ")}`);
    const answer = this[kind](values);
    if (this.stopped && CHANGES.has(kind)) this.stopped = this.timeline.runaway;
    return answer ?? this.report(kind === "advance" && values.budget > 0);
  }

  /**
   * At most `steps` steps, as many as fit in `budget` milliseconds, but one at least; none further
   * than to where an automaton runs away.
   */
  advance({ steps, budget }) {
    const { timeline } = this;
    const end = performance.now() + budget;
    const every = Math.max(...this.engines.map(({ backend }) => LOOK_EVERY[backend]));
    let sound = timeline.step;
    for (let i = 1; i <= steps && !this.stopped; i++) {
      timeline.advance();
      const over = i === steps || performance.now() >= end;
      if (over || timeline.step % every === 0) {
        if (timeline.runaway) this.stopAfter(sound);
        sound = timeline.step;
      }
      if (over) break;
    }
  }

  /** Stops at the first step after `sound`, which was in order, at which an automaton runs away. */
  stopAfter(sound) {
    const { timeline } = this;
    const seen = timeline.step;
    timeline.seek(sound);
    do timeline.advance(); while (timeline.step < seen && !timeline.runaway);
    this.stopped = timeline.runaway;
  }

  act({ event }) {
    this.timeline.act(event);
  }

  /** One step or event; where an automaton ran away, all that was done lately. */
  back() {
    if (this.stopped) this.timeline.undo();
    else this.timeline.back();
  }

  seek({ step }) {
    const { first, step: now } = this.timeline;
    expect(Number.isInteger(step) && step >= first && step <= now,
      "step", step, `a whole number from ${first} to ${now}`);
    this.timeline.seek(step);
  }

  reset() {
    this.timeline.reset();
  }

  /** The state before the last reset; where an automaton had run away, it still has. */
  recall() {
    this.timeline.recall();
    this.stopped = this.timeline.runaway;
  }

  /** The beginning of a moment that a link tells of. */
  replay(moment) {
    checkMoment(moment, this.engines[0].description);
    this.timeline.replay(moment.events, moment);
  }

  /** What a link has to tell; null where too much has happened. */
  recorded() {
    const { step, events, applied, start, whole } = this.timeline;
    return { recorded: whole ? { step, ...start, events: events.slice(0, applied) } : null };
  }

  show({ shown }) {
    this.shown = shown;
  }

  /** Draws another window, round the cell at (x, y), where a decoder reads the state at any point. */
  zoom({ times, x, y }) {
    expect(ZOOMS.includes(times), "times", times, `one of ${ZOOMS.join(", ")}`);
    expect(Number.isFinite(x) && Number.isFinite(y), "x, y", [x, y], "two numbers, in cells");
    for (const engine of this.engines) engine.local?.zoom(engine, times, x, y);
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
    const { state, cellCount, channels } = this.engines[index];
    return { state: state.subarray(0, cellCount * channels) };
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
    this.timeline.whole = false;  // nobody else has this state
  }

  /** What a file keeps of the first automaton's present, for `restore`. */
  snapshot() {
    return { snapshot: { step: this.timeline.step, ...this.timeline.settings, ...snapshotOf(this.engines[0]) } };
  }

  /**
   * Makes a snapshot the present of the first automaton; it can be taken back as a reset can.
   *
   * @throws {Error} in words, before anything changes, if it cannot be one of this automaton
   */
  restore({ snapshot }) {
    checkSnapshot(snapshot, this.engines[0]);
    this.timeline.load(withSnapshot(this.timeline.snapshot, snapshot), snapshot.step);
    this.stopped = this.timeline.runaway;
  }

  /** `hurried`: more steps follow at once, so that a picture that is slow to decode may wait. */
  report(hurried = false) {
    const { timeline, engines } = this;
    const ballots = engines.map((engine) =>
      (engine.description.votes.length === 0 ? null : engine.ballot));
    const now = performance.now();
    if (!hurried || now >= this.nextFrames) {
      // What is chosen to be shown stands beside the picture where there are two of them.
      this.frames = engines.flatMap((engine, i) =>
        (engine.description.beside ? ["picture", this.shown] : [this.shown])
          .map((shown) => paint(engine, shown, ballots[i])));
      const end = performance.now();
      // Decoding and criticism get half of the time at most, three quarters where steps are the faster
      // ones by far; all else is fast.
      const slow = this.shown === "critic" || engines.some((engine) => engine.decoder);
      this.nextFrames = slow ? end + (end - now) / (engines[0].local ? 3 : 1) : 0;
    }
    return {
      step: timeline.step,
      ...timeline.settings,
      backends: engines.map((engine) => engine.backend),
      errors: engines.map((engine) => engine.error),
      ballots: ballots.map((ballot) => ballot && { counts: ballot.counts, winner: ballot.winner }),
      // A frame that may be shown again is kept: what is sent to a page is gone from its worker.
      frames: this.nextFrames === 0
        ? this.frames : this.frames.map(({ data, ...size }) => ({ data: data.slice(), ...size })),
      canGoBack: timeline.canGoBack,
      canRecall: timeline.canRecall,
      hasPlanted: timeline.hasPlanted,
      alone: engines[0].reel ? engines[0].scene.next : null,
      stopped: this.stopped?.description.title ?? null,
    };
  }
}
