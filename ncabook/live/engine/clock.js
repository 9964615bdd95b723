// The clock of a player: frame by frame, it asks for the steps that are due.

import { SPEEDS } from "./extra.js";

export const STEP_BUDGET = 12;  // milliseconds of steps for one frame
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const MOST_AT_ONCE = 10000;  // steps asked for in one message

export class Clock {
  constructor(player) {
    this.player = player;
    this.frame = 0;
    this.busy = false;  // an advance has been asked for and not been answered
  }

  get stepsPerSecond() {
    return SPEEDS[this.player.view.speed.value].stepsPerSecond;
  }

  /** Starts the clock if it should run and does not, or ends it. */
  schedule() {
    const { player } = this;
    const runs = player.playing && player.inView;
    if (runs && this.frame === 0) {
      this.due = 0;
      this.lastFrame = performance.now();
      this.measured = { since: this.lastFrame, step: player.last.step };
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (!runs && this.frame !== 0) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      player.view.rate.textContent = "0";
    }
  }

  /** One frame: asks for the steps that are due, unless the last ones are still being made. */
  tick(now) {
    const elapsed = Math.max(0, now - this.lastFrame);
    this.lastFrame = now;
    this.due = Math.min(this.due + elapsed / 1000 * this.stepsPerSecond, MOST_AT_ONCE);
    if (this.due >= 1 && !this.busy) this.advance(Math.floor(this.due));
    this.measure(now);
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  async advance(steps) {
    this.busy = true;
    try {
      await this.player.ask({ kind: "advance", steps, budget: STEP_BUDGET });
    } catch {
      this.player.setPlaying(false, false);  // why has been said
    } finally {
      this.busy = false;
    }
    this.due = Math.min(this.due - steps, 1);  // what this device cannot do in time is dropped
  }

  measure(now) {
    const { measured, player } = this;
    const elapsed = now - measured.since;
    if (elapsed < RATE_WINDOW) return;
    const { step } = player.last;
    player.view.rate.textContent = Math.max(0, Math.round(1000 * (step - measured.step) / elapsed));
    player.tell({ steps: step });
    this.measured = { since: now, step };
  }
}
