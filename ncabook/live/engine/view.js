// What the reader sees: builds the instrument's elements, and knows nothing of the automaton.

import { make, makeButton, makeRadios } from "./elements.js";
import { makeExtra } from "./extra.js";
import { icon } from "./icons.js";
import { classColor } from "./paint.js";
import { nearOf, toolsOf } from "./tools.js";
import { makeWatching } from "./watch.js";
import { makeZoom, wholeWindow } from "./zoom.js";

// Choices beside each other: on a phone, beside a grid, below several grids.
const MOST = { classes: [6, 6, 11], rules: [4, 3, 8], inks: [4, 3, 8] };
const WORDS = 14;  // letters of a name in a narrow place
const MOST_PANES = 4;  // grids beside each other
const MOST_BARS = 20;  // of votes: more are too narrow to be read

let figures = 0;  // makes names and ids unique on the page

/** What the choice of a class is called: of an input to read, of a drawing to start from, or of a goal. */
const legendOf = ({ inputs, votes, seeds, film }) =>
  (film ? "Film" : votes.length > 0 ? "Input" : seeds ? "Seed" : inputs === null ? "Grow into" : "Draw");

/** Classes as labels or names; inputs as pictures, which are drawn when their bytes are at hand. */
function classOptions({ classes, class_index: first, inputs }) {
  return classes.map(({ label, name, color }, i) => {
    const checked = i === first;
    if (inputs !== null) {
      return { checked, name, content: [make("canvas", { class: "nca-thumb", "aria-hidden": "true" })] };
    }
    const words = make("span", { class: "nca-name" }, name);
    const sign = make("span", { class: "nca-label", "aria-hidden": "true" }, label);
    const swatch = color ? [makeSwatch(color.map((part) => Math.round(255 * part)))] : [];
    return { checked, content: [...swatch, ...(label === name ? [words] : [sign, words])] };
  });
}

const makeSwatch = (color) => {
  const swatch = make("span", { class: "nca-swatch", "aria-hidden": "true" });
  swatch.style.setProperty("--nca-class", `rgb(${color})`);
  return swatch;
};

/** The rules to graft. While the map of rules is shown, the same tiles are its key. */
function makeRules(names, id) {
  const options = names.map((name, i) => (
    { checked: i === 1, content: [makeSwatch(classColor(i)), make("span", { class: "nca-name" }, name)] }));
  const { inputs, group } = makeRadios("rules", "Rule to graft", options, id, MOST.rules);
  group.querySelector("legend").append(
    make("span", { class: "nca-of-map" }, ", with its colour on the map"));
  return { inputs, group };
}

/** The colours to paint with. */
function makeInks(inks, id) {
  const options = inks.map(({ name, color }, i) => {
    const swatch = makeSwatch(color.map((value) => Math.round(255 * value)));
    return { checked: i === 0, content: [swatch, make("span", { class: "nca-name" }, name)] };
  });
  return makeRadios("inks", "Ink", options, id, MOST.inks);
}

/** The brushes that stay in sight, told by a word too; none where a sentence is enough. */
function makeNear(tools, id) {
  if (tools.length === 0) return { inputs: [] };
  return makeRadios("tools", "Brush", tools.map(({ tool, name, word, checked }) => ({
    name, checked, content: [make("span", { class: "nca-icon" }, icon(tool)), word],
  })), id);
}

/** A bar for each class, as high as its share of the votes; of many classes, the first in words. */
function makeVotes({ votes }) {
  const bars = votes.length > MOST_BARS ? [] : votes.map(({ label }, k) => {
    const bar = make("div", { class: "nca-vote" }, make("span", {}), label);
    bar.style.setProperty("--nca-class", `rgb(${classColor(k)})`);
    return bar;
  });
  const row = make("div", { class: "nca-votes", role: "img", "aria-label": "No votes yet" }, ...bars);
  row.toggleAttribute("data-words", votes.some(({ label }) => label.length > 2));
  return { bars, row };
}

function makePane(description, id, caption, measured) {
  const { height, width, alt } = description;
  const canvas = make("canvas", {
    width, height, tabindex: 0, role: "img",
    "aria-label": caption === undefined ? alt : `${caption}. ${alt}`,
    "aria-describedby": `${id}-hint`,
  });
  canvas.style.aspectRatio = `${width} / ${height}`;
  const cursor = make("div", { class: "nca-cursor", "aria-hidden": "true", hidden: "" });
  // An application, so that a screen reader hands the arrow keys on to the canvas.
  const stage = make("div", {
    class: "nca-stage", role: "application", "aria-label": caption ?? "Grid",
  }, canvas, cursor);
  const words = caption === undefined
    ? [] : [make("div", { class: "nca-caption", "aria-hidden": "true" }, caption)];
  const recovery = make("div", { class: "nca-recovery" }, make("span", {}), make("span", {}));
  recovery.hidden = !measured;  // else its room is kept from the start
  const votes = makeVotes(description);
  const size = make("div", { class: "nca-caption nca-size", "aria-hidden": "true" });  // the slider tells it
  const below = [...(description.decoder?.kind === "local" || description.film ? [size] : []), ...(description.votes.length ? [votes.row] : [])];
  const pane = make("div", { class: "nca-pane" }, stage, ...words, ...below, recovery);
  return { canvas, cursor, recovery, votes, size, pane };
}

/** The panes of an automaton: where its latents are shown, they stand beside the picture. */
function makePanes(description, id, title, measured) {
  const { alt, width, height, beside, film } = description;
  if (!beside) return [makePane(description, id, title, measured)];
  const [first, second] = description.film ? ["Predicted", "True film"] : ["Decoded picture", "Latents"];
  const [picture, latents] = [first, second].map((words) =>
    (title === undefined ? words : `${title}: ${words.toLowerCase()}`));
  const [under, other] = film
    ? ["", "The true film, as it goes on."]
    : [" A stroke here erases the latents that lie under it.", `The ${width} by ${height} cells that the picture is ` +
      "decoded from, in colours. A stroke here erases cells."];
  return [
    makePane({ ...description, alt: `${alt}${under}` }, id, picture, measured),
    makePane({ ...description, decoder: null, votes: [], alt: other }, id, latents, measured),
  ];
}

function makeReadout() {
  // An output speaks by default; at sixty changes a second it must not.
  const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
  const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
  const readout = make("div", { class: "nca-readout" },
    make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
  return { steps, rate, readout };
}

/** A first focus that leads past the figure, and where it leads. */
function makeSkip() {
  const end = make("span", { class: "nca-end", tabindex: -1 });
  const skip = make("button", { type: "button", class: "nca-button nca-skip" }, "Skip the figure");
  skip.addEventListener("click", () => end.focus());
  return { skip, end };
}

/** Sets a figure's controls as those of another one are. */
export function takeOver(from, to) {
  for (const name of ["size", "speed", "channel"]) {
    to[name].value = from[name].value;
    to[name].dispatchEvent(new Event("input"));
  }
  for (const name of ["tools", "rules", "inks"]) {
    from[name].forEach(({ checked }, i) => { to[name][i].checked = checked; });
  }
  setOpen(to, !from.extra.hidden);
}

/** Shows, or hides, what is behind More. */
export function setOpen({ more, extra }, open) {
  extra.hidden = !open;
  more.setAttribute("aria-expanded", String(open));
}

let sheet = null;  // one for all figures

/** Adds the style sheet to the element's document or shadow tree, once. */
function addStyle(element) {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document;
  if (place.adoptedStyleSheets === undefined) return addStyleElement(root);
  if (sheet === null) {  // not an element: a page's policy may forbid those
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  if (!place.adoptedStyleSheets.includes(sheet)) place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
}

/** The same for browsers before 2023. */
function addStyleElement(root) {
  const place = root instanceof ShadowRoot ? root : document.head;
  if (!place.querySelector("style[data-nca-live]")) place.append(make("style", { "data-nca-live": "" }, STYLE));
}

/** Grids beside each other: as many in each row, four at most. */
function spread(bed, count) {
  const rows = Math.ceil(count / MOST_PANES);
  bed.style.setProperty("--nca-panes", Math.ceil(count / rows));
}

/** What stays in sight beside the grids: transport, one choice, the brush. */
function makePanel(description, id, near, readout) {
  const play = makeButton("play", "Play");
  const reset = makeButton("reset", "Reset");
  const undo = makeButton("undo", "Undo");
  undo.hidden = true;
  undo.setAttribute("aria-label", "Undo the reset");
  const more = makeButton("more", "More");
  more.setAttribute("aria-controls", `${id}-extra`);
  const options = classOptions(description);
  const words = options.some(({ content }) => content.length === 1 && content[0].textContent.length > WORDS);
  const classes = options.length > 1
    ? makeRadios("classes", legendOf(description), options, id, words ? MOST.rules : MOST.classes) : { inputs: [] };
  const rules = description.rules ? makeRules(description.rules, id) : { inputs: [] };
  const inks = description.inks ? makeInks(description.inks, id) : { inputs: [] };
  const tools = makeNear(near, id);
  const zoom = makeZoom(id, description);
  const watching = makeWatching(id, description);
  // On a touch screen a swipe scrolls until the reader takes the brush.
  const take = makeButton("take", "Use the brush");
  const does = make("span", { class: "nca-does" });
  const hold = make("div", { class: "nca-hold" }, take, ...(tools.group ? [tools.group] : []), does);
  const panel = make("div", { class: "nca-panel" }, readout,
    make("div", { class: "nca-transport" }, play, reset, undo, more),
    ...[classes, watching, rules, inks].flatMap(({ group }) => group ?? []), ...(zoom ? [zoom.row] : []), hold);
  return {
    panel, play, reset, undo, more, take, does, near: tools.inputs, classes: classes.inputs, rules: rules.inputs,
    inks: inks.inputs, watching: watching.inputs, zoom: zoom?.slider,
  };
}

/** Builds everything inside `element` and returns the parts that the player works with. */
export function buildView(element, descriptions) {
  addStyle(element);
  const id = `nca-${++figures}`;
  const [description] = descriptions;
  const several = descriptions.length > 1;
  const measured = descriptions.some(({ targets }) => targets !== null);
  const ofEach = descriptions.map((d) => makePanes(d, id, several ? d.title : undefined, measured));
  const panes = ofEach.flat();
  const bed = make("div", { class: "nca-bed" }, ...panes.map(({ pane }) => pane));
  spread(bed, panes.length);
  const { steps, rate, readout } = makeReadout();
  const grows = description.votes.length === 0 && description.start === null && !description.fill;  // from a seed
  const offered = toolsOf(description, grows).map((tool, i) => ({ ...tool, checked: i === 0 }));
  const { panel, near, ...parts } = makePanel(description, id, offered.slice(0, nearOf(offered)), readout);
  const { box: extra, tools, ...others } = makeExtra(id, descriptions, offered.slice(nearOf(offered)), grows);
  const notice = make("p", { class: "nca-notice", hidden: "" });
  const status = make("p", { class: "nca-hidden", role: "status" });
  const { skip, end } = makeSkip();
  const root = make("div", {
    class: ["nca-player", ...(panes.length > 1 ? ["nca-several"] : []),
      ...(description.beside ? ["nca-beside"] : [])].join(" "), role: "group",
    "aria-label": several ? "Live automata, side by side" : `Live automaton: ${description.title}`,
    // JupyterLab would take some of the keys as its own commands.
    "data-lm-suppress-shortcuts": "true",
  }, skip, make("div", { class: "nca-body" }, bed, panel), notice, extra, status, end);
  element.prepend(root);
  const view = {
    ...parts, ...others, root, bed, extra, grid: description, steps, rate, status, notice,
    canvases: panes.map(({ canvas }) => canvas), cursors: panes.map(({ cursor }) => cursor),
    resolutions: panes.map(({ size }) => size), windows: panes.map(() => wholeWindow(description)),
    recoveries: ofEach.map(([{ recovery }]) => recovery), votes: ofEach.map(([{ votes }]) => votes),
    automata: ofEach.flatMap((own, i) => own.map(() => i)),  // whose each pane is
    tools: [...near, ...tools], brushes: offered,
  };
  setOpen(view, description.more === true);
  return view;
}
