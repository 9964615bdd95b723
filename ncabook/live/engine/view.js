// What the reader sees: builds the instrument's elements, and knows nothing of the automaton.

import { STYLE } from "./assets.js";
import { ICONS } from "./icons.js";

export const SPEEDS = [
  { label: "¼×", name: "quarter speed", stepsPerSecond: 7.5 },
  { label: "1×", name: "normal speed", stepsPerSecond: 30 },
  { label: "4×", name: "four times normal speed", stepsPerSecond: 120 },
  { label: "max", name: "as fast as this device can", stepsPerSecond: Infinity },
];
export const NORMAL_SPEED = 1;
const BRUSH = { min: 1, max: 10, start: 4 };  // radius in cells

let figures = 0;  // makes names and ids unique on the page

/** An element with attributes and children; an attribute of undefined is left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function makeButton(name, icon, label) {
  const button = make("button", { type: "button", class: `nca-button nca-${name}` });
  setButton(button, icon, label);
  return button;
}

/** Gives a button another icon and label. */
export function setButton(button, icon, label) {
  button.innerHTML = ICONS[icon];
  button.append(make("span", {}, label));
}

/** A row of radio buttons; options are {content, checked, name}, name where the content says less. */
function makeRadios(kind, legend, options, id) {
  const inputs = options.map(({ name, checked }, value) => {
    const input = make("input", {
      type: "radio", class: "nca-hidden", name: `${id}-${kind}`, value, "aria-label": name,
    });
    input.checked = checked;
    return input;
  });
  const choices = options.map(({ content }, i) =>
    make("label", { class: "nca-choice" }, inputs[i], make("span", { class: "nca-tile" }, ...content)));
  const row = make("div", { class: "nca-row" }, ...choices);
  return { inputs, group: make("fieldset", { class: `nca-${kind}` }, make("legend", {}, legend), row) };
}

function classOptions(description) {
  return description.classes.map(({ label, name }, i) => ({
    checked: i === description.class_index,
    content: label === name
      ? [make("span", { class: "nca-name" }, name)]
      : [make("span", { class: "nca-label", "aria-hidden": "true" }, label),
        make("span", { class: "nca-name" }, name)],
  }));
}

function makeBrushSlider(id) {
  const slider = make("input", {
    type: "range", id: `${id}-brush`, min: BRUSH.min, max: BRUSH.max, value: BRUSH.start,
  });
  const value = make("span", { class: "nca-value", "aria-hidden": "true" });
  const update = () => {
    value.textContent = `${slider.value} cells`;
    slider.setAttribute("aria-valuetext", `radius ${slider.value} cells`);
  };
  slider.addEventListener("input", update);
  update();
  const label = make("label", { for: slider.id }, "Eraser");
  return { slider, group: make("div", { class: "nca-brush" }, label, slider, value) };
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
  return { canvas, cursor, pane: make("div", { class: "nca-pane" }, stage, ...words) };
}

function makeReadout() {
  // An output speaks by default; at sixty changes a second it must not.
  const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
  const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
  const readout = make("div", { class: "nca-readout" },
    make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
  return { steps, rate, readout };
}

/** Adds the style sheet to the element's document or shadow tree, once. */
function addStyle(element) {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector("style[data-nca-live]")) return;
  place.append(make("style", { "data-nca-live": "" }, STYLE));
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
  const play = makeButton("play", "play", "Play");
  const step = makeButton("step", "step", "Step");
  const reset = makeButton("reset", "reset", "Reset");
  const classes = description.classes.length > 1
    ? makeRadios("classes", "Grow into", classOptions(description), id) : { inputs: [] };
  const speeds = makeRadios("speeds", "Speed", SPEEDS.map(({ label, name }, i) =>
    ({ name: `${label}, ${name}`, checked: i === NORMAL_SPEED, content: [label] })), id);
  const { slider, group: brush } = makeBrushSlider(id);
  const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
    "Drag to erase, double-tap to plant a seed. With the grid focused: arrow keys move, " +
    "E erases, S plants a seed.");
  const status = make("p", { class: "nca-hidden", role: "status" });
  const panel = make("div", { class: "nca-panel" }, readout,
    make("div", { class: "nca-transport" }, play, step, reset),
    ...(classes.group ? [classes.group] : []), speeds.group, brush, hint);
  const root = make("div", {
    class: several ? "nca-player nca-several" : "nca-player", role: "group", "aria-label": several ? "Live automata, side by side" : `Live automaton: ${description.title}`,
    // JupyterLab would take some of the keys as its own commands.
    "data-lm-suppress-shortcuts": "true",
  }, make("div", { class: "nca-body" }, bed, panel), status);
  element.prepend(root);
  return {
    root, bed, steps, rate,
    canvases: panes.map(({ canvas }) => canvas), cursors: panes.map(({ cursor }) => cursor),
    play, step, reset, slider, status,
    classes: classes.inputs, speeds: speeds.inputs,
  };
}
