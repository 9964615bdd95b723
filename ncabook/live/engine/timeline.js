// What happened to the automata of a figure, so that it can be taken back, and told to others.
//
// A step is determined by the state and its number, so events and some states are enough to come
// back to any moment, and events alone to show it elsewhere.

import { MOST_EVENTS, applyEvent, checkEvent } from "./events.js";

const SNAPSHOT_EVERY = 16;
const SAME_STROKE = 12;  // steps: what is done so soon after the last time belongs to it
const RECENT = 240;  // steps that what was done may need to have its effect
const MOST_BYTES = 16 * 2 ** 20;  // of all snapshots together; then every other one is forgotten

export class Timeline {
  constructor(engines) {
    this.engines = engines;
    this.begin(() => {});
  }

  get step() {
    return this.engines[0].stepCount;
  }

  /** Back to the start, of the class, turn and guidance asked for last; of all events drawings and grafts stay. */
  reset() {
    const drawn = this.events.slice(0, this.applied).filter(({ kind }) => kind === "draw" || kind === "graft");
    const { fixed, rules, erased } = this.engines[0].description;
    const whole = this.whole || erased !== undefined;  // what was erased there is no drawing
    const kept = whole ? [] : this.engines.map((engine) => engine.drawn);
    const past = this.atStart && !this.loaded ? this.past : this.present;
    this.begin(() => kept.forEach((planes, i) => { this.engines[i].drawn = planes; }));
    this.whole = whole || (fixed === 0 && !rules);  // else something may have been drawn
    if (whole) drawn.forEach((event) => this.act(event));
    this.past = past;
    this.kept = this.applied;
  }

  /** Whether nothing happened since the start, the reset, or what was loaded. */
  get atStart() {
    return this.step === this.begun && this.applied === this.kept;
  }

  /** All that a reset, or a load, ends. */
  get present() {
    const { step, events, applied, kept, interval, snapshots, whole, start, begun, loaded } = this;
    const story = { events, applied, kept, interval, snapshots, whole, start, begun, loaded };
    return { step, story, snapshot: this.snapshot };
  }

  /** Whether the last reset, or load, can be taken back: nothing was done since, though steps were made. */
  get canRecall() {
    return this.past !== undefined && this.applied === this.kept;
  }

  /** Takes back the last reset, or load, for good. */
  recall() {
    if (!this.canRecall) return;
    const { step, story, snapshot } = this.past;
    Object.assign(this, story, { past: undefined });
    this.put(snapshot, step);
  }

  /** A snapshot of a step that was taken elsewhere becomes the beginning. */
  load(snapshot, step) {
    const past = this.present;
    this.begin(() => this.put(snapshot, step));
    Object.assign(this, { whole: false, loaded: true, past });  // nobody else has this state
  }

  /** From a start as `settings` has it, with what happened elsewhere still to come. */
  replay(events, settings) {
    this.set(settings);
    this.begin(() => {});
    this.events = events;
    this.catchUp();
  }

  /** The class, the turn and the guidance of the automata. */
  get settings() {
    const [{ classIndex, degrees, weight }] = this.engines;
    return { classIndex, degrees, weight };
  }

  set({ classIndex, degrees = 0, weight = 1 }) {
    for (const engine of this.engines) {
      engine.setClass(classIndex);
      engine.turn(degrees);
      engine.guide(weight);
    }
  }

  /** A new beginning: step 0, the seed, and whatever `change` makes of it, another step too. */
  begin(change) {
    this.engines.forEach((engine) => engine.reset());
    change();
    this.start = this.settings;
    this.begun = this.step;
    this.loaded = false;
    this.events = [];
    this.applied = 0;
    /** What the last reset, or load, ended, and how many events it left. */
    this.past = undefined;
    this.kept = 0;
    this.interval = SNAPSHOT_EVERY;
    this.snapshots = new Map();
    /** Whether the events tell all that has happened since the start. */
    this.whole = true;
    this.keep();
  }

  /**
   * Does something now: {kind, ...}. What had been recorded for later no longer happens.
   *
   * @throws {Error} if it is no event of these automata
   */
  act(event) {
    checkEvent(event, this.engines[0].description);
    this.events.length = this.applied;
    this.events.push({ ...event, step: this.step });
    this.apply();
    if (this.applied === MOST_EVENTS) this.forget();
  }

  /** Lets the present be where the past begins: memory is bounded, however long somebody plays. */
  forget() {
    this.events = [];
    this.applied = 0;
    this.past = undefined;
    this.whole = false;
    this.snapshots.clear();
    this.keep();
  }

  /** The first automaton whose numbers run away; undefined if none does. */
  get runaway() {
    return this.engines.find((engine) => engine.runsAway);
  }

  /** The earliest step that can be shown again. */
  get first() {
    return Math.min(...this.snapshots.keys());
  }

  get canGoBack() {
    return this.step > this.first || this.applied > 0 || this.canRecall;
  }

  /** Whether the reader's seeds are among what has been done. */
  get hasPlanted() {
    return this.events.slice(0, this.applied).some(({ kind }) => kind === "plant");
  }

  /** One step, and then what is recorded for that moment. */
  advance() {
    this.engines.forEach((engine) => engine.step());
    this.arrive();
    this.catchUp();
  }

  /** Does what is recorded up to the present moment and has not been done. */
  catchUp() {
    while (this.applied < this.events.length && this.events[this.applied].step <= this.step) {
      this.apply();
    }
  }

  /** Takes back the last event, for good, if nothing happened since; else the last step, or the reset or load. */
  back() {
    if (this.atStart && this.canRecall) return this.recall();
    const last = this.events[this.applied - 1];
    if (last !== undefined && last.step === this.step) {
      this.events.length = this.applied - 1;
      return this.seek(this.step);
    }
    return this.step > this.first ? this.seek(this.step - 1) : undefined;
  }

  /** Takes back the last stroke, for good, if it was lately; else the last event or step. */
  undo() {
    const { events } = this;
    let [first, until] = [this.applied, this.step - RECENT];
    while (first > 0 && events[first - 1].step >= until) {
      first -= 1;
      until = events[first].step - SAME_STROKE;
    }
    if (first === this.applied) return this.back();
    const { step } = events[first];
    events.length = first;
    return this.seek(step);
  }

  /** The state at a step that was reached before, with all that happened up to it. */
  seek(step) {
    const from = Math.max(...[...this.snapshots.keys()].filter((at) => at <= step));
    const snapshot = this.snapshots.get(from);
    this.put(snapshot, from);
    this.applied = snapshot.before;
    this.catchUp();
    while (this.step < step) {
      this.engines.forEach((engine) => engine.step());
      this.catchUp();
    }
  }

  /** Gives the automata what a snapshot of a step holds. */
  put({ states, maps, planted, settings }, step) {
    this.set(settings);
    this.engines.forEach((engine, i) => {
      engine.ruleMap.set(maps[i]);
      engine.restore(states[i], step, planted[i]);
    });
  }

  apply() {
    for (const engine of this.engines) applyEvent(engine, this.events[this.applied]);
    this.applied += 1;
  }

  /** Keeps the state on arrival at a step, before its events. */
  arrive() {
    if (this.step % this.interval === 0) this.keep();
  }

  /** What the automata hold now. */
  get snapshot() {
    const states = this.engines.map((engine) => engine.state);
    const maps = this.engines.map((engine) => engine.ruleMap.slice());
    const planted = this.engines.map((engine) => engine.fresh);
    return { states, maps, planted, settings: this.settings, before: this.applied };
  }

  keep() {
    const { snapshot } = this;
    const { states } = snapshot;
    this.snapshots.set(this.step, snapshot);
    const bytes = states.reduce((sum, state) => sum + state.byteLength, 0);
    if (bytes * this.snapshots.size > MOST_BYTES && this.snapshots.size > 2) {
      this.interval *= 2;
      const { first } = this;
      for (const at of this.snapshots.keys()) {
        if (at % this.interval !== 0 && at !== first) this.snapshots.delete(at);
      }
    }
  }
}
