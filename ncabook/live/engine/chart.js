// The curve of error over steps, with a mark for everything that was done, and eq. 3 of the book.

const MOST_POINTS = 4000;
const SAME_HARM = 12;  // steps: what is done so soon after the last time belongs to it
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a95a1", "#a6761d"];
const MOST_MARKS = 500;
const [LEAST_ERROR, MOST_ERROR] = [1e-6, 1e6];  // that are drawn
const MARGIN = { left: 46, right: 8, top: 8, bottom: 20 };

export class Chart {
  /** `names` of the automata; one curve each. */
  constructor(canvas, names) {
    Object.assign(this, { canvas, names, points: [], marks: [], kept: null });
  }

  /** Remembers the curve as it is, for who takes a reset, or a load, back. */
  keep() {
    this.kept = { points: [...this.points], marks: [...this.marks] };
  }

  /** Begins anew, and remembers the curve as it was. */
  begin() {
    this.keep();
    Object.assign(this, { points: [], marks: [] });
  }

  /** The remembered curve, if there is one. */
  recall() {
    Object.assign(this, this.kept, { kept: null });
  }

  /** Notes the errors at a step; what lies behind it has not happened. */
  add(step, given) {
    const errors = given.map((error) => (Number.isFinite(error) ? error : null));
    while (this.points.length > 0 && this.points.at(-1).step >= step) this.points.pop();
    this.marks = this.marks.filter((mark) => mark.step <= step);
    this.points.push({ step, errors });
    if (this.points.length > MOST_POINTS) this.points = this.points.filter((_, i) => i % 2 === 0);
  }

  /** Notes that something was done at a step, and what it did to the errors. */
  mark(step, before, after) {
    const last = this.marks.at(-1);
    if (last !== undefined && step - last.until <= SAME_HARM && step >= last.until) {
      Object.assign(last, { until: step, after });
    } else {
      this.marks.push({ step, until: step, before, after });
      if (this.marks.length > MOST_MARKS) this.marks.shift();
    }
  }

  /** Recovery in percent from the last harm (eq. 3), per automaton; null if there is none. */
  recoveries() {
    const { marks, points } = this;
    if (marks.length === 0 || points.length === 0) return this.names.map(() => null);
    const { before, after } = marks.at(-1);
    return points.at(-1).errors.map((now, i) => {
      const harm = after[i] - before[i];
      return now === null || !Number.isFinite(harm) || harm <= 0.02 * before[i] ? null : 100 * (after[i] - now) / harm;
    });
  }

  draw() {
    const { canvas, points } = this;
    const box = canvas.getBoundingClientRect();
    if (box.width === 0 || points.length === 0) return;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, box.width, box.height);
    const style = getComputedStyle(canvas);
    this.plot(context, box, style.getPropertyValue("--nca-muted"), style.getPropertyValue("--nca-line"));
  }

  plot(context, box, ink, line) {
    const { points, marks } = this;
    const all = points.flatMap(({ errors }) => errors.filter((e) => e > 0));
    const decade = (e) => Math.log10(Math.min(MOST_ERROR, Math.max(e, LEAST_ERROR)));
    const low = Math.floor(decade(Math.min(...all, 0.01)));
    const high = Math.max(low + 1, Math.ceil(decade(Math.max(...all, 1e-5))));
    const first = points[0].step;
    const last = Math.max(first + 60, points.at(-1).step);
    const right = box.width - MARGIN.right;
    const bottom = box.height - MARGIN.bottom;
    const x = (step) => MARGIN.left + (step - first) / (last - first) * (right - MARGIN.left);
    const y = (e) => MARGIN.top + (high - decade(e)) / (high - low) * (bottom - MARGIN.top);
    const stroke = (color, draw, thick = 1, dash = []) => {
      context.strokeStyle = color;
      context.lineWidth = thick;
      context.setLineDash(dash);
      context.beginPath();
      draw();
      context.stroke();
    };
    context.font = "11px sans-serif";
    context.fillStyle = ink;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let power = low; power <= high; power++) {
      stroke(line, () => {
        context.moveTo(MARGIN.left, y(10 ** power));
        context.lineTo(right, y(10 ** power));
      });
      context.fillText(String(Number((10 ** power).toPrecision(1))), MARGIN.left - 6, y(10 ** power));
    }
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText(`step ${first}`, MARGIN.left, box.height - 5);
    context.textAlign = "right";
    context.fillText(String(last), right, box.height - 5);
    for (const { step } of marks) {
      stroke(ink, () => { context.moveTo(x(step), MARGIN.top); context.lineTo(x(step), bottom); }, 1, [3, 3]);
    }
    this.names.forEach((_, i) => stroke(COLORS[i % COLORS.length], () => {
      for (const { step, errors } of points) {
        if (errors[i] !== null) context.lineTo(x(step), y(errors[i]));
      }
    }, 1.75));
  }

  /** What the curve says, in words. */
  describe() {
    const { points, names } = this;
    if (points.length === 0) return "No curve yet";
    const { step, errors } = points.at(-1);
    const said = this.recoveries();
    const each = names.map((name, i) => `${names.length > 1 ? `${name}: ` : ""}error ${
      errors[i] === null ? "unknown" : errors[i].toPrecision(2)}${
      said[i] === null ? "" : `, ${said[i].toFixed(0)} % recovered`}`);
    return `At step ${step}: ${each.join("; ")}`;
  }
}

/** The colour of an automaton's curve. */
export const curveColor = (index) => COLORS[index % COLORS.length];
