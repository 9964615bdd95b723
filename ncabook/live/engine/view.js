// What the reader sees: builds the instrument's elements, and knows nothing of the automaton.

import { make, makeButton, makeRadios, makeSlider } from "./elements.js";
import { icon } from "./icons.js";
import { LENS } from "./lens.js";
import { classColor } from "./paint.js";
import { toolsOf } from "./tools.js";

const FASTEST = 1e6;  // steps per second: more than any device makes
export const SPEEDS = [
  ["⅛×", 3.75], ["¼×", 7.5], ["½×", 15], ["1×", 30], ["2×", 60], ["4×", 120], ["8×", 240],
  ["max", FASTEST],
].map(([label, stepsPerSecond]) => ({ label, stepsPerSecond }));
const NORMAL_SPEED = 3;
const BRUSH = { min: 1, max: 10, start: 4 };  // radius in cells
const TURN = { min: 0, max: 345, step: 15 };  // degrees
const PEN = 1;  // that of a brush which draws digits

let figures = 0;  // makes names and ids unique on the page

/** What the choice of a class is called: of an input to read, of a drawing to start from, or of a goal. */
const legendOf = ({ inputs, votes }) =>
  (votes.length > 0 ? "Input" : inputs === null ? "Grow into" : "Draw");

function classOptions(description) {
  return description.classes.map(({ label, name }, i) => ({
    checked: i === description.class_index,
    content: label === name
      ? [make("span", { class: "nca-name" }, name)]
      : [make("span", { class: "nca-label", "aria-hidden": "true" }, label),
        make("span", { class: "nca-name" }, name)],
  }));
}

/** The rules to graft. While the map of rules is shown, the same tiles are its key. */
function makeRules(names, id) {
  const options = names.map((name, i) => {
    const swatch = make("span", { class: "nca-swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--nca-class", `rgb(${classColor(i)})`);
    return { checked: i === 1, content: [swatch, make("span", { class: "nca-name" }, name)] };
  });
  const { inputs, group } = makeRadios("rules", "Rule to graft", options, id);
  group.querySelector("legend").append(
    make("span", { class: "nca-of-map" }, ", with its colour on the map"));
  return { inputs, group };
}

/** The colours to paint with. */
function makeInks(inks, id) {
  const options = inks.map(({ name, color }, i) => {
    const swatch = make("span", { class: "nca-swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--nca-class", `rgb(${color.map((value) => Math.round(255 * value))})`);
    return { checked: i === 0, content: [swatch, make("span", { class: "nca-name" }, name)] };
  });
  return makeRadios("inks", "Ink", options, id);
}

function toolOptions(tools) {
  return tools.map(({ tool, name }, i) => ({
    name, checked: i === 0, content: [make("span", { class: "nca-icon" }, icon(tool))],
  }));
}

/** What to show: the picture, alpha, the last change, who fired, or one hidden channel. */
function makeChannels(id, description) {
  const { fixed, visible, decoder, votes } = description;
  const first = description.channels - votes.length;
  const options = [["picture", decoder ? "decoded picture" : votes.length ? "votes" : "picture"]];
  if (votes.length) options.push(["disagreement", "cells that disagree"]);
  else if (!decoder && visible > 3) options.push(["alpha", "alpha: what lives"]);
  if (description.rules) options.push(["rules", "which rule where"]);
  options.push(["changes", "size of the last change"], ["fired", "cells that fired"]);
  const select = make("select", { id },
    ...options.map(([value, text]) => make("option", { value }, text)));
  for (let channel = 0; channel < description.channels; channel++) {
    const isVisible = channel >= fixed && channel < fixed + visible;
    if (isVisible && !decoder) continue;
    const kind = channel < fixed ? "input" : isVisible ? "latent" : "hidden";
    const text = channel < first ? `${kind} channel ${channel}` : `vote for ${votes[channel - first].name}`;
    select.append(make("option", { value: channel }, text));
  }
  const key = make("span", { class: "nca-key", hidden: "" }, "−1", make("span", { class: "nca-ramp" }), "1");
  return { select, key, row: make("div", { class: "nca-slider" }, make("label", { for: id }, "Show"), select, key) };
}

/** A bar for each class, as high as its share of the votes. */
function makeVotes({ votes }) {
  const bars = votes.map(({ label }, k) => {
    const bar = make("div", { class: "nca-vote" }, make("span", {}), label);
    bar.style.setProperty("--nca-class", `rgb(${classColor(k)})`);
    return bar;
  });
  return { bars, row: make("div", { class: "nca-votes", role: "img", "aria-label": "No votes yet" }, ...bars) };
}

/** Other canvases to choose from; null where there is one only. */
function makeSizes(id, { sizes, height, width }) {
  if (!sizes) return null;
  const select = make("select", { id }, ...sizes.map(([h, w], value) =>
    make("option", { value }, `${w} × ${h} cells`)));
  select.value = sizes.findIndex(([h, w]) => h === height && w === width);
  return { select, row: make("div", { class: "nca-slider" }, make("label", { for: id }, "Canvas"), select) };
}

function makePane(description, id, caption) {
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
  const recovery = make("div", { class: "nca-recovery" });
  const votes = makeVotes(description);
  const below = votes.bars.length ? [votes.row] : [];
  const pane = make("div", { class: "nca-pane" }, stage, ...words, ...below, recovery);
  return { canvas, cursor, recovery, votes, pane };
}

function makeReadout() {
  // An output speaks by default; at sixty changes a second it must not.
  const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
  const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
  const readout = make("div", { class: "nca-readout" },
    make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
  return { steps, rate, readout };
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

/** Builds everything inside `element` and returns the parts that the player works with. */
export function buildView(element, descriptions) {
  addStyle(element);
  const id = `nca-${++figures}`;
  const [description] = descriptions;
  const several = descriptions.length > 1;
  const panes = descriptions.map((d) => makePane(d, id, several ? d.title : undefined));
  const bed = make("div", { class: "nca-bed" }, ...panes.map(({ pane }) => pane));
  const { steps, rate, readout } = makeReadout();
  const play = makeButton("play", "Play");
  const back = makeButton("back", "Back");
  const step = makeButton("step", "Step");
  const reset = makeButton("reset", "Reset");
  const reads = description.votes.length > 0;
  const classes = description.classes.length > 1
    ? makeRadios("classes", legendOf(description), classOptions(description), id) : { inputs: [] };
  const grows = !reads && description.start === null && !description.fill;  // from a seed
  const rules = description.rules ? makeRules(description.rules, id) : { inputs: [] };
  const inks = description.inks ? makeInks(description.inks, id) : { inputs: [] };
  const offered = toolsOf(description, grows);
  const tools = makeRadios("tools", "Brush", toolOptions(offered), id);
  tools.group.style.setProperty("--nca-tools", offered.length > 6 ? 4 : 6);
  const brush = makeSlider(`${id}-brush`, "Size", { ...BRUSH, start: reads ? PEN : BRUSH.start },
    (size) => [`${size} cell${size > 1 ? "s" : ""}`, `radius ${size} cell${size > 1 ? "s" : ""}`]);
  const speed = makeSlider(`${id}-speed`, "Speed",
    { min: 0, max: SPEEDS.length - 1, start: NORMAL_SPEED },
    (i) => [SPEEDS[i].label, SPEEDS[i].stepsPerSecond < FASTEST
      ? `${SPEEDS[i].stepsPerSecond} steps per second` : "as fast as this device can"]);
  const turn = description.turns === undefined ? null : makeSlider(`${id}-turn`, "Turn",
    { ...TURN, start: description.turns },
    (degrees) => [`${degrees}°`, `field of perception turned clockwise by ${degrees} degrees`]);
  const channels = makeChannels(`${id}-show`, description);
  const sizes = makeSizes(`${id}-size`, description);
  const save = makeButton("picture", "Save the picture", { bare: true });
  const film = makeButton("film", "Record a film", { bare: true });
  const share = makeButton("link", "Copy a link to this moment", { bare: true });
  const inspector = make("p", { class: "nca-inspector" });
  const lens = make("canvas", {
    class: "nca-lens", width: LENS, height: LENS, "aria-hidden": "true", "data-empty": "true",
    title: "The cell and its neighbours, a square for each channel: blue above 0, red below",
  });
  const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
    `Drag to use the brush${grows ? ", double-tap to plant a seed" : ""}. With the grid focused: arrow ` +
    `keys move, E uses the brush, ${grows ? "S plants a seed, " : ""}I reads the cell.`);
  const notice = make("p", { class: "nca-notice", hidden: "" });
  const status = make("p", { class: "nca-hidden", role: "status" });
  const chart = make("canvas", { class: "nca-chart", role: "img", "aria-label": "No curve yet" });
  const curve = make("div", { class: "nca-curve" },
    make("div", { class: "nca-curve-title" }, "Error against the target, over steps"), chart);
  curve.hidden = descriptions.every(({ targets }) => targets === null);
  const panel = make("div", { class: "nca-panel" }, readout,
    make("div", { class: "nca-transport" }, play, back, step, reset),
    ...[classes, rules, inks].flatMap(({ group }) => group ?? []), tools.group, brush.row, speed.row, ...(turn ? [turn.row] : []), channels.row,
    ...(sizes ? [sizes.row] : []));
  const foot = make("div", { class: "nca-foot" }, curve,
    make("div", { class: "nca-last" }, make("div", { class: "nca-read" }, lens, make("div", {}, inspector, hint)),
      make("div", { class: "nca-share" }, save, film, share)));
  const root = make("div", {
    class: several ? "nca-player nca-several" : "nca-player", role: "group",
    "aria-label": several ? "Live automata, side by side" : `Live automaton: ${description.title}`,
    // JupyterLab would take some of the keys as its own commands.
    "data-lm-suppress-shortcuts": "true",
  }, make("div", { class: "nca-body" }, bed, panel), notice, foot, status);
  element.prepend(root);
  return {
    root, bed, grid: description, steps, rate, play, back, step, reset, save, film, share, status, notice, inspector, lens, chart,
    canvases: panes.map(({ canvas }) => canvas), cursors: panes.map(({ cursor }) => cursor),
    recoveries: panes.map(({ recovery }) => recovery), votes: panes.map(({ votes }) => votes),
    classes: classes.inputs, rules: rules.inputs, inks: inks.inputs, tools: tools.inputs, toolNames: offered.map(({ tool }) => tool), size: brush.slider, speed: speed.slider,
    turn: turn?.slider, canvasSize: sizes?.select, channel: channels.select, key: channels.key,
  };
}
