// A link to a moment of one of the page's figures, in the part of the address after #.

const KEY = "nca";
const MOST_CHARACTERS = 1e6;  // of a link that browsers open
const MOST_BYTES = 2 ** 23;  // of what a link unfolds to

/** Sends bytes through a stream, `most` of them at most. */
async function through(bytes, stream, most = Infinity) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    parts.push(value);
    length += value.length;
    if (length > most) throw new RangeError(`more than ${most} bytes`);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * This page's address with a moment of one of its figures: {figure, step, canvas, classIndex,
 * degrees, weight, events}; null if it would be too long.
 */
export async function momentLink(moment) {
  const json = new TextEncoder().encode(JSON.stringify(moment));
  const packed = await through(json, new CompressionStream("deflate-raw"));
  if (packed.length > MOST_CHARACTERS / 2) return null;
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.href.split("#")[0]}#${KEY}=${text}`;
}

const told = () => new URLSearchParams(location.hash.slice(1)).get(KEY);

/** Whether this page's address tells of a moment of one of its figures. */
export const tellsOfMoment = () => told() !== null;

/**
 * The moment in this page's address, as far as the figure of that number is concerned: null if
 * there is none. Whether it can be one of this figure, nobody has checked.
 *
 * @throws {Error} in words, for the page's first figure, if the link cannot be read
 */
export async function momentOf(index) {
  if (!tellsOfMoment()) return null;
  const moment = await unfold(told()).catch(() => null);
  const known = Number.isInteger(moment?.figure) && moment.figure >= 0;
  const count = allFigures().length;
  if (index === 0 && !known) throw new Error("it was cut off, or changed on its way");
  if (index === 0 && moment.figure >= count) {
    throw new Error(`it tells of figure ${moment.figure + 1}, and this page has ${count}`);
  }
  return known && moment.figure === index ? moment : null;
}

async function unfold(text) {
  const packed = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")),
    (character) => character.charCodeAt(0));
  const json = await through(packed, new DecompressionStream("deflate-raw"), MOST_BYTES);
  return JSON.parse(new TextDecoder().decode(json));
}

/** All figures of the page, in the order in which links number them. */
export const allFigures = () => [...document.querySelectorAll("figure.nca-figure")];
