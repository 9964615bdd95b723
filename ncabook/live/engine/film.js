// An automaton that is shown a film. Every so many steps the newest frame is written into its cells,
// p × p pixels each (pixel unshuffle); after the frames that are shown, it is what the automaton itself
// has told. As ncabook.training.watching has it.

import { checkDescription, decodeFloat } from "./description.js";
import { Engine } from "./engine.js";
import { MOST_FRAMES, Reel } from "./reel.js";
import { checkFilm } from "./screening.js";

const NEWS = 10;  // frames of a thrown digit that are shown to who is alone

export class FilmEngine extends Engine {
  /** Arguments as for {@link Engine}. */
  static async create(description, weights, fast = true) {
    checkDescription(description, weights);
    checkFilm(description);
    return super.create(description, weights, fast);
  }

  constructor(description, weights, kernels) {
    super(description, weights, kernels);
    const { film: { seen, patch, state, stays, reels }, fixed, height, width } = description;
    const windows = state === "window";
    this.area = patch ** 2;
    /** The first channels of what is seen, and of what stays: where cells are, then walls. */
    this.seenAt = windows ? fixed : 0;
    this.staysAt = windows ? 0 : seen * this.area;
    /** Frames before the first look, less one. */
    this.first = windows ? seen - 1 : 0;
    const count = height * width * (fixed - this.staysAt);
    this.stays = reels.map((_, i) => decodeFloat(weights, stays + 4 * i * count, count));
    this.reel = new Reel(description, weights);
    this.reset();
  }

  get drawable() {
    const { fixed, film } = this.description;
    return [film.walls ? fixed - film.patch ** 2 : fixed, fixed];
  }

  /** All that it has of the film, and all that it made of it. */
  clear(cells, at) {
    super.clear(cells, at);
    cells.fill(0, at + this.seenAt, at + this.seenAt + this.description.film.seen * this.area);
  }

  /** The state, and behind it how far the film is. */
  get state() {
    const [cells, numbers] = [super.state, this.reel.numbers];
    const whole = new Float32Array(cells.length + numbers.length);
    whole.set(cells);
    whole.set(numbers, cells.length);
    return whole;
  }

  fits(rest, step) {
    return rest.length === 0 || this.reel.fits(rest, step);
  }

  restore(state, stepCount, planted = []) {
    const length = this.cellCount * this.channels;
    super.restore(state.subarray(0, length), stepCount, planted);
    if (!this.reel) return;  // while it is being made
    if (state.length > length) {
      this.reel.numbers = state.subarray(length);
      this.reel.film = this.reel.reels[this.classIndex];
    } else {
      this.reel.rewind(this.classIndex, stepCount);
    }
  }

  reset() {
    super.reset();
    if (this.reel) this.settle();
  }

  /** Another film, from its beginning, for cells that have seen nothing. */
  setClass(index) {
    this.choose(index);
    this.cells.fill(0);
    this.reel.rewind(index, this.stepCount);
    this.settle();
  }

  /** Writes what stays. */
  settle() {
    const { cells, cellCount, stride, staysAt, description: { fixed } } = this;
    const count = fixed - staysAt;
    const stays = this.stays[this.classIndex];
    for (let i = 0; i < cellCount; i++) {
      cells.set(stays.subarray(i * count, (i + 1) * count), i * stride + staysAt);
    }
  }

  watch({ alone }) {
    this.reel.shown = alone ? this.reel.frame + 1 : MOST_FRAMES;
  }

  throw({ digit, x, y, down, right }) {
    const { reel, description: { film: { patch, throws: [first, count] } } } = this;
    const { side } = reel.bitmaps[first];
    const corner = (at, free) => Math.min(free, Math.max(0, (at + 0.5) * patch - side / 2));
    const [row, column] = [corner(y, reel.size.height - side), corner(x, reel.size.width - side)];
    reel.throw([first + digit % count, row, column, down, right]);
  }

  step() {
    const { film: { steps } } = this.description;
    if ((this.stepCount - this.reel.began) % steps === 0) this.look();
    super.step();
  }

  /** Shows the next frames, or what was told. */
  look() {
    const { reel, area, seenAt, first, description: { film, fixed, visible, channels } } = this;
    const windows = film.state === "window";
    const begins = reel.frame < 0;
    const count = begins ? first + 1 : film.shift;
    const alone = !begins && reel.isAlone(reel.frame + count);
    const { walls } = this;
    if (alone && windows) this.forCells((cells, at) => clamp(cells, at + seenAt, film.seen * area));
    if (alone && !windows) {
      this.forCells((cells, at) => {
        cells.copyWithin(at + seenAt + area, at + seenAt, at + seenAt + (film.seen - 1) * area);
        cells.copyWithin(at + seenAt, at + fixed, at + fixed + area);
        clamp(cells, at + seenAt, area);
      });
    }
    for (let i = 0; i < count; i++) {
      reel.advance(walls);
      const news = alone && reel.news(NEWS);
      if (news) this.add(news, count - 1 - i);
    }
    if (!alone) {
      reel.past.forEach((frame, slot) =>
        this.forPixels(slot, (cells, at, pixel) => { cells[at] = frame[pixel] / 255; }));
    }
    this.forCells((cells, at) => {
      if (!windows) cells.copyWithin(at + fixed, at + seenAt, at + seenAt + visible);
      if (windows ? !alone : film.state === "fresh") cells.fill(0, at + fixed + visible, at + channels);
    });
  }

  forCells(change) {
    const { cells, cellCount, stride } = this;
    for (let i = 0; i < cellCount; i++) change(cells, i * stride, i);
  }


  /** The brighter one of a frame and what is seen already. */
  add(frame, slot) {
    this.forPixels(slot, (cells, at, pixel) => { cells[at] = Math.max(cells[at], frame[pixel] / 255); });
  }

  /** Calls `change(cells, offset, pixel)` for the pixels of a frame that is seen, the newest in slot 0. */
  forPixels(slot, change) {
    const { seenAt, area } = this;
    this.forArea(seenAt + slot * area, change);
  }

  /** The same for the pixels that lie in channels from `first` on. */
  forArea(first, change) {
    const { width, cellsToRead: cells, cellCount, stride, area, description: { film: { patch } } } = this;
    for (let i = 0; i < cellCount; i++) {
      const corner = (Math.floor(i / width) * width * patch + i % width) * patch;
      for (let k = 0; k < area; k++) {
        const pixel = corner + Math.floor(k / patch) * width * patch + k % patch;
        change(cells, i * stride + first + k, pixel);
      }
    }
  }

  /** Walls as a picture {numbers, width}; null where none stand. */
  get walls() {
    const { reel, description: { film, fixed }, area } = this;
    if (!film.walls) return null;
    const numbers = new Float32Array(reel.length);
    this.forArea(fixed - area, (cells, at, pixel) => { numbers[pixel] = cells[at]; });
    return numbers.some((value) => value > 0) ? { numbers, width: reel.size.width } : null;
  }

  /** What it tells at the moment, gray numbers of a frame; between two looks it is on the way. */
  get told() {
    const numbers = new Float32Array(this.reel.length);
    this.forArea(this.description.fixed, (cells, at, pixel) => { numbers[pixel] = cells[at]; });
    return numbers;
  }

  /** The number of the frame that is being told; whether it is alone with it, but for `news`, and with the next. */
  get scene() {
    const { reel, first, description: { film: { shift } } } = this;
    const begins = reel.frame < 0;
    return {
      frame: begins ? first : reel.frame + shift,
      alone: !begins && reel.isAlone(reel.frame),
      news: !begins && reel.news(NEWS) !== null,
      next: !begins && reel.isAlone(reel.frame + shift),
    };
  }

  /** The true frame that is being told, as bytes. */
  get truth() {
    const { reel, first, walls, description: { film } } = this;
    return reel.later(reel.frame < 0 ? first + 1 : film.shift, walls);
  }
}

const clamp = (cells, at, count) => {
  for (let i = at; i < at + count; i++) cells[i] = Math.min(1, Math.max(0, cells[i]));
};
