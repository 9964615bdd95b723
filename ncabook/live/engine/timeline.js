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

  /** Back to the start, of the class and the turn asked for last; of all events drawings and grafts stay. */
  reset() {
    const drawn = this.events.slice(0, this.applied).filter(({ kind }) => kind === "draw" || kind === "graft");
    const { whole } = this;
    const kept = whole ? [] : this.engines.map((engine) => engine.drawn);
    this.begin(() => kept.forEach((planes, i) => { this.engines[i].drawn = planes; }));
    const { fixed, rules } = this.engines[0].description;
    this.whole = whole || (fixed === 0 && !rules);  // else something may have been drawn
    if (whole) drawn.forEach((event) => this.act(event));
  }

  /** From the seed of `classIndex`, seen turned by `degrees`, with what happened elsewhere still to come. */
  replay(events, classIndex, degrees = 0) {
    this.engines.forEach((engine) => {
      engine.setClass(classIndex);
      engine.turn(degrees);
    });
    this.begin(() => {});
    this.events = events;
    this.catchUp();
  }

  /** A new beginning: step 0, the seed, and whatever `change` makes of it. */
  begin(change) {
    this.engines.forEach((engine) => engine.reset());
    change();
    this.startClass = this.engines[0].classIndex;
    this.startDegrees = this.engines[0].degrees;
    this.events = [];
    this.applied = 0;
    this.interval = SNAPSHOT_EVERY;
    this.snapshots = new Map();
    /** Whether the events tell all that has happened since the start. */
    this.whole = true;
    this.arrive();
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
    return this.step > this.first || this.applied > 0;
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

  /** Takes back the last event, for good, if nothing happened since; else the last step. */
  back() {
    const last = this.events[this.applied - 1];
    if (last !== undefined && last.step === this.step) {
      this.events.length = this.applied - 1;
      this.seek(this.step);
    } else if (this.step > this.first) {
      this.seek(this.step - 1);
    }
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
    const { states, maps, planted, classIndex, degrees, before } = this.snapshots.get(from);
    this.engines.forEach((engine, i) => {
      engine.setClass(classIndex);
      engine.turn(degrees);
      engine.ruleMap.set(maps[i]);
      engine.restore(states[i], from, planted[i]);
    });
    this.applied = before;
    this.catchUp();
    while (this.step < step) {
      this.engines.forEach((engine) => engine.step());
      this.catchUp();
    }
  }

  apply() {
    for (const engine of this.engines) applyEvent(engine, this.events[this.applied]);
    this.applied += 1;
  }

  /** Keeps the state on arrival at a step, before its events. */
  arrive() {
    if (this.step % this.interval === 0) this.keep();
  }

  keep() {
    const states = this.engines.map((engine) => engine.state);
    const maps = this.engines.map((engine) => engine.ruleMap.slice());
    const planted = this.engines.map((engine) => engine.fresh);
    const { classIndex, degrees } = this.engines[0];
    this.snapshots.set(this.step, { states, maps, planted, classIndex, degrees, before: this.applied });
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
