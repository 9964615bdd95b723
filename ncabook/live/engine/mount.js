// From a description to a figure that plays: in place of its picture, again on another canvas, or
// a sentence where that is not to be.

import { checkMoment } from "./events.js";
import { connect } from "./link.js";
import { allFigures, momentOf } from "./moment.js";
import { Player } from "./player.js";
import { drawThumbs } from "./thumbs.js";
import { takeOver } from "./view.js";

async function begin(element, descriptions, weights, report) {
  const link = await connect(descriptions, weights);
  const player = new Player(element, descriptions, link, report);
  drawThumbs(player.view, descriptions[0], weights);
  player.resize = (index) => resize(player, weights, index);
  player.view.canvasSize?.addEventListener("change", () => player.resize(Number(player.view.canvasSize.value)));
  return player;
}

/** The same automata on the canvas of number `index`, where there is a choice. */
const onCanvas = (descriptions, index) => descriptions.map((d) => {
  const [height, width] = d.sizes?.[index] ?? [d.height, d.width];
  const alt = d.alt.replace(`${d.width} by ${d.height} cells`, `${width} by ${height} cells`);
  return { ...d, height, width, alt };
});

/** Begins again on another canvas, with another player; the controls stay as they are. */
async function resize(old, weights, index) {
  const { element, report, view, last } = old;
  view.canvasSize.value = index;
  const held = view.canvasSize.matches(":focus");
  const descriptions = onCanvas(old.descriptions, index)
    .map((d) => ({ ...d, class_index: last.classIndex, fire_rate: old.fireRate }))
    .map((d) => (d.turns === undefined ? d : { ...d, turns: last.degrees }));
  const isChosen = () => Number(view.canvasSize.value) === index;
  let player;
  try {
    player = await begin(element, descriptions, weights, report);
  } catch (error) {
    if (isChosen()) view.canvasSize.value = old.canvas;
    return old.notify(error.message);
  }
  if (old.ended || !isChosen()) return player.destroy();  // somebody was faster, or chose again
  takeOver(view, player.view);
  player.canvas = index;
  player.hold.choose(view.tools.findIndex(({ checked }) => checked));
  if (view.root.dataset.touch !== undefined) player.hold.touch();
  const { playing } = old;
  old.destroy();
  element.ncaPlayer = player;
  if (held) player.view.canvasSize.focus();
  player.show(player.view.channel.value);
  player.setPlaying(playing, false);
  player.tell({ steps: 0, events: [] });
  return player.say(`A canvas of ${descriptions[0].width} by ${descriptions[0].height} cells`);
}

/** The moment of this figure that the page's address tells of, or what is wrong with that. */
async function lookUp(element, descriptions) {
  try {
    const moment = await momentOf(allFigures().indexOf(element));
    if (moment !== null) checkMoment(moment, descriptions[0]);
    return { moment, wrong: null };
  } catch (error) {
    return { moment: null, wrong: error.message.replace("live figure: ", "") };
  }
}

/** Scrolls to a figure that a link tells of, and again when the page above it has its height. */
function lead(element) {
  const show = () => element.scrollIntoView({ block: "start" });
  history.scrollRestoration = "manual";  // else the browser goes where this page was left
  if (document.readyState !== "complete") addEventListener("load", show, { once: true });
  show();
}

/** Puts a sentence in a figure's place; the picture, if there is one, stays. */
export function explain(element, error) {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.textContent = error.message;
  element.prepend(message);
}

/**
 * Puts a live figure at the beginning of `element`, which gets the property `ncaPlayer`.
 *
 * @param {Element} element where
 * @param {object[]} descriptions what ncabook.live.describe returns, for each automaton
 * @param {Uint8Array} weights and their bytes, one after another
 * @param {function} report called with {steps}, {classIndex}, {playing} or {events} when they change
 * @returns {Promise<Player>} a player; to be ended: `element.ncaPlayer.destroy()`, since another one
 *   takes its place when the reader changes the canvas
 */
export async function mount(element, descriptions, weights, report = null) {
  try {
    if (!Array.isArray(descriptions) || descriptions.length === 0) {
      throw new Error("live figure: no automaton is described; expected a list of descriptions");
    }
    const { moment, wrong } = await lookUp(element, descriptions);
    const grids = moment === null ? descriptions : onCanvas(descriptions, moment.canvas);
    const player = await begin(element, grids, weights, report);
    // The picture stood for what is there now. On paper it still does, until something has happened.
    element.querySelector(":scope > .nca-poster")?.classList.add("nca-printed");
    if (wrong !== null) player.notify(`The link cannot be shown: ${wrong}. This is the start.`);
    if (moment !== null) lead(element);
    const there = moment === null || await player.goTo(moment);
    if (there && !matchMedia("(prefers-reduced-motion: reduce)").matches) player.setPlaying(true, false);
    if (!player.ended) element.ncaPlayer = player;
    return player;
  } catch (error) {
    explain(element, error);
    throw error;
  }
}
