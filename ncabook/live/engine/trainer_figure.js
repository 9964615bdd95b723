// The figure that trains: a picture, the automaton of this minute, the loss, and what to take away.

import { sit } from "./desk.js";
import { Losses } from "./losses.js";
import { Pad } from "./pad.js";
import { base64, hand, liveWeights, metaOf, safetensors } from "./takeaway.js";

const BUDGET = 60;  // milliseconds of learning between two pictures
const STEPS_A_SECOND = 24;
const ERASER = 3.2;  // cells
const INKS = [["#1b2127", "Black"], ["#c8281e", "Red"], ["#e69f00", "Yellow"], ["#0b8a5f", "Green"], ["#0069a6", "Blue"],
  ["", "Eraser"]];
const RATES = { muon: 0.012, adam: 0.002 };

let figures = 0;

/** An element with attributes and children. */
function tag(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const button = (label, kind = "") => tag("button", { type: "button", class: kind }, label);

function choice(label, options, chosen) {
  const select = tag("select", {}, ...options.map(([value, text]) => tag("option", { value }, text)));
  select.value = chosen;
  return { select, label: tag("label", {}, tag("span", { class: "nt-word" }, `${label} `), select) };
}

function tick(label, checked) {
  const input = tag("input", { type: "checkbox" });
  input.checked = checked;
  return { input, label: tag("label", { class: "nt-tick" }, input, ` ${label}`) };
}

export class TrainerFigure {
  /** `given`: what ncabook.live.trainer_figure wrote into the element. */
  constructor(element, given) {
    Object.assign(this, { element, given, training: false, busy: false, send: null, queue: [], last: 0 });
    this.id = `nca-trainer-${figures++}`;
    this.build();
    this.choose("0");
    this.tell("Ready. Choose or draw a picture, then press Train.");
    this.ready = this.startOver();
    document.addEventListener("visibilitychange", () => this.wake());
    new ResizeObserver(() => this.losses.draw()).observe(this.curve);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.losses.draw());
  }

  build() {
    const { given } = this;
    const grid = given.side + 2 * given.margin;
    const canvas = (label, more = {}) => tag("canvas", { tabindex: 0, role: "application", "aria-label": label, ...more });
    const padCanvas = canvas("Your picture. Draw with the pointer, or move with the arrow keys and press space; drop a file here.");
    this.stage = canvas("The automaton now. Press to erase a part; with the keyboard, space erases the middle.");
    Object.assign(this.stage, { width: grid, height: grid });
    this.pad = new Pad(padCanvas, given.side, given.margin, () => this.pictureChanged());
    this.play = button("Train", "nt-main");
    this.again = button("New seed");
    this.picture = choice("Picture", [...given.pictures.map(({ name }, i) => [i, name]), ["empty", "empty sheet"], ["own", "your own"]], 0);
    this.file = tag("input", { type: "file", accept: "image/*", class: "nt-unseen", tabindex: -1, "aria-label": "A picture file" });
    this.open = button("Open a file");
    this.letter = tag("input", { type: "text", maxlength: 8, size: 3, class: "nt-letter", placeholder: "🐸", "aria-label": "An emoji or a letter to grow" });
    this.inks = INKS.map(([color, name], i) => {
      const input = tag("input", { type: "radio", name: `${this.id}-ink`, value: color, "aria-label": name });
      input.checked = i === 0;
      const spot = tag("span", { class: "nt-spot", title: name });
      if (color) spot.style.background = color;
      else spot.append("⌫");
      return { input, label: tag("label", { class: "nt-ink" }, input, spot) };
    });
    this.curve = tag("canvas", { role: "img", class: "nt-curve" });
    this.losses = new Losses(this.curve);
    this.numbers = tag("p", { class: "nt-numbers" });
    this.status = tag("p", { role: "status", class: "nt-status" });
    this.size = choice("Network", given.sizes.map(({ name }, i) => [i, name]), given.chosen);
    this.steps = choice("Steps", [["12 16", "12–16"], ["24 32", "24–32"], ["32 48", "32–48"]], "24 32");
    this.optimizer = choice("Optimiser", [["muon", "Muon"], ["adam", "Adam"]], "muon");
    this.rate = choice("Learning rate", [["0.1", "a tenth"], ["0.33", "a third"], ["1", "usual"], ["3", "three times"]], "1");
    this.remembers = tick("states come back (pool)", true);
    this.damages = tick("some are damaged", true);
    this.anew = button("Start over");
    this.weights = button("Save weights");
    this.live = button("Open in the player");
    this.page = button("Save as a page");
    const pane = (title, ...what) => tag("div", { class: "nt-pane" }, tag("span", { class: "nt-title" }, title), ...what);
    this.root = tag("div", { class: "nt" },
      tag("div", { class: "nt-panes" },
        pane("Your picture", padCanvas),
        pane("The automaton now", this.stage),
        pane("Loss", this.curve, this.numbers)),
      tag("div", { class: "nt-row" }, this.play, this.again, this.picture.label),
      tag("div", { class: "nt-row" },
        tag("div", { class: "nt-inks", role: "group", "aria-label": "Ink" }, ...this.inks.map(({ label }) => label)),
        this.open, this.letter, this.file),
      this.status,
      tag("details", {}, tag("summary", {}, "How it learns, and what to take away"),
        tag("div", { class: "nt-row" }, this.rate.label, this.optimizer.label, this.remembers.label, this.damages.label),
        tag("div", { class: "nt-row" }, this.size.label, this.steps.label, this.anew),
        tag("div", { class: "nt-row" }, this.weights, this.live, this.page)));
    this.element.prepend(this.root);
    this.stage.getContext("2d").fillStyle = "#fff";
    this.connect();
    this.losses.draw();
    this.curve.setAttribute("aria-label", this.losses.describe());
  }

  connect() {
    const on = (element, action, event = "click") => element.addEventListener(event, action);
    on(this.play, () => this.setTraining(!this.training));
    on(this.again, () => this.ask({ kind: "replant" }));
    on(this.picture.select, () => this.choose(this.picture.select.value), "change");
    on(this.open, () => this.file.click());
    on(this.file, () => this.take(this.file.files[0]), "change");
    on(this.letter, () => this.letter.value.trim() && this.pad.write(this.letter.value.trim()), "change");
    for (const { input } of this.inks) on(input, () => { this.pad.ink = input.value; }, "change");
    this.pad.ink = INKS[0][0];
    on(this.rate.select, () => this.set(), "change");
    for (const { input } of [this.remembers, this.damages]) on(input, () => this.set(), "change");
    for (const { select } of [this.size, this.steps, this.optimizer]) on(select, () => this.startOver(), "change");
    on(this.anew, () => this.startOver());
    on(this.weights, () => this.saveWeights());
    on(this.live, () => this.openLive());
    on(this.page, () => this.savePage());
    const erase = (event) => {
      const box = this.stage.getBoundingClientRect();
      const scale = this.stage.width / box.width;
      this.erase((event.clientX - box.left) * scale - 0.5, (event.clientY - box.top) * scale - 0.5);
    };
    on(this.stage, (event) => { this.stage.setPointerCapture(event.pointerId); this.erasing = true; erase(event); }, "pointerdown");
    on(this.stage, (event) => { if (this.erasing) erase(event); }, "pointermove");
    for (const end of ["pointerup", "pointercancel"]) on(this.stage, () => { this.erasing = false; }, end);
    on(this.stage, (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.erase(this.stage.width / 2, this.stage.height / 2);
    }, "keydown");
  }

  erase(x, y) {
    this.ask({ kind: "erase", x, y, radius: ERASER });
  }

  choose(value) {
    if (value === "empty") this.pad.clear();
    else if (value !== "own") this.pad.put(atobBytes(this.given.pictures[value].rgba));
    this.picture.select.value = value;
  }

  async take(file) {
    if (!file) return;
    try {
      await this.pad.open(file);
    } catch {
      this.tell("This file is no picture that the browser can read; try a PNG or a JPEG.");
    }
  }

  pictureChanged() {
    if (this.picture) this.picture.select.value = "own";
    this.ask({ kind: "aim", rgba: this.pad.target() });
  }

  get settings() {
    const { channels, features, units } = this.given.sizes[this.size.select.value];
    return {
      channels, features, units, steps: this.steps.select.value.split(" ").map(Number),
      optimizer: this.optimizer.select.value, ...this.free,
    };
  }

  /** Settings that may change while it learns. */
  get free() {
    return { rate: Number(this.rate.select.value) * RATES[this.optimizer.select.value], remembers: this.remembers.input.checked, damages: this.damages.input.checked };
  }

  set() {
    this.ask({ kind: "set", settings: this.free });
  }

  /** New random weights; the old ones are gone. */
  async startOver() {
    const { given } = this;
    this.setTraining(false, "");
    this.end?.();
    this.send = null;
    this.losses.clear();
    const grid = given.side + 2 * given.margin;
    const picture = { height: grid, width: grid, rgba: this.pad.target() };
    const mine = this.start = {};
    try {
      const desk = await sit({ kind: "create", picture, settings: { ...this.settings, seed: given.seed } });
      if (this.start !== mine) return desk.end();
      Object.assign(this, { send: desk.send, end: desk.end });
      this.show(desk.first);
    } catch (error) {
      this.tell(error.message);
      this.play.disabled = true;
    }
  }

  setTraining(training, words = training ? "It is learning. It goes on while you read, and rests while the page is hidden." : "It rests.") {
    this.training = training;
    this.play.textContent = training ? "Pause" : "Train";
    if (words) this.tell(words);
    this.curve.setAttribute("aria-label", this.losses.describe());
    this.wake();
  }

  tell(text) {
    this.status.textContent = text;
  }

  /** Something for the classroom to do, after what is under way. */
  ask(message) {
    if (this.send === null) return;
    this.queue = this.queue.filter(({ kind }) => kind !== message.kind || kind === "erase");
    this.queue.push(message);
    this.wake();
  }

  /** Goes round while there is something to do: messages first, then learning, then steps to watch. */
  async wake() {
    if (this.busy || document.hidden || this.send === null) return;
    const { send } = this;
    this.busy = true;
    try {
      while (this.send === send && !document.hidden) {
        const now = performance.now();
        const due = Math.min(8, Math.max(1, Math.round((now - this.last) / 1000 * STEPS_A_SECOND)));
        const message = this.queue.shift() ?? (this.training ? { kind: "train", budget: BUDGET, steps: due }
          : this.running ? { kind: "watch", steps: due } : null);
        if (message === null) break;
        if (["train", "watch"].includes(message.kind)) this.last = now;
        const report = await send(message);
        if (this.send === send) this.show(report);
        if (message.kind === "watch") await new Promise((go) => setTimeout(go, 1000 / STEPS_A_SECOND));
      }
    } catch (error) {
      this.training = false;
      this.play.textContent = "Train";
      this.tell(error.message);
    } finally {
      this.busy = false;
    }
    if (this.send !== null && (this.send !== send || this.queue.length > 0)) this.wake();
  }

  /** Whether what has learned something goes on living while nothing is learned. */
  get running() {
    return this.report.iteration > 0 && this.report.lives && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  show(report) {
    this.report = report;
    const { width, height } = this.stage;
    this.stage.getContext("2d").putImageData(new ImageData(report.pixels, width, height), 0, 0);
    for (const one of report.losses) {
      this.losses.add(one);
      this.clocked(one.iteration);
    }
    if (report.losses.length > 0 || report.iteration === 0) this.losses.draw();
    const loss = this.losses.mean === null ? "" : `: ${this.losses.mean.toPrecision(2)}`;
    this.numbers.textContent = `${report.iteration} iterations${loss}` +
      (this.training && this.speed ? `; ${this.speed.toFixed(1)}/s` : "");
  }

  /** Iterations a second, over the last two or so. */
  clocked(iteration) {
    const now = performance.now();
    this.marks = (this.marks ?? []).filter(([time, at]) => now - time < 2000 && at < iteration);
    this.marks.push([now, iteration]);
    const [[time, at]] = this.marks;
    this.speed = now - time > 200 ? 1000 * (iteration - at) / (now - time) : 0;
  }

  async result() {
    while (this.busy && this.training) { this.training = false; await new Promise((go) => setTimeout(go, 20)); }
    return this.send({ kind: "weights" });
  }

  meta({ iteration }) {
    const grid = this.given.side + 2 * this.given.margin;
    return metaOf({ ...this.given.sizes[this.size.select.value], height: grid, width: grid }, iteration);
  }

  async saveWeights() {
    const was = this.training;
    const given = await this.result();
    hand(safetensors(given.tensors, this.meta(given)), "weights.safetensors", "application/octet-stream");
    this.setTraining(was, "Saved: weights.safetensors, with the layout in its header.");
  }

  /** The book's live figure of what has been learned, as HTML. */
  async figure() {
    const { weights } = await this.result();
    const { description, parts } = this.given.sizes[this.size.select.value];
    const figure = tag("figure", { class: "nca-figure", "data-nca": JSON.stringify([description]),
      "data-weights": base64(liveWeights(description, parts, weights)) });
    figure.append(tag("figcaption", {}, description.title));
    return figure;
  }

  async openLive() {
    const figure = await this.figure();
    this.setTraining(false, "Below, in the book's player, is what it had learned.");
    this.shown?.remove();
    this.shown = figure;
    this.element.after(figure);
    figure.scrollIntoView({ block: "nearest" });
  }

  async savePage() {
    const source = [...document.scripts].find(({ src }) => src.includes(this.given.script));
    try {
      const answer = await fetch(source.src);
      const figure = await this.figure();
      const { title } = this.given.sizes[0].description;
      const words = { title, figure: figure.outerHTML, script: await answer.text() };
      hand(this.given.page.replace(/@(title|figure|script)@/g, (_, name) => words[name]), "automaton.html", "text/html");
      this.setTraining(false, "Saved: automaton.html, a page of its own that needs no network.");
    } catch {
      this.tell("Here the page cannot read its own script; open the published book, or save the weights.");
    }
  }
}

function atobBytes(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
