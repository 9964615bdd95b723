// A cell under the lens: it and its eight neighbours, each a tile with a square for every channel.

import { colour } from "./paint.js";

const TILE = 48;  // pixels, twice as many as on the page
const SEAM = 4;
export const LENS = 3 * TILE + 2 * SEAM;

/** `around`: the numbers of nine cells, row by row; the middle one is the cell. */
export function drawLens(canvas, around) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, LENS, LENS);
  around.forEach((values, i) => {
    const [left, top] = [i % 3, Math.floor(i / 3)].map((place) => place * (TILE + SEAM));
    const columns = Math.ceil(Math.sqrt(values.length));
    const side = TILE / columns;
    values.forEach((value, k) => {
      context.fillStyle = `rgb(${colour(value).slice(0, 3)})`;
      // Edges on whole pixels, so that no seam shows between two squares.
      const [x, y] = [k % columns, Math.floor(k / columns)].map((n) => Math.round(n * side));
      const [right, bottom] = [k % columns + 1, Math.floor(k / columns) + 1].map((n) => Math.round(n * side));
      context.fillRect(left + x, top + y, right - x, bottom - y);
    });
  });
}

/** A cell in words. */
export function wordsOf({ values, change, rule }, { decoder, film, fixed, visible, channels, votes, rules }) {
  const round = (value) => value.toFixed(2).replace("-", "−");
  const names = decoder || film || votes.length ? [] : ["r", "g", "b", "α"].slice(0, visible);
  const first = channels - votes.length;
  const name = (i) => {
    if (i < fixed) return `input ${i}:`;
    if (i >= first) return `vote for ${votes[i - first].name}:`;
    const kind = visible === 0 || i >= fixed + visible ? "hidden" : film ? "told" : "latent";
    return names[i - fixed] ?? `${kind} ${i}:`;
  };
  const each = values.map((value, i) => `${name(i)} ${round(value)}`).join(", ");
  const obeys = rules ? `rule ${rules[rule]}, ` : "";
  return `${obeys}${each}, last change ${round(change)}`;
}
