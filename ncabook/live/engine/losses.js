// The curve of the loss over iterations, on a scale of powers of ten.

const MOST_POINTS = 2000;
const SMOOTH = 0.1;  // share of a new number in the line that is drawn boldly
const MARGIN = { left: 44, right: 8, top: 8, bottom: 18 };

export class Losses {
  constructor(canvas) {
    Object.assign(this, { canvas, points: [] });
    this.clear();
  }

  clear() {
    this.points = [];
    this.mean = null;
    this.every = 1;
  }

  add({ iteration, loss }) {
    if (!Number.isFinite(loss)) return;
    this.mean = this.mean === null ? loss : this.mean + SMOOTH * (loss - this.mean);
    if (iteration % this.every !== 0) return;
    this.points.push({ iteration, loss, mean: this.mean });
    if (this.points.length <= MOST_POINTS) return;
    this.every *= 2;
    this.points = this.points.filter((point) => point.iteration % this.every === 0);
  }

  draw() {
    const { canvas, points } = this;
    const box = canvas.getBoundingClientRect();
    if (box.width === 0) return;
    const ratio = devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(canvas);
    const [ink, line, curve] = ["--muted", "--line", "--accent"].map((name) => style.getPropertyValue(name));
    const losses = points.map(({ loss }) => loss);
    const low = Math.min(-3, Math.floor(Math.log10(Math.min(...losses, 1))));
    const high = Math.max(0, ...losses.map((loss) => Math.ceil(Math.log10(loss))));
    const last = Math.max(100, points.at(-1)?.iteration ?? 0);
    const [right, bottom] = [box.width - MARGIN.right, box.height - MARGIN.bottom];
    const x = (iteration) => MARGIN.left + iteration / last * (right - MARGIN.left);
    const y = (loss) => MARGIN.top + (high - Math.log10(loss)) / (high - low) * (bottom - MARGIN.top);
    const stroke = (color, width, alpha, path) => {
      Object.assign(context, { strokeStyle: color, lineWidth: width, globalAlpha: alpha });
      context.beginPath();
      path();
      context.stroke();
      context.globalAlpha = 1;
    };
    Object.assign(context, { font: "11px sans-serif", fillStyle: ink, textBaseline: "middle", textAlign: "right" });
    for (let power = low; power <= high; power++) {
      stroke(line, 1, 1, () => { context.moveTo(MARGIN.left, y(10 ** power)); context.lineTo(right, y(10 ** power)); });
      context.fillText(String(Number((10 ** power).toPrecision(1))), MARGIN.left - 6, y(10 ** power));
    }
    context.textBaseline = "alphabetic";
    context.fillText(String(last), right, box.height - 4);
    context.textAlign = "left";
    context.fillText("iteration 0", MARGIN.left, box.height - 4);
    const each = (value) => () => points.forEach((point) => context.lineTo(x(point.iteration), y(value(point))));
    stroke(curve, 1, 0.35, each(({ loss }) => loss));
    stroke(curve, 2, 1, each(({ mean }) => mean));
  }

  /** What the curve says, in words. */
  describe() {
    if (this.points.length === 0) return "The loss over iterations; nothing has been learned yet";
    const { iteration } = this.points.at(-1);
    return `The loss over iterations: ${this.points[0].mean.toPrecision(2)} at the start, ` +
      `${this.mean.toPrecision(2)} after ${iteration} iterations`;
  }
}
