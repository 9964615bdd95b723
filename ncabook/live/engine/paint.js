// What is shown of an automaton, as RGBA bytes.

/** What can be shown besides a channel's number. */
export const SHOWN = ["picture", "alpha", "changes", "fired"];

const NEGATIVE = [178, 24, 43];  // two colours that colour-blind readers can tell apart
const POSITIVE = [33, 102, 172];

/** The cells of an engine: their picture on white, or one number of each in colour; {data, height, width}. */
export function paint(engine, shown) {
  if (shown === "picture") return picture(engine);
  const { height, width, cellCount } = engine;
  const data = new Uint8ClampedArray(4 * cellCount);
  const values = numbers(engine, shown);
  for (let i = 0; i < cellCount; i++) data.set(colour(values(i)), 4 * i);
  return { data, height, width };
}

const INK = 0.7;  // how dark an input of 1 is
const clamped = (value) => Math.min(1, Math.max(0, value));

/** The decoded picture, or the visible channels; on the first input channel, if there is one. */
function picture(engine) {
  const { fixed, decoder } = engine.description;
  const { numbers: from, stride, height, width } = decoder
    ? engine.decode() : Object.assign(Object.create(engine), { numbers: engine.cellsToRead });
  const first = decoder ? 0 : fixed;
  const opaque = decoder?.image === 3;
  const data = new Uint8ClampedArray(4 * height * width);
  for (let i = 0; i < height * width; i++) {
    const at = i * stride + first;
    const paper = !decoder && fixed ? 1 - INK * clamped(from[i * stride]) : 1;
    const white = opaque ? 0 : paper * (1 - clamped(from[at + 3]));
    // Colours are premultiplied. The array of pixels clamps to 0…255 by itself.
    for (let k = 0; k < 3; k++) data[4 * i + k] = 255 * (from[at + k] + white);
    data[4 * i + 3] = 255;
  }
  return { data, height, width };
}

/** A function from a cell's number to its value. */
export function numbers(engine, shown) {
  const { cellsToRead: cells, stride, description } = engine;
  if (shown === "changes" || shown === "fired") {
    const values = engine[shown];
    return (i) => values[i];
  }
  const channel = shown === "alpha" ? description.fixed + 3 : shown;
  return (i) => cells[i * stride + channel];
}

/** White for 0, blue for 1 and more, red for −1 and less. */
function colour(value) {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value));
  return [...end.map((c) => 255 + share * (c - 255)), 255];
}
