// The picture that is to be grown: drawn by hand or by arrow keys, or taken from a file or a letter.

const WHITE = 242;  // of 255: what is as light, in a picture without a transparent cell, is paper
const INK_RADIUS = 1.2;  // cells

export class Pad {
  /** `side` cells of a picture, in the middle of a canvas with `margin` empty ones around. */
  constructor(canvas, side, margin, changed) {
    Object.assign(this, { canvas, side, margin, changed, ink: "#1f3b8f", cursor: null, drawing: false });
    const grid = side + 2 * margin;
    Object.assign(canvas, { width: grid, height: grid });
    this.sheet = Object.assign(document.createElement("canvas"), { width: side, height: side });
    this.context = this.sheet.getContext("2d", { willReadFrequently: true });
    this.connect();
  }

  connect() {
    const { canvas } = this;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const scale = canvas.width / box.width;
      return [(event.clientX - box.left) * scale - this.margin, (event.clientY - box.top) * scale - this.margin];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.drawing = true;
      this.last = place(event);
      this.line(this.last, this.last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.drawing) return;
      const here = place(event);
      this.line(this.last, here);
      this.last = here;
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.drawing = false; });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
    for (const kind of ["dragover", "drop"]) {
      canvas.addEventListener(kind, (event) => {
        event.preventDefault();
        const [file] = kind === "drop" ? event.dataTransfer.files : [];
        if (file) this.open(file);
      });
    }
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const middle = Math.floor(this.side / 2);
    this.cursor ??= [middle, middle];
    if (moves[event.key]) {
      this.cursor = this.cursor.map((v, i) => Math.min(this.side - 1, Math.max(0, v + moves[event.key][i])));
    } else if (event.key === " ") {
      const here = this.cursor.map((v) => v + 0.5);
      this.line(here, here);
    } else return;
    event.preventDefault();
    this.draw();
  }

  line([x0, y0], [x1, y1]) {
    const { context } = this;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
    context.fillStyle = this.ink === "" ? "#000" : this.ink;
    for (let i = 0; i <= steps; i++) {
      const [x, y] = [x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps];
      for (let row = 0; row < this.side; row++) {
        for (let column = 0; column < this.side; column++) {
          if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > INK_RADIUS) continue;
          if (this.ink === "") context.clearRect(column, row, 1, 1);
          else context.fillRect(column, row, 1, 1);
        }
      }
    }
    this.draw();
    this.changed();
  }

  clear() {
    this.context.clearRect(0, 0, this.side, this.side);
    this.draw();
    this.changed();
  }

  /** Straight RGBA bytes of the inner picture. */
  put(bytes) {
    this.context.putImageData(new ImageData(new Uint8ClampedArray(bytes), this.side, this.side), 0, 0);
    this.draw();
    this.changed();
  }

  /** An emoji, or another letter, as this device draws it. */
  write(text) {
    const large = Object.assign(document.createElement("canvas"), { width: 8 * this.side, height: 8 * this.side });
    const context = large.getContext("2d");
    Object.assign(context, { font: `${6.4 * this.side}px sans-serif`, textAlign: "center", textBaseline: "middle" });
    context.fillText(text, large.width / 2, large.height * 0.53, large.width);
    this.fit(large, large.width, large.height);
  }

  async open(file) {
    const picture = await createImageBitmap(file);
    this.fit(picture, picture.width, picture.height);
    this.takePaperAway();
    this.draw();
    this.changed();
  }

  /** Puts a picture of any shape into the middle, as large as it can be. */
  fit(source, width, height) {
    const { context, side } = this;
    const scale = side / Math.max(width, height);
    const [w, h] = [Math.max(1, width * scale), Math.max(1, height * scale)];
    context.clearRect(0, 0, side, side);
    Object.assign(context, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
    context.drawImage(source, (side - w) / 2, (side - h) / 2, w, h);
    this.draw();
    this.changed();
  }

  /** White that is joined to an edge is no part of a picture that has no transparent cell. */
  takePaperAway() {
    const { context, side } = this;
    const image = context.getImageData(0, 0, side, side);
    const { data } = image;
    const inked = (i) => data[4 * i + 3] > 0;
    const cells = Array.from({ length: side * side }, (_, i) => i);
    if (cells.filter(inked).some((i) => data[4 * i + 3] < 250)) return;
    const white = (i) => inked(i) && Math.min(...data.subarray(4 * i, 4 * i + 3)) >= WHITE;
    const edge = (i) => [0, side - 1].includes(i % side) || i < side || i >= side * (side - 1) ||
      [i - 1, i + 1, i - side, i + side].some((n) => !inked(n));
    const reached = cells.filter((i) => white(i) && edge(i));
    for (let n = 0; n < reached.length; n++) {
      const i = reached[n];
      if (!inked(i)) continue;
      data[4 * i + 3] = 0;
      for (const [next, near] of [[i - 1, i % side > 0], [i + 1, i % side < side - 1], [i - side, i >= side],
        [i + side, i < side * (side - 1)]]) if (near && white(next)) reached.push(next);
    }
    context.putImageData(image, 0, 0);
  }

  /** Premultiplied RGBA of the whole grid, in [0, 1]. */
  target() {
    const { side, margin, canvas: { width } } = this;
    const { data } = this.context.getImageData(0, 0, side, side);
    const target = new Float32Array(4 * width * width);
    for (let i = 0; i < side * side; i++) {
      const at = 4 * ((Math.floor(i / side) + margin) * width + i % side + margin);
      const alpha = data[4 * i + 3] / 255;
      for (let q = 0; q < 3; q++) target[at + q] = data[4 * i + q] / 255 * alpha;
      target[at + 3] = alpha;
    }
    return target;
  }

  get empty() {
    return !this.context.getImageData(0, 0, this.side, this.side).data.some((v, i) => i % 4 === 3 && v > 25);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.fillStyle = "#eee";
    context.fillRect(0, 0, width, height);
    context.drawImage(this.sheet, this.margin, this.margin);
    if (this.cursor === null) return;
    context.fillStyle = "rgba(213, 94, 0, 0.8)";
    context.fillRect(this.cursor[0] + this.margin, this.cursor[1] + this.margin, 1, 1);
  }
}
