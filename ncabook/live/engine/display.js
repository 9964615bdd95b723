// What a figure shows and says: frames, curve, one cell in numbers, sentences.

import { Chart, curveColor } from "./chart.js";
import { drawLens, wordsOf } from "./lens.js";
import { showVotes } from "./votes.js";
import { resolution, wholeWindow } from "./zoom.js";

const CHART_EVERY = 120;  // milliseconds between two drawings of the curve

export class Display {
  constructor(view, descriptions) {
    Object.assign(this, { view, descriptions });
    this.contexts = view.canvases.map((canvas) => canvas.getContext("2d"));
    this.chart = new Chart(view.chart, descriptions.map(({ title }) => title));
    this.chartDrawn = 0;
    this.lives = false;  // whether a step has been shown
  }

  /** Speaks to screen readers. */
  say(text) {
    this.view.status.textContent = text;
  }

  /** Says something to everybody, until there is something else, or nothing, to say. */
  notify(text, aloud = true) {
    const { notice } = this.view;
    notice.textContent = text;
    notice.hidden = text === "";
    if (aloud && text !== "") this.say(text);
  }

  /** Shows a report's frames, and sets the controls as it says; `settled`: the sliders, too. */
  show(report, settled) {
    const { view } = this;
    report.frames.forEach(({ data, width, height, window, words }, i) => {
      const canvas = view.canvases[i];
      this.frame(window, i, words);
      // A decoded picture has more pixels than the grid has cells.
      if (canvas.width !== width) Object.assign(canvas, { width, height });
      this.contexts[i].putImageData(new ImageData(data, width, height), 0, 0);
    });
    view.steps.textContent = report.step;
    if (!this.lives && report.step > 0) {  // the page around may have waited with its own work
      this.lives = true;
      view.steps.dispatchEvent(new Event("nca-lives", { bubbles: true }));
    }
    view.rate.parentElement.title = `by ${report.backends.join(", ")}`;
    view.back.setAttribute("aria-disabled", String(!report.canGoBack));
    if (view.undo.hidden === report.canRecall) view.undo.hidden = !report.canRecall;
    const chosen = view.classes[report.classIndex];
    if (chosen !== undefined) chosen.checked = true;
    for (const [slider, value] of [[view.turn, report.degrees], [view.guide, Math.round(10 * report.weight)]]) {
      if (!slider || !settled || value === Number(slider.value)) continue;
      slider.value = value;
      slider.dispatchEvent(new Event("nca-shown"));
    }
    if (view.watching.length > 0) view.watching[Number(report.alone)].checked = true;
    report.ballots.forEach((ballot, i) =>
      ballot && showVotes(view.votes[i], ballot, this.descriptions[i].votes));
  }

  /** What part of the torus a pane shows, and, of a picture of any resolution, how large all of it is. */
  frame(window, pane, words) {
    const { windows, resolutions, canvases, grid } = this.view;
    resolutions[pane].textContent = window ? resolution(window, grid) : words ?? `${grid.width} × ${grid.height} cells`;
    windows[pane] = window ?? wholeWindow(grid);
    canvases[pane].dispatchEvent(new Event("nca-window"));
  }

  /** Adds a report's errors to the curve, and draws it: at once, or now and then. */
  addErrors(report, atOnce) {
    this.chart.add(report.step, report.errors);
    const now = performance.now();
    if (now - this.chartDrawn > CHART_EVERY || atOnce) {
      this.chartDrawn = now;
      this.drawCurve(report);
    }
  }

  drawCurve({ errors }) {
    const { view, chart } = this;
    chart.draw();
    view.chart.setAttribute("aria-label", chart.describe());
    chart.recoveries().forEach((percent, i) => {
      const error = errors[i];
      const [now, back] = view.recoveries[i].children;
      now.textContent = error === null ? "" : `error ${error.toPrecision(2)}`;
      back.textContent = percent === null ? "" : `${percent.toFixed(0).replace("-", "−")} % back`;
      view.recoveries[i].style.setProperty("--nca-curve", curveColor(i));
    });
  }

  /** Shows a cell of one automaton under the lens, and in words. */
  showCell(cell, automaton, x, y, aloud) {
    drawLens(this.view.lens, cell.around);
    this.view.lens.dataset.empty = "false";
    const text = `Column ${x + 1}, row ${y + 1}: ${wordsOf(cell, this.descriptions[automaton])}`;
    this.view.inspector.textContent = text;
    if (aloud) this.say(text);
  }
}
