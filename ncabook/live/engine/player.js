// The live figure: an engine, a view, and the clock between them. The same for all hosts.

import { connectBrush } from "./brush.js";
import { Engine } from "./engine.js";
import { NORMAL_SPEED, SPEEDS, buildView, setButton } from "./view.js";

const FRAME_BUDGET = 10;  // milliseconds of a frame's 16 that steps may take; the page needs some
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const MOST_VISIBLE = 0.3;  // share of the canvas that has to be in view to run

class Player {
  /** `engines` run side by side, under the same controls; what is erased in one is in all. */
  constructor(element, engines, report) {
    this.engines = engines;
    [this.engine] = engines;
    this.report = report;
    this.view = buildView(element, engines.map(({ description }) => description));
    this.panes = engines.map((engine, i) => {
      const context = this.view.canvases[i].getContext("2d");
      return { engine, context, image: context.createImageData(engine.width, engine.height) };
    });
    this.playing = false;
    this.inView = false;
    this.stepsPerSecond = SPEEDS[NORMAL_SPEED].stepsPerSecond;
    this.frame = 0;
    this.connect();
    this.draw();
  }

  connect() {
    const { view, engines } = this;
    view.play.addEventListener("click", () => this.setPlaying(!this.playing, true));
    view.step.addEventListener("click", () => this.stepOnce());
    view.reset.addEventListener("click", () => this.reset());
    view.classes.forEach((input, index) =>
      input.addEventListener("change", () => this.setClass(index)));
    view.speeds.forEach((input, index) =>
      input.addEventListener("change", () => {
        this.stepsPerSecond = SPEEDS[index].stepsPerSecond;
      }));
    this.disconnectBrush = connectBrush(view, {
      erase: (x, y, radius) => {
        engines.forEach((engine) => engine.erase(x, y, radius));
        this.draw();
      },
      plant: (x, y) => {
        engines.forEach((engine) => engine.plant(x, y));
        this.draw();
        this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
      },
      say: (text) => this.say(text),
    });
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      this.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.bed);
  }

  /** Speaks to screen readers. */
  say(text) {
    this.view.status.textContent = text;
  }

  setPlaying(playing, aloud) {
    this.playing = playing;
    setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    if (aloud) this.say(playing ? "Playing" : `Paused at step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
    this.schedule();
  }

  stepOnce() {
    if (this.playing) this.setPlaying(false, false);
    this.stepAll();
    this.draw();
    this.say(`Step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
  }

  stepAll() {
    this.engines.forEach((engine) => engine.step());
  }

  reset() {
    this.engines.forEach((engine) => engine.reset());
    this.draw();
    this.say("Reset to a single seed cell");
    this.report({ steps: 0 });
  }

  setClass(index) {
    this.engines.forEach((engine) => engine.setClass(index));
    this.view.classes[index].checked = true;
    this.say(`Now growing into ${this.engine.description.classes[index].name}`);
    this.report({ classIndex: index });
  }

  draw() {
    for (const { engine, context, image } of this.panes) {
      engine.paint(image.data);
      context.putImageData(image, 0, 0);
    }
    this.view.steps.textContent = this.engine.stepCount;
  }

  /** Starts the clock if it should run and does not. */
  schedule() {
    const runs = this.playing && this.inView;
    if (runs && this.frame === 0) {
      this.due = 0;
      this.lastFrame = performance.now();
      this.measured = { since: this.lastFrame, steps: 0 };
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (!runs && this.frame !== 0) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.view.rate.textContent = "0";
    }
  }

  /** One frame: as many steps as are due, as far as the budget allows. */
  tick(now) {
    const elapsed = Math.max(0, now - this.lastFrame);
    this.lastFrame = now;
    this.due += elapsed / 1000 * this.stepsPerSecond;
    const steps = this.runDue();
    if (steps > 0) this.draw();
    this.measure(now, steps);
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  runDue() {
    const end = performance.now() + FRAME_BUDGET;
    let steps = 0;
    while (this.due >= 1 && performance.now() < end) {
      this.stepAll();
      this.due -= 1;
      steps += 1;
    }
    this.due = Math.min(this.due, 1);  // what this device cannot do in time is dropped
    return steps;
  }

  measure(now, steps) {
    const { measured } = this;
    measured.steps += steps;
    const elapsed = now - measured.since;
    if (elapsed < RATE_WINDOW) return;
    this.view.rate.textContent = Math.round(1000 * measured.steps / elapsed);
    this.report({ steps: this.engine.stepCount });
    this.measured = { since: now, steps: 0 };
  }

  destroy() {
    this.playing = false;
    this.schedule();
    this.observer.disconnect();
    this.disconnectBrush();
    this.view.root.remove();
  }
}

/**
 * Puts a live figure at the beginning of `element`, which gets the properties `ncaEngine` and
 * `ncaPlayer`.
 *
 * @param {Element} element where
 * @param {object[]} descriptions what ncabook.live.describe returns, for each automaton
 * @param {Uint8Array} weights and their bytes, one after another
 * @param {function} report called with {steps} or {classIndex} when they change
 * @returns {Promise<Player>} a player, to be ended with destroy()
 */
export async function mount(element, descriptions, weights, report = () => {}) {
  try {
    let end = 0;
    const engines = await Promise.all(descriptions.map((description, i) => {
      const start = end;
      end = i === descriptions.length - 1 ? weights.length : start + description.weights_bytes;
      return Engine.create(description, weights.subarray(start, end));
    }));
    const player = new Player(element, engines, report);
    [element.ncaEngine] = engines;
    element.ncaPlayer = player;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm) player.setPlaying(true, false);
    return player;
  } catch (error) {
    const message = document.createElement("p");
    message.setAttribute("role", "alert");
    message.textContent = error.message;
    element.prepend(message);
    throw error;
  }
}
