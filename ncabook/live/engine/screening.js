// What a description says of a film, checked once as all else is; see ncabook.live.film.

import { LANES, expect, fits, isCount, isNatural } from "./description.js";

const STATES = ["carried", "fresh", "window"];

/** Throws an Error in words where a film does not fit its automaton and its weights. */
export function checkFilm(d) {
  const { steps, seen, shift, patch, state, shown, walls, stays, reels, digits, throws, speed } = d.film;
  const must = (condition, name, expected) => expect(condition, `film.${name}`, d.film[name], expected);
  for (const name of ["steps", "seen", "shift", "patch", "shown"]) must(isCount(d.film[name]), name, "a whole number ≥ 1");
  must(STATES.includes(state), "state", `one of ${STATES.join(", ")}`);
  must(typeof walls === "boolean", "walls", "true or false");
  const [windows, area, size] = [state === "window", patch ** 2, d.height * d.width];
  must(windows ? shift <= seen : shift === 1, "shift", windows ? `at most ${seen}, the frames that are seen` : "1");
  const told = windows ? seen * area : area;
  expect(d.visible === told, "visible", d.visible, `${told}, the pixels of what is told in a cell`);
  const least = (windows ? 0 : seen * area) + (walls ? area : 0);
  expect(d.fixed >= least, "fixed", d.fixed, `${least} or more: frames that are seen, and walls`);
  must(Array.isArray(reels) && reels.length === Math.max(1, d.classes.length), "reels", "a film for each class");
  const kept = d.fixed - (windows ? 0 : seen * area);
  must(fits(stays, LANES, 4 * size * kept * reels.length, d), "stays", "an offset, a multiple of 4, within the weights");
  must(digits === null || (isCount(digits.count) && isCount(digits.side) &&
    digits.side < patch * Math.min(d.height, d.width) && fits(digits.offset, 1, digits.count * digits.side ** 2, d)),
    "digits", "null, or pictures smaller than a frame, within the weights");
  const count = digits?.count ?? 0;
  must(throws?.length === 2 && throws.every(isNatural) && throws[0] + throws[1] <= count, "throws",
    `a first digit and how many follow, of ${count}`);
  must(speed > 0 && Number.isFinite(speed), "speed", "pixels a frame, a number > 0");
  reels.forEach(({ frames, count: length, flights }, i) => {
    expect(frames === null || (isCount(length) && fits(frames, 1, length * size * area, d)),
      `film.reels[${i}].frames`, frames, "null, or an offset of frames within the weights");
    expect(Array.isArray(flights) && flights.every((flight) => flight.length === 5 &&
      flight.every(Number.isFinite) && isNatural(flight[0]) && flight[0] < count),
      `film.reels[${i}].flights`, flights, "rows of a digit's number, row, column, and speed down and right");
  });
}
