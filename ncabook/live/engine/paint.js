// What is shown of an automaton, as RGBA bytes.

import { codesPicture, latentsPicture } from "./latents.js";

const NEGATIVE = [178, 24, 43];  // two colours that colour-blind readers can tell apart
const POSITIVE = [33, 102, 172];

/**
 * The cells of an engine, whose `ballot` is null where nobody votes: their picture on white, or one
 * number of each in colour; {data, height, width}.
 */
export function paint(engine, shown, ballot) {
  if (shown === "picture" && ballot !== null) return votesPicture(engine, ballot);
  if (engine.reel && (shown === "picture" || shown === "film")) return filmPicture(engine, shown === "film");
  if (shown === "picture") return picture(engine);
  if (shown === "latents") return latentsPicture(engine);
  if (shown === "codes") return codesPicture(engine);
  if (shown === "rules") return rulesPicture(engine);
  if (shown === "critic") return criticsPicture(engine);
  const { height, width, cellCount } = engine;
  const data = new Uint8ClampedArray(4 * cellCount);
  const values = numbers(engine, shown, ballot);
  for (let i = 0; i < cellCount; i++) data.set(colour(values(i)), 4 * i);
  return { data, height, width };
}

const WALL = [190, 110, 40];

/** What is told of a film, or its true frame, gray, with walls on it; and in words where it is. */
function filmPicture(engine, isTrue) {
  const { reel, scene, walls } = engine;
  const [values, white] = isTrue ? [engine.truth, 1] : [engine.told, 255];
  const data = new Uint8ClampedArray(4 * reel.length).fill(255);
  for (let i = 0; i < reel.length; i++) {
    const gray = white * values[i];
    for (let k = 0; k < 3; k++) data[4 * i + k] = walls?.numbers[i] > 0.5 ? Math.max(gray, WALL[k]) : gray;
  }
  const of = isTrue ? (scene.frame < reel.frames ? "the film" : "the film is over") : !scene.alone ? "watching" : scene.news ? "alone, but for a new digit" : "alone";
  return { data, ...reel.size, words: `frame ${scene.frame}, ${of}` };
}

const INK = 0.7;  // how dark an input of 1 is
const clamped = (value) => Math.min(1, Math.max(0, value));

/** The decoded picture, or the visible channels; with the first input channel as ink, if there is one. */
function picture(engine) {
  const { fixed, visible, decoder, erased } = engine.description;
  const { numbers: from, stride, height, width, window } = decoder
    ? engine.decode() : Object.assign(Object.create(engine), { numbers: engine.cellsToRead });
  const first = decoder ? 0 : fixed;
  const opaque = (decoder?.image ?? visible) === 3;
  const inked = !decoder && fixed > 0 && !erased;  // else they tell what is known
  const data = new Uint8ClampedArray(4 * height * width);
  for (let to = 0, cell = 0; to < data.length; to += 4, cell += stride) {
    const at = cell + first;
    const paper = inked ? 1 - INK * clamped(from[cell]) : 1;
    const white = opaque ? 0 : paper * (1 - clamped(from[at + 3]));
    const light = 255 * (opaque ? paper : 1);  // where no white is left to draw on, ink darkens the colours
    // Colours are premultiplied. The array of pixels clamps to 0…255 by itself.
    data[to] = light * (from[at] + white);
    data[to + 1] = light * (from[at + 1] + white);
    data[to + 2] = light * (from[at + 2] + white);
    data[to + 3] = 255;
  }
  return { data, height, width, window };
}

// Ten colours that colour-blind readers can tell apart (Paul Tol's "muted", and orange).
const CLASS_COLORS = [
  "#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee",
  "#882255", "#44aa99", "#999933", "#aa4499", "#ee7733",
].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
/** The colour of a class, or of a rule; after ten they begin again. */
export const classColor = (index) => CLASS_COLORS[index % CLASS_COLORS.length];
const LEAST_INK = 0.35;  // of a cell's vote, where it sees no ink itself
const PHOTO = 0.45;  // how much of a photograph is seen through the votes

/** Each voter in its vote's colour, on white or on the photograph. */
function votesPicture({ height, width, cellCount, cellsToRead: cells, stride, description }, ballot) {
  const { fixed } = description;
  const data = new Uint8ClampedArray(4 * cellCount).fill(255);
  for (let i = 0; i < cellCount; i++) {
    const input = (k) => clamped(cells[i * stride + k]);
    const vote = ballot.votes[i];
    const colour = classColor(vote);
    const ink = vote < 0 ? 0 : LEAST_INK + (1 - LEAST_INK) * input(0);
    for (let k = 0; k < 3; k++) {
      const photo = 255 * input(k);
      if (fixed === 3) data[4 * i + k] = vote < 0 ? photo : PHOTO * photo + (1 - PHOTO) * colour[k];
      else if (vote >= 0) data[4 * i + k] = 255 + ink * (colour[k] - 255);
    }
  }
  return { data, height, width };
}

/** Each cell in the colour of the rule that it obeys. */
function rulesPicture({ height, width, cellCount, ruleMap }) {
  const data = new Uint8ClampedArray(4 * cellCount).fill(255);
  ruleMap.forEach((rule, i) => data.set(classColor(rule), 4 * i));
  return { data, height, width };
}

const OPINION = 0.6;  // how much of the picture a critic's opinion covers

/** The picture under what a critic says of each place. */
function criticsPicture(engine) {
  const seen = picture(engine);
  const { size } = engine.critic;
  const opinions = engine.critic.judge(engine);
  for (let i = 0; i < engine.cellCount; i++) {
    const row = Math.floor(Math.floor(i / seen.width) * size.height / seen.height);
    const column = Math.floor(i % seen.width * size.width / seen.width);
    const over = colour(opinions[row * size.width + column]);
    for (let k = 0; k < 3; k++) {
      seen.data[4 * i + k] = OPINION * over[k] + (1 - OPINION) * seen.data[4 * i + k];
    }
  }
  return seen;
}

/** A function from a cell's number to its value. */
function numbers(engine, shown, ballot) {
  const { cellsToRead: cells, stride, description } = engine;
  if (shown === "changes" || shown === "fired") {
    const values = engine[shown];
    return (i) => values[i];
  }
  if (shown === "disagreement") {
    const { votes, winner } = ballot;
    return (i) => Number(votes[i] >= 0 && votes[i] !== winner);
  }
  const channel = shown === "alpha" ? description.fixed + 3 : shown;
  return (i) => cells[i * stride + channel];
}

/** White for 0, blue for 1 and more, red for −1 and less. */
export function colour(value) {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value) || 0);
  return [...end.map((c) => 255 + share * (c - 255)), 255];
}
