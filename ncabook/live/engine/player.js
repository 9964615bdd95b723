// The live figure: an engine, a view, and the clock between them. The same for all hosts.

import { connectBrush } from "./brush.js";
import { Engine } from "./engine.js";
import { NORMAL_SPEED, SPEEDS, buildView, setButton } from "./view.js";

const FRAME_BUDGET = 10;  // milliseconds of a frame's 16 that steps may take; the page needs some
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const MOST_VISIBLE = 0.3;  // share of the canvas that has to be in view to run

class Player {
  constructor(element, engine, report) {
    this.engine = engine;
    this.report = report;
    this.view = buildView(element, engine.description);
    this.context = this.view.canvas.getContext("2d");
    this.image = this.context.createImageData(engine.width, engine.height);
    this.playing = false;
    this.inView = false;
    this.stepsPerSecond = SPEEDS[NORMAL_SPEED].stepsPerSecond;
    this.frame = 0;
    this.connect();
    this.draw();
  }

  connect() {
    const { view, engine } = this;
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
      erase: (x, y, radius) => { engine.erase(x, y, radius); this.draw(); },
      plant: (x, y) => {
        engine.plant(x, y);
        this.draw();
        this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
      },
      say: (text) => this.say(text),
    });
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      this.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.canvas);
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
    this.engine.step();
    this.draw();
    this.say(`Step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
  }

  reset() {
    this.engine.reset();
    this.draw();
    this.say("Reset to a single seed cell");
    this.report({ steps: 0 });
  }

  setClass(index) {
    this.engine.setClass(index);
    this.view.classes[index].checked = true;
    this.say(`Now growing into ${this.engine.description.classes[index].name}`);
    this.report({ classIndex: index });
  }

  draw() {
    this.engine.paint(this.image.data);
    this.context.putImageData(this.image, 0, 0);
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
      this.engine.step();
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
 * @param {object} description what ncabook.live.describe returns
 * @param {Uint8Array} weights and its bytes
 * @param {function} report called with {steps} or {classIndex} when they change
 * @returns {Promise<Player>} a player, to be ended with destroy()
 */
export async function mount(element, description, weights, report = () => {}) {
  try {
    const engine = await Engine.create(description, weights);
    const player = new Player(element, engine, report);
    element.ncaEngine = engine;
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
