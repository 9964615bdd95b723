// The live figure: automata behind a link, and a view. The same for all hosts.

import { connectBrush } from "./brush.js";
import { Clock, STEP_BUDGET } from "./clock.js";
import { Display } from "./display.js";
import { setButton } from "./elements.js";
import { Hold } from "./hold.js";
import { Takeaway } from "./share.js";
import { drawsLines, toolEvent } from "./tools.js";
import { buildView, setOpen } from "./view.js";
import { throwEvent } from "./watch.js";
import { Zoom } from "./zoom.js";

const TRAVEL_BUDGET = 40;  // milliseconds of steps for a picture on the way to a moment
const MOST_VISIBLE = 0.3;  // share of the grids that has to be in view to run
const chosen = (inputs) => inputs.findIndex(({ checked }) => checked);

export class Player {
  /** `report`: what to call with {steps}, {classIndex}, {playing} or {events} when they change; or null. */
  constructor(element, descriptions, link, report) {
    Object.assign(this, { element, descriptions, link, report });
    this.view = buildView(element, descriptions);
    this.display = new Display(this.view, descriptions);
    this.chart = this.display.chart;
    this.playing = false;
    this.inView = false;
    this.clock = new Clock(this);
    this.reading = false;
    this.salt = 0;
    this.setting = 0;
    this.journey = null;  // on the way to a moment that a link tells of
    this.fireRate = descriptions[0].fire_rate;
    this.canvas = Number(this.view.canvasSize?.value);
    this.last = null;
    this.connect();
    this.draw(link.first);
  }

  connect() {
    const { view } = this;
    const click = (button, action) => button.addEventListener("click", action);
    click(view.play, () => this.setPlaying(!this.playing && this.journey === null, true));
    click(view.step, () => this.stepOnce());
    click(view.back, () => this.stepBack());
    click(view.reset, () => this.reset());
    click(view.undo, () => this.recall());
    click(view.more, () => {
      setOpen(view, view.extra.hidden);
      if (!view.extra.hidden) this.display.drawCurve(this.last);  // nobody could see it until now
    });
    this.takeaway = new Takeaway(this);
    view.watching.forEach((input, alone) => input.addEventListener("change", () =>
      this.act({ kind: "watch", alone: Boolean(alone) })));
    view.classes.forEach((input, index) =>
      input.addEventListener("change", () => this.setClass(index)));
    view.channel.addEventListener("change", () => this.show(view.channel.value));
    view.turn?.addEventListener("input", () => this.set({ kind: "turn", degrees: Number(view.turn.value) }));
    view.guide?.addEventListener("input", () => this.set({ kind: "guide", weight: Number(view.guide.value) / 10 }));
    // A browser that took a picture away gives back an empty canvas.
    view.canvases.forEach((canvas) =>
      canvas.addEventListener("contextrestored", () => this.ask({ kind: "look" })));
    this.zoom = new Zoom(this);
    this.hold = new Hold(view, (text) => this.say(text));
    this.disconnectBrush = connectBrush(view, {
      use: (x, y) => this.useBrush(x, y),
      draws: () => drawsLines(this.tool),
      throws: () => this.tool === "throw",
      throw: (from, to) => this.act(throwEvent(this.descriptions[0], from, to, this.salt++)),
      plants: () => this.plants,
      plant: (x, y) => this.plant(x, y),
      read: (x, y, pane, aloud) => this.read(x, y, pane, aloud),
      touch: (place, shown) => this.zoom.touch(place, shown),
      say: (text) => this.say(text),
    }, this.hold);
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      if (!this.inView) this.hold.set(false);  // else the reader is caught when coming back
      this.clock.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.bed);
  }

  /** Whether it grows from seeds, so that some can be planted. */
  get plants() {
    return this.view.brushes.some(({ tool }) => tool === "seed");
  }

  get tool() {
    return this.view.root.dataset.tool;
  }

  /** Speaks to screen readers. */
  say(text) {
    this.display.say(text);
  }

  /** Says something to everybody, until there is something else, or nothing, to say. */
  notify(text, aloud = true) {
    this.display.notify(text, aloud);
  }

  /** Tells the host. */
  tell(changes) {
    this.report?.(changes);
  }

  /** Sends a message and promises the answer; what is wrong with it is said, too. */
  async send(message) {
    try {
      return await this.link.send(message);
    } catch (error) {
      if (!this.ended) this.notify(error.message);
      throw error;
    }
  }

  /** Sends a message, shows what came of it, and promises it. */
  async ask(message) {
    const answer = await this.send(message);
    if (!this.ended && answer.frames !== undefined) this.draw(answer);
    return answer;
  }

  setPlaying(playing, aloud) {
    this.halt();
    this.playing = playing;
    setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    if (aloud && playing) this.say("Playing");
    this.tell({ steps: this.last.step, playing });
    this.clock.schedule();
    if (!playing) this.settle(aloud);
  }

  /** Shows where it has stopped: the last picture may have waited, and steps have been under way. */
  async settle(aloud) {
    await this.ask({ kind: "look" });
    if (aloud && !this.playing && !this.ended) this.say(`Paused at step ${this.last.step}`);
  }

  /** Ends a journey where it is. */
  halt() {
    if (this.journey === null) return;
    this.journey = null;
    this.notify("");
    setButton(this.view.play, "play", "Play");
  }

  /** Neither plays nor travels on. */
  rest() {
    this.halt();
    if (this.playing) this.setPlaying(false, false);
  }

  async stepOnce() {
    this.rest();
    await this.ask({ kind: "advance", steps: 1, budget: 0 });
    this.sayWhere();
  }

  async stepBack() {
    this.rest();
    await this.ask({ kind: "back" });
    this.sayWhere();
  }

  sayWhere() {
    const votes = this.view.votes.map(({ row }) => row.getAttribute("aria-label"));
    const curve = this.last.errors.some((error) => error !== null) ? [this.chart.describe()] : [];
    this.say([`Step ${this.last.step}.`, ...curve, ...votes].join(" "));
    this.tell({ steps: this.last.step });
  }

  async reset() {
    this.halt();
    this.notify("");
    this.chart.keep();
    this.view.undo.setAttribute("aria-label", "Undo the reset");
    await this.ask({ kind: "reset" });
    this.say(this.plants ? "Reset to a single seed cell" : "Reset to the start");
    this.tell({ steps: 0 });
  }

  /** What a file keeps of this moment; see {@link Simulation#snapshot}. */
  async snapshot() {
    const { snapshot } = await this.link.send({ kind: "snapshot" });
    return snapshot;
  }

  /**
   * Rests at a moment that was kept; as a reset, it can be taken back.
   *
   * @throws {Error} in words if it cannot be one of this automaton; nothing has changed then
   */
  async restore(snapshot) {
    const { playing } = this;
    this.rest();  // else a step may follow that was asked for meanwhile
    let report;
    try {
      report = await this.link.send({ kind: "restore", snapshot });
    } catch (error) {
      if (playing && !this.ended) this.setPlaying(true, false);
      throw error;
    }
    if (this.ended) return;
    this.notify("");
    this.chart.begin();
    this.view.undo.setAttribute("aria-label", "Undo the load");
    this.draw(report);
    this.tell({ steps: report.step, classIndex: report.classIndex, events: [] });
  }

  /** Takes the last reset, or load, back. */
  async recall() {
    const { undo, reset } = this.view;
    this.rest();
    if (undo.matches(":focus")) reset.focus();  // it disappears
    this.chart.recall();
    await this.ask({ kind: "recall" });
    this.sayWhere();
  }

  async setClass(index) {
    const { classes, inputs, seeds, film } = this.descriptions[0];
    const chosen = Boolean(seeds) && this.last.hasPlanted;  // who has planted goes on planting
    await this.act({ kind: chosen ? "choose" : "mutate", index });
    const now = chosen ? "To be planted:" : film ? "A new film:" : seeds ? "A new seed, of" : inputs === null ? "Now growing into" : "Now reading";
    this.say(`${now} ${classes[index].name}`);
    this.tell({ classIndex: index });
  }

  /** What a slider asks for. */
  async set(event) {
    this.setting += 1;  // what comes meanwhile tells of the old value
    await this.act(event);
    this.setting -= 1;
  }

  setFireRate(rate) {
    this.fireRate = rate;
    return this.ask({ kind: "setFireRate", rate });
  }

  async plant(x, y) {
    if (!this.plants) return;
    await this.act({ kind: "plant", x, y });
    this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
  }

  useBrush(column, row) {
    const { tool } = this;
    const [x, y] = [column, row].map((v) => Math.round(10 * v) / 10);
    if (tool === "seed") return this.plant(Math.round(column), Math.round(row));
    this.salt += 1;
    if (tool === "throw") return this.act(throwEvent(this.descriptions[0], { x, y }, { x, y }, this.salt));
    return this.act(toolEvent(tool, { x, y, size: Number(this.view.size.value) }, {
      salt: this.salt, ink: chosen(this.view.inks), rule: chosen(this.view.rules),
    }));
  }

  /** Does something to all automata, and marks it in the curve. */
  async act(event) {
    this.halt();
    const report = await this.send({ kind: "act", event });
    if (this.ended) return;
    this.chart.mark(report.step, this.last.errors, report.errors);
    this.draw(report);
    if (this.report === null) return;
    const { recorded } = await this.send({ kind: "recorded" });
    this.tell({ steps: report.step, events: recorded?.events ?? [] });
  }

  show(shown) {
    const { key } = this.view;
    key.hidden = ["picture", "film", "latents", "codes", "fired", "rules"].includes(shown);
    [key.firstChild.textContent, key.lastChild.textContent] = shown === "critic" ? ["made", "real"] : ["−1", "1"];
    this.view.root.dataset.shown = shown;
    const channel = Number(shown);
    return this.ask({ kind: "show", shown: Number.isNaN(channel) ? shown : channel });
  }

  /** Reads a cell of one grid; the next is read when this one is there. */
  async read(x, y, pane, aloud = false) {
    if ((this.reading || this.view.extra.hidden) && !aloud) return;
    this.reading = true;
    const { cells } = await this.send({ kind: "inspect", x, y });
    this.reading = false;
    if (this.ended) return;
    const automaton = this.view.automata[pane];
    this.display.showCell(cells[automaton], automaton, x, y, aloud);
  }

  draw(report) {
    this.last = report;
    // On paper the poster stands for a figure to which nothing has happened yet.
    this.element.toggleAttribute("data-nca-fresh", report.step === 0 && !report.canGoBack);
    this.display.show(report, this.setting === 0);
    this.takeaway.draw();
    this.heed(report);
    this.display.addErrors(report, !this.playing);
  }

  /** Stops where an automaton ran away, and says so until it is taken back. */
  heed({ stopped, step }) {
    const { dataset } = this.view.notice;
    if (stopped !== null) {
      if (this.playing) this.setPlaying(false, false);
      this.halt();
      const who = this.descriptions.length > 1 ? `${stopped}: ` : "";
      if (dataset.step === String(step)) return;
      dataset.step = step;
      this.notify(`${who}Stopped at step ${step}: the automaton's numbers grow beyond all bounds. ` +
        "Back undoes what was done last, Reset begins again.");
    } else if (dataset.step !== undefined) {
      delete dataset.step;
      this.notify("");
    }
  }

  /** Shows a moment that a link tells of; on the way, the reader may stop. Promises whether it was reached. */
  async goTo({ step, classIndex, degrees, weight, events }) {
    const journey = {};
    this.journey = journey;
    setButton(this.view.play, "pause", "Pause");
    const [there, budget] = [step.toLocaleString("en"), this.link.inWorker ? TRAVEL_BUDGET : STEP_BUDGET];
    await this.ask({ kind: "replay", step, events, classIndex, degrees, weight });
    for (let rounds = 0; this.journey === journey && this.last.step < step; rounds++) {
      if (rounds > 0) {
        const here = this.last.step.toLocaleString("en");
        this.notify(`On the way to step ${there}: step ${here}. Pause or Reset stops it.`, rounds === 1);
      }
      await this.ask({ kind: "advance", steps: step - this.last.step, budget });
    }
    if (this.ended) return false;
    const arrived = this.journey === journey;
    this.halt();
    await this.ask({ kind: "look" });  // the last picture may have waited
    if (arrived) this.say(`Step ${step}, as in the link`);
    return arrived;
  }

  destroy() {
    this.ended = true;
    this.takeaway.end();
    this.journey = null;
    this.playing = false;
    this.clock.schedule();
    this.observer.disconnect();
    this.disconnectBrush();
    this.link.end();
    this.view.root.remove();
  }
}
