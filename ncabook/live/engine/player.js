// The live figure: automata behind a link, a view, and the clock between them. The same for all
// hosts.

import { connectBrush } from "./brush.js";
import { Chart, curveColor } from "./chart.js";
import { drawLens } from "./lens.js";
import { connect } from "./link.js";
import { download, momentHere, momentLink, poster, startFilm } from "./share.js";
import { SPEEDS, buildView, setButton, takeOver } from "./view.js";

const STEP_BUDGET = 12;  // milliseconds of steps for one frame
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const CHART_EVERY = 120;  // milliseconds between two drawings of the curve
const MOST_VISIBLE = 0.3;  // share of the grids that has to be in view to run
const MOST_AT_ONCE = 10000;  // steps asked for in one message
const SHARE_OF_CELLS = 0.3;
const NOISE = 0.3;
const DRAWN = new Set(["graft", "circle", "square", "cells", "noise", "draw", "wipe"]);  // tools to draw lines with

class Player {
  /** `report` is called with {steps}, {classIndex}, {playing} or {events} when they change. */
  constructor(element, descriptions, weights, link, report) {
    Object.assign(this, { element, descriptions, weights, link, report });
    this.view = buildView(element, descriptions);
    this.contexts = this.view.canvases.map((canvas) => canvas.getContext("2d"));
    const names = descriptions.map(({ title }) => title);
    this.chart = new Chart(this.view.chart, names);
    this.playing = false;
    this.inView = false;
    this.frame = 0;
    this.busy = false;  // an advance has been asked for and not been answered
    this.reading = false;
    this.salt = 0;
    this.turning = 0;
    this.film = null;
    this.fireRate = descriptions[0].fire_rate;
    this.canvas = Number(this.view.canvasSize?.value);
    this.chartDrawn = 0;
    this.last = null;
    this.connect();
    this.draw(link.first);
  }

  connect() {
    const { view } = this;
    const click = (button, action) => button.addEventListener("click", action);
    click(view.play, () => this.setPlaying(!this.playing, true));
    click(view.step, () => this.stepOnce());
    click(view.back, () => this.stepBack());
    click(view.reset, () => this.reset());
    click(view.save, () => this.savePicture());
    click(view.film, () => this.toggleFilm());
    click(view.share, () => this.copyLink());
    view.classes.forEach((input, index) =>
      input.addEventListener("change", () => this.setClass(index)));
    view.channel.addEventListener("change", () => this.show(view.channel.value));
    view.turn?.addEventListener("input", () => this.turn(Number(view.turn.value)));
    view.canvasSize?.addEventListener("change", () => this.resize(Number(view.canvasSize.value)));
    view.tools.forEach((input, i) => input.addEventListener("change", () => {
      view.root.dataset.tool = view.toolNames[i];
    }));
    [view.root.dataset.tool] = view.toolNames;
    this.disconnectBrush = connectBrush(view, {
      use: (x, y) => this.useBrush(x, y),
      draws: () => DRAWN.has(this.tool),
      plants: () => view.toolNames.includes("seed"),
      plant: (x, y) => this.plant(x, y),
      read: (x, y, pane, aloud) => this.read(x, y, pane, aloud),
      say: (text) => this.say(text),
    });
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      this.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.bed);
  }

  get tool() {
    return this.view.root.dataset.tool;
  }

  get stepsPerSecond() {
    return SPEEDS[this.view.speed.value].stepsPerSecond;
  }

  /** Speaks to screen readers. */
  say(text) {
    this.view.status.textContent = text;
  }

  /** Sends a message, shows what came of it, and promises it. */
  async ask(message) {
    const answer = await this.link.send(message);
    if (!this.ended && answer.frames !== undefined) this.draw(answer);
    return answer;
  }

  setPlaying(playing, aloud) {
    this.playing = playing;
    setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    if (aloud) this.say(playing ? "Playing" : `Paused at step ${this.last.step}`);
    this.report({ steps: this.last.step, playing });
    this.schedule();
    if (!playing) this.ask({ kind: "look" });  // the last picture may have waited
  }

  async stepOnce() {
    if (this.playing) this.setPlaying(false, false);
    await this.ask({ kind: "advance", steps: 1, budget: 0 });
    this.sayWhere();
  }

  async stepBack() {
    if (this.playing) this.setPlaying(false, false);
    await this.ask({ kind: "back" });
    this.sayWhere();
  }

  sayWhere() {
    const votes = this.view.votes.map(({ row }) => row.getAttribute("aria-label"));
    const curve = this.last.errors.some((error) => error !== null) ? [this.chart.describe()] : [];
    this.say([`Step ${this.last.step}.`, ...curve, ...votes].join(" "));
    this.report({ steps: this.last.step });
  }

  async reset() {
    await this.ask({ kind: "reset" });
    this.say(this.view.toolNames.includes("seed") ? "Reset to a single seed cell" : "Reset to the start");
    this.report({ steps: 0 });
  }

  async setClass(index) {
    await this.act({ kind: "mutate", index });
    const { classes, votes: { length } } = this.descriptions[0];
    this.say(`${length ? "Now reading" : "Now growing into"} ${classes[index].name}`);
    this.report({ classIndex: index });
  }

  /** Begins again on another canvas, with another player; the controls stay as they are. */
  async resize(index) {
    const { element, weights, report } = this;
    const descriptions = onCanvas(this.descriptions, index)
      .map((d) => ({ ...d, class_index: this.last.classIndex, fire_rate: this.fireRate }))
      .map((d) => (d.turns === undefined ? d : { ...d, turns: this.last.degrees }));
    let player;
    try {
      player = await begin(element, descriptions, weights, report);
    } catch (error) {
      this.say(error.message);
      this.view.canvasSize.value = this.canvas;
      return;
    }
    if (this.ended) return void player.destroy();  // by somebody else, meanwhile
    takeOver(this.view, player.view);
    player.canvas = index;
    player.view.root.dataset.tool = this.tool;
    const { playing } = this;
    this.destroy();
    element.ncaPlayer = player;
    player.view.canvasSize.focus();
    player.show(player.view.channel.value);
    player.setPlaying(playing, false);
    player.report({ steps: 0, events: [] });
    player.say(`A canvas of ${descriptions[0].width} by ${descriptions[0].height} cells`);
  }

  async turn(degrees) {
    this.turning += 1;  // what comes meanwhile tells of the old degrees
    await this.act({ kind: "turn", degrees });
    this.turning -= 1;
  }

  setFireRate(rate) {
    this.fireRate = rate;
    return this.ask({ kind: "setFireRate", rate });
  }

  async plant(x, y) {
    if (!this.view.toolNames.includes("seed")) return;
    await this.act({ kind: "plant", x, y });
    this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
  }

  useBrush(column, row) {
    const { tool } = this;
    const [x, y] = [column, row].map((v) => Math.round(10 * v) / 10);
    if (tool === "seed") return this.plant(Math.round(column), Math.round(row));
    const where = { x, y, size: Number(this.view.size.value), shape: "circle" };
    this.salt += 1;
    return this.act({
      circle: { kind: "erase", ...where },
      square: { kind: "erase", ...where, shape: "square" },
      half: { kind: "erase", ...where, shape: "half" },
      cells: { kind: "erase", ...where, share: SHARE_OF_CELLS, salt: this.salt },
      draw: { kind: "draw", ...where, value: 1 },
      wipe: { kind: "draw", ...where, value: 0 },
      graft: { kind: "graft", ...where, rule: this.view.rules.findIndex(({ checked }) => checked) },
      noise: { kind: "disturb", ...where, sigma: NOISE, salt: this.salt },
    }[tool]);
  }

  /** Does something to all automata, and marks it in the curve. */
  async act(event) {
    const sent = this.link.send({ kind: "act", event });
    const report = await sent;
    if (this.ended) return;
    this.chart.mark(report.step, this.last.errors, report.errors);
    this.draw(report);
    this.report({ steps: report.step, events: report.recorded.events });
  }

  show(shown) {
    this.view.key.hidden = ["picture", "fired", "rules"].includes(shown);
    this.view.root.dataset.shown = shown;
    const channel = Number(shown);
    return this.ask({ kind: "show", shown: Number.isNaN(channel) ? shown : channel });
  }

  /** Reads a cell of one grid; the next is read when this one is there. */
  async read(x, y, pane, aloud = false) {
    if (this.reading && !aloud) return;
    this.reading = true;
    const { cells } = await this.link.send({ kind: "inspect", x, y });
    this.reading = false;
    if (this.ended) return;
    const { values, around, change, rule } = cells[pane];
    drawLens(this.view.lens, around);
    this.view.lens.dataset.empty = "false";
    const round = (v) => v.toFixed(2).replace("-", "−");
    const { decoder, fixed, visible, channels, votes, rules } = this.descriptions[pane];
    const names = decoder || votes.length ? [] : ["r", "g", "b", "α"].slice(0, visible);
    const first = channels - votes.length;
    const name = (i) => (i < fixed ? `input ${i}` : votes[i - first]?.name ?? names[i - fixed] ?? i);
    const each = values.map((v, i) => `${name(i)} ${round(v)}`).join(", ");
    const obeys = rules ? `rule ${rules[rule]}, ` : "";
    const text = `Column ${x + 1}, row ${y + 1}: ${obeys}${each}, last change ${round(change)}`;
    this.view.inspector.textContent = text;
    if (aloud) this.say(text);
  }

  draw(report) {
    const { view, chart } = this;
    this.last = report;
    report.frames.forEach(({ data, width, height }, i) => {
      const canvas = view.canvases[i];
      // A decoded picture has more pixels than the grid has cells.
      if (canvas.width !== width) Object.assign(canvas, { width, height });
      this.contexts[i].putImageData(new ImageData(data, width, height), 0, 0);
    });
    view.steps.textContent = report.step;
    view.rate.parentElement.title = `by ${report.backends.join(", ")}`;
    view.back.setAttribute("aria-disabled", String(!report.canGoBack));
    const chosen = view.classes[report.classIndex];
    if (chosen !== undefined) chosen.checked = true;
    if (view.turn && this.turning === 0 && report.degrees !== Number(view.turn.value)) {
      view.turn.value = report.degrees;
      view.turn.dispatchEvent(new Event("nca-shown"));
    }
    report.ballots.forEach((ballot, i) => ballot && this.showVotes(ballot, i));
    this.film?.draw();
    chart.add(report.step, report.errors);
    const now = performance.now();
    if (now - this.chartDrawn > CHART_EVERY || !this.playing) {
      this.chartDrawn = now;
      this.drawChart();
    }
  }

  /** Bars of an automaton's votes. */
  showVotes({ counts, winner }, pane) {
    const { row, bars } = this.view.votes[pane];
    const total = Math.max(1, counts.reduce((a, b) => a + b));
    const percents = counts.map((count) => Math.round(100 * count / total));
    bars.forEach((bar, k) => {
      bar.style.setProperty("--nca-share", `${100 * counts[k] / total}%`);
      bar.dataset.winner = String(k === winner);
    });
    const { votes } = this.descriptions[pane];
    const cast = percents.map((percent, k) => ({ percent, name: votes[k].name }))
      .filter(({ percent }) => percent > 0).sort((a, b) => b.percent - a.percent);
    const words = cast.map(({ percent, name }) => `${name} ${percent} %`).join(", ") || "none";
    row.setAttribute("aria-label", `Votes: ${words}`);
  }

  drawChart() {
    const { view, chart } = this;
    chart.draw();
    view.chart.setAttribute("aria-label", chart.describe());
    chart.recoveries().forEach((percent, i) => {
      const error = this.last.errors[i];
      const parts = error === null ? [] : [`error ${error.toPrecision(2)}`];
      if (percent !== null) parts.push(`${percent.toFixed(0).replace("-", "−")} % back`);
      view.recoveries[i].textContent = parts.join(" · ");
      view.recoveries[i].style.setProperty("--nca-curve", curveColor(i));
    });
  }

  /** Starts the clock if it should run and does not. */
  schedule() {
    const runs = this.playing && this.inView;
    if (runs && this.frame === 0) {
      this.due = 0;
      this.lastFrame = performance.now();
      this.measured = { since: this.lastFrame, step: this.last.step };
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (!runs && this.frame !== 0) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.view.rate.textContent = "0";
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
      await this.ask({ kind: "advance", steps, budget: STEP_BUDGET });
    } finally {
      this.busy = false;
    }
    this.due = Math.min(this.due - steps, 1);  // what this device cannot do in time is dropped
  }

  measure(now) {
    const { measured } = this;
    const elapsed = now - measured.since;
    if (elapsed < RATE_WINDOW) return;
    const { step } = this.last;
    this.view.rate.textContent = Math.max(0, Math.round(1000 * (step - measured.step) / elapsed));
    this.report({ steps: step });
    this.measured = { since: now, step };
  }

  savePicture() {
    poster(this.view.canvases, this.descriptions[0]).toBlob((blob) => download(blob, `nca-step-${this.last.step}.png`));
    this.say("Picture saved");
  }

  async toggleFilm() {
    const { view } = this;
    if (this.film === null) {
      this.film = startFilm(view.canvases, this.descriptions[0]);
      this.say(this.film ? "Recording; press again to stop" : "This browser cannot record films");
      view.film.setAttribute("aria-pressed", String(this.film !== null));
      return;
    }
    const { blob, extension } = await this.film.stop();
    this.film = null;
    view.film.setAttribute("aria-pressed", "false");
    download(blob, `nca.${extension}`);
    this.say("Film saved");
  }

  async copyLink() {
    const { step, recorded } = this.last;
    const figures = [...document.querySelectorAll("figure.nca-figure")];
    const figure = figures.indexOf(this.view.root.closest("figure.nca-figure"));
    const canvas = this.view.canvasSize && Number(this.view.canvasSize.value);
    const link = await momentLink({ figure, step, canvas, ...recorded });
    try {
      await navigator.clipboard.writeText(link);
      this.say("Link copied");
    } catch {
      history.replaceState(null, "", link);  // no clipboard: the address bar has it
      this.say("The link is in the address bar");
    }
  }

  /** Shows a moment that a link tells of. */
  async goTo({ step, classIndex, degrees, events }) {
    await this.ask({ kind: "replay", events, classIndex, degrees });
    while (this.last.step < step) {
      await this.ask({ kind: "advance", steps: step - this.last.step, budget: STEP_BUDGET });
    }
    await this.ask({ kind: "look" });  // the last picture may have waited
    this.say(`Step ${step}, as in the link`);
  }

  destroy() {
    this.ended = true;
    this.film?.stop();
    this.playing = false;
    this.schedule();
    this.observer.disconnect();
    this.disconnectBrush();
    this.link.end();
    this.view.root.remove();
  }
}

async function begin(element, descriptions, weights, report) {
  const link = await connect(descriptions, weights);
  return new Player(element, descriptions, weights, link, report);
}

/** The same automata on the canvas of number `index`, where there is a choice. */
const onCanvas = (descriptions, index) => descriptions.map((d) => {
  const [height, width] = d.sizes?.[index] ?? [d.height, d.width];
  const alt = d.alt.replace(`${d.width} by ${d.height} cells`, `${width} by ${height} cells`);
  return { ...d, height, width, alt };
});

/**
 * Puts a live figure at the beginning of `element`, which gets the property `ncaPlayer`.
 *
 * @param {Element} element where
 * @param {object[]} descriptions what ncabook.live.describe returns, for each automaton
 * @param {Uint8Array} weights and their bytes, one after another
 * @param {function} report called with {steps}, {classIndex}, {playing} or {events} when they change
 * @returns {Promise<Player>} a player; to be ended: `element.ncaPlayer.destroy()`, since another one
 *   takes its place when the reader changes the canvas
 */
export async function mount(element, descriptions, weights, report = () => {}) {
  try {
    const moment = await momentHere();
    const index = [...document.querySelectorAll("figure.nca-figure")].indexOf(element);
    const told = moment !== null && moment.figure === index;
    const player = await begin(element, told ? onCanvas(descriptions, moment.canvas) : descriptions,
      weights, report);
    element.querySelector(":scope > .nca-poster")?.remove();  // it stood for what is there now
    if (told) {
      await player.goTo(moment);
    } else if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      player.setPlaying(true, false);
    }
    element.ncaPlayer = player;
    return player;
  } catch (error) {
    const message = document.createElement("p");
    message.setAttribute("role", "alert");
    message.textContent = error.message;
    element.prepend(message);
    throw error;
  }
}
