// Whether an automaton watches its film or goes on alone, and how a digit is thrown into it.

import { makeRadios } from "./elements.js";
import { MOST_SPEED } from "./events.js";

const FRAMES = 5;  // in which a thrown digit flies as far as the reader's hand went
const LEAST = 0.5;  // cells; less is a tap

/** The choice of what it sees next; without a film there is none. */
export const makeWatching = (id, { film }) => (film
  ? makeRadios("watching", "It sees", ["The film", "Its own frames"].map((name, i) => ({ checked: i === 0, content: [name] })), id)
  : { inputs: [] });

/** The digit that a drag throws: `from` and `to` in cells. After a tap it flies down to the right. */
export function throwEvent({ film: { patch, speed, throws: [, count] } }, from, to, salt) {
  const tap = Math.hypot(to.x - from.x, to.y - from.y) < LEAST;
  const pixels = (way) => Math.max(-MOST_SPEED, Math.min(MOST_SPEED, Math.round(100 * way) / 100));
  const [right, down] = tap ? [pixels(speed * Math.SQRT1_2), pixels(speed * Math.SQRT1_2)]
    : [to.x - from.x, to.y - from.y].map((cells) => pixels(cells * patch / FRAMES));
  const [x, y] = [from.x, from.y].map((v) => Math.round(10 * v) / 10);
  return { kind: "throw", digit: salt % count, x, y, right, down };
}
