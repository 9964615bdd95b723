// What a figure is built of: elements, buttons, rows of choices, sliders.

import { icon } from "./icons.js";

/** An element with attributes and children; an attribute of undefined is left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A button; a bare one shows its icon only, and tells its label. */
export function makeButton(name, label, { bare = false } = {}) {
  const button = make("button", { type: "button", class: `nca-button nca-${name}` });
  if (bare) {
    button.append(icon(name));
    button.setAttribute("aria-label", label);
    button.title = label;
  } else {
    setButton(button, name, label);
  }
  return button;
}

/** Gives a button another icon and label. */
export function setButton(button, name, label) {
  button.replaceChildren(icon(name), make("span", {}, label));
}

/**
 * Columns for `count` choices, `most` of them at most: as few places as can be are left empty in the
 * last row, so that none stands there alone.
 */
function balanced(count, most) {
  if (count <= most) return count;
  const empty = (columns) => Math.ceil(count / columns) * columns - count;
  const wide = Array.from({ length: Math.ceil(most / 2) }, (_, i) => most - i);
  return wide.reduce((best, columns) => (empty(columns) < empty(best) ? columns : best));
}

/**
 * A row of radio buttons; options are {content, checked, name}, name where the content says less.
 * `most` of them fit beside each other: on a phone, beside a grid, below several.
 */
export function makeRadios(kind, legend, options, id, most = []) {
  const inputs = options.map(({ name, checked }, value) => {
    const input = make("input", {
      type: "radio", class: "nca-hidden", name: `${id}-${kind}`, value, "aria-label": name,
    });
    input.checked = checked;
    return input;
  });
  const choices = options.map(({ content, name }, i) => {
    const tile = make("span", { class: "nca-tile", title: name }, ...content);
    return make("label", { class: "nca-choice" }, inputs[i], tile);
  });
  const row = make("div", { class: "nca-row" }, ...choices);
  most.forEach((fits, i) =>
    row.style.setProperty(`--nca-columns-${i}`, balanced(options.length, fits)));
  return { inputs, group: make("fieldset", { class: `nca-${kind}` }, make("legend", {}, legend), row) };
}

/** A labelled slider; `say` turns its value into [text, words for screen readers]. */
export function makeSlider(id, label, { min, max, start, step = 1 }, say) {
  const slider = make("input", { type: "range", id, min, max, step, value: start });
  const value = make("span", { class: "nca-value", "aria-hidden": "true" });
  const update = () => {
    const [text, words] = say(Number(slider.value));
    value.textContent = text;
    slider.setAttribute("aria-valuetext", words);
  };
  slider.addEventListener("input", update);
  slider.addEventListener("nca-shown", update);  // somebody else set it
  update();
  return { slider, row: make("div", { class: "nca-slider" }, make("label", { for: id }, label), slider, value) };
}
