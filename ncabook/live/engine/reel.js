// The true film of a figure: stored frames, if there are some, and the digits that fly in it.

import { MOST_SPEED } from "./events.js";
import { drawDigit, fly, takeOff } from "./flights.js";

export const MOST_FRAMES = 1e9;
const MOST_FLIGHTS = 32;
const HEAD = 4;
const FIELDS = ["digit", "row", "column", "down", "right", "age"];

/** Float64s, by the float32s that hold their bits. */
const doubles = (numbers, first, end) => new Float64Array(numbers.slice(2 * first, 2 * end).buffer);

/** The first `count` flights of a reel's numbers. */
function flightsOf(numbers, count) {
  const rows = doubles(numbers, HEAD, HEAD + count * FIELDS.length);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(FIELDS.map((name, k) => [name, rows[i * FIELDS.length + k]])));
}

export class Reel {
  /** Of a description and its weights. */
  constructor({ film, height, width }, bytes) {
    const { patch, reels, digits, shown, seen } = film;
    this.size = { height: patch * height, width: patch * width };
    this.length = this.size.height * this.size.width;
    Object.assign(this, { bytes, reels, seen, firstShown: shown });
    this.bitmaps = Array.from({ length: digits?.count ?? 0 }, (_, i) => {
      const area = digits.side ** 2;
      return { side: digits.side, pixels: bytes.subarray(digits.offset + i * area, digits.offset + (i + 1) * area) };
    });
    this.rewind(0, 0);
  }

  /** A film from its beginning, which is at a step. */
  rewind(index, step) {
    this.film = this.reels[index];
    this.began = step;
    this.frame = -1;  // the newest that there was
    this.shown = this.firstShown;  // frames before it goes on alone
    this.flights = this.film.flights.map(takeOff);
    this.past = [];  // true frames that are seen, the newest first
  }

  /** Frames that there are; as many as one likes, where all that is seen flies. */
  get frames() {
    return this.film.frames === null ? MOST_FRAMES : this.film.count;
  }

  /** All that changes, as float32: two of them hold the bits of a float64. */
  get numbers() {
    const { began, frame, shown, flights, past, length } = this;
    const rows = flights.flatMap((flight) => FIELDS.map((name) => flight[name]));
    const few = new Float32Array(Float64Array.of(began, frame, shown, flights.length, ...rows).buffer);
    const all = new Float32Array(few.length + past.length * length);
    all.set(few);
    past.forEach((picture, i) => all.set(picture, few.length + i * length));
    return all;
  }

  set numbers(numbers) {
    const [began, frame, shown, count] = doubles(numbers, 0, HEAD);
    Object.assign(this, { began, frame, shown });
    this.flights = flightsOf(numbers, count);
    const pictures = numbers.subarray(2 * (HEAD + count * FIELDS.length));
    this.past = Array.from({ length: pictures.length / this.length }, (_, i) =>
      Uint8ClampedArray.from(pictures.subarray(i * this.length, (i + 1) * this.length)));
  }

  /** Whether they can be `numbers` at a step; they may come from anywhere. */
  fits(numbers, step) {
    const { length, seen, bitmaps, size: { height, width } } = this;
    if (!(numbers instanceof Float32Array) || numbers.length < 2 * HEAD) return false;
    const [began, frame, shown, count] = doubles(numbers, 0, HEAD);
    const isIn = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
    const most = Math.max(MOST_FLIGHTS, ...this.reels.map(({ flights }) => flights.length));
    if (!isIn(began, 0, step) || !isIn(frame, -1, MOST_FRAMES) || !isIn(shown, 0, MOST_FRAMES) || !isIn(count, 0, most)) {
      return false;
    }
    const flown = 2 * (HEAD + count * FIELDS.length);
    return numbers.length === flown + (frame < 0 ? 0 : seen * length) &&
      flightsOf(numbers, count).every(({ digit, row, column, down, right, age }) =>
        isIn(digit, 0, bitmaps.length - 1) && row >= 0 && row <= height - bitmaps[digit].side &&
        column >= 0 && column <= width - bitmaps[digit].side && Math.abs(down) <= MOST_SPEED &&
        Math.abs(right) <= MOST_SPEED && isIn(age, -1, MOST_FRAMES));
  }

  /** Whether a frame is not shown, since the automaton is alone or the film is over. */
  isAlone(frame) {
    return frame >= Math.min(this.shown, this.frames);
  }

  throw(flight) {
    this.flights = [...this.flights.slice(1 - MOST_FLIGHTS), takeOff(flight)];
  }

  /** The next frame. */
  advance(walls) {
    this.flights = this.flown(this.flights, walls);
    this.frame += 1;
    const { now, past, seen } = this;
    this.past = Array.from({ length: seen }, (_, i) => (i === 0 ? now : past[i - 1] ?? now));
  }

  flown(flights, walls) {
    return flights.map((flight) => fly(flight, this.bitmaps[flight.digit], this.size, walls));
  }

  /** A frame, as bytes, with what flies in it then. */
  drawn(frame, flights) {
    const picture = new Uint8ClampedArray(this.length);
    const { frames, count } = this.film;
    if (frames !== null && frame < count) {
      const at = frames + frame * this.length;
      picture.set(this.bytes.subarray(at, at + this.length));
    }
    for (const flight of flights) drawDigit(picture, flight, this.bitmaps[flight.digit], this.size.width);
    return picture;
  }

  get now() {
    return this.drawn(this.frame, this.flights);
  }

  /** So many frames later, if the walls stay. */
  later(count, walls) {
    let { flights } = this;
    for (let i = 0; i < count; i++) flights = this.flown(flights, walls);
    return this.drawn(this.frame + count, flights);
  }

  /** What was thrown lately: it is shown to who is alone, too; null if nothing was. */
  news(looks) {
    const thrown = this.flights.slice(this.film.flights.length).filter(({ age }) => age >= 0 && age < looks);
    return thrown.length === 0 ? null : this.drawn(MOST_FRAMES, thrown);
  }
}
