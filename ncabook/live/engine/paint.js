// What is shown of an automaton, as RGBA bytes.

/** What can be shown besides a channel's number. */
export const SHOWN = ["picture", "alpha", "changes", "fired"];

const NEGATIVE = [178, 24, 43];  // two colours that colour-blind readers can tell apart
const POSITIVE = [33, 102, 172];

/** The cells of an engine: its picture on white, or one number of each cell in colour. */
export function paint(engine, shown) {
  const pixels = new Uint8ClampedArray(4 * engine.cellCount);
  if (shown === "picture") {
    picture(engine, pixels);
  } else {
    const values = numbers(engine, shown);
    for (let i = 0; i < engine.cellCount; i++) pixels.set(colour(values(i)), 4 * i);
  }
  return pixels;
}

const INK = 0.7;  // how dark an input of 1 is

/** The visible channels, composited on white; on the first input channel, if there is one. */
function picture({ cellsToRead: cells, cellCount, stride, description }, pixels) {
  const clamped = (value) => Math.min(1, Math.max(0, value));
  for (let i = 0; i < cellCount; i++) {
    const alpha = i * stride + description.alpha;
    const paper = description.fixed ? 1 - INK * clamped(cells[i * stride]) : 1;
    const white = paper * (1 - clamped(cells[alpha]));
    // Colours are premultiplied. The array of pixels clamps to 0…255 by itself.
    for (let k = 0; k < 3; k++) pixels[4 * i + k] = 255 * (cells[alpha - 3 + k] + white);
    pixels[4 * i + 3] = 255;
  }
}

/** A function from a cell's number to its value. */
export function numbers(engine, shown) {
  const { cellsToRead: cells, stride, description } = engine;
  if (shown === "changes" || shown === "fired") {
    const values = engine[shown];
    return (i) => values[i];
  }
  const channel = shown === "alpha" ? description.alpha : shown;
  return (i) => cells[i * stride + channel];
}

/** White for 0, blue for 1 and more, red for −1 and less. */
function colour(value) {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value));
  return [...end.map((c) => 255 + share * (c - 255)), 255];
}
