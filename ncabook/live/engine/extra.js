// What a figure keeps behind More: every instrument beside those of the first look.

import { make, makeButton, makeRadios, makeSlider } from "./elements.js";
import { icon } from "./icons.js";
import { LENS } from "./lens.js";

const FASTEST = 1e6;  // steps per second: more than any device makes
export const SPEEDS = [
  ["⅛×", 3.75], ["¼×", 7.5], ["½×", 15], ["1×", 30], ["2×", 60], ["4×", 120], ["8×", 240],
  ["max", FASTEST],
].map(([label, stepsPerSecond]) => ({ label, stepsPerSecond }));
const NORMAL_SPEED = 3;
const BRUSH = { min: 1, max: 10, start: 4 };  // radius in cells
const TURN = { min: 0, max: 345, step: 15 };  // degrees
const GUIDANCE = { min: 0, max: 20, start: 10 };  // tenths; 1 leaves the automaton as it is
const FILM_BRUSH = 8;  // pixels
const FILM_RATE = 8;  // frames per second, at least

/** The speed that a film begins with. */
const filmSpeed = ({ steps }) => SPEEDS.findIndex(({ stepsPerSecond }) => stepsPerSecond >= FILM_RATE * steps);
const PEN = 1;  // that of a brush which draws digits

/** What to show: the picture, alpha, the last change, who fired, or one hidden channel. */
function makeChannels(id, description) {
  const { beside, codes, critic, fixed, visible, decoder, votes, film } = description;
  const first = description.channels - votes.length;
  // Where the picture stands beside, it is always there.
  const options = film && beside ? [["film", "the true film"]] : beside ? [] : [["picture", decoder ? "decoded picture" : votes.length ? "votes" : "picture"]];
  if (decoder) options.push(["latents", "latents in colours"]);
  if (codes) options.push(["codes", "the nearest code"]);
  if (votes.length) options.push(["disagreement", "cells that disagree"]);
  else if (!decoder && !film && visible > 3) options.push(["alpha", "alpha: what lives"]);
  if (critic) options.push(["critic", "the critic's opinion"]);
  if (description.rules) options.push(["rules", "which rule where"]);
  options.push(["changes", "size of the last change"], ["fired", "cells that fired"]);
  const select = make("select", { id },
    ...options.map(([value, text]) => make("option", { value }, text)));
  for (let channel = 0; channel < description.channels; channel++) {
    const isVisible = channel >= fixed && channel < fixed + visible;
    if (isVisible && !decoder && !film) continue;
    const kind = channel < fixed ? "input" : isVisible ? (film ? "told" : "latent") : "hidden";
    const text = channel < first ? `${kind} channel ${channel}` : `vote for ${votes[channel - first].name}`;
    select.append(make("option", { value: channel }, text));
  }
  const key = make("span", { class: "nca-key", hidden: "" },
    make("span", {}, "−1"), make("span", { class: "nca-ramp" }), make("span", {}, "1"));
  return { select, key, row: make("div", { class: "nca-slider" }, make("label", { for: id }, beside ? "Beside" : "Show"), select, key) };
}

/** Other canvases to choose from; null where there is one only. */
function makeSizes(id, { sizes, height, width }) {
  if (!sizes) return null;
  const select = make("select", { id }, ...sizes.map(([h, w], value) =>
    make("option", { value }, `${w} × ${h} cells`)));
  select.value = sizes.findIndex(([h, w]) => h === height && w === width);
  return { select, row: make("div", { class: "nca-slider" }, make("label", { for: id }, "Canvas"), select) };
}

/** The sliders of a figure; those of turn and guidance are null where there is nothing to turn or guide. */
function makeSliders(id, { votes, turns, free, film }) {
  const start = votes.length > 0 ? PEN : film ? Math.ceil(FILM_BRUSH / film.patch) : BRUSH.start;
  const size = makeSlider(`${id}-brush`, "Size", { ...BRUSH, start },
    (cells) => [`${cells} cell${cells > 1 ? "s" : ""}`, `radius ${cells} cell${cells > 1 ? "s" : ""}`]);
  const speed = makeSlider(`${id}-speed`, "Speed",
    { min: 0, max: SPEEDS.length - 1, start: film ? filmSpeed(film) : NORMAL_SPEED },
    (i) => [SPEEDS[i].label, SPEEDS[i].stepsPerSecond < FASTEST
      ? `${SPEEDS[i].stepsPerSecond} steps per second` : "as fast as this device can"]);
  const turn = turns === undefined ? null : makeSlider(`${id}-turn`, "Turn", { ...TURN, start: turns },
    (degrees) => [`${degrees}°`, `field of perception turned clockwise by ${degrees} degrees`]);
  const guide = free === undefined ? null : makeSlider(`${id}-guide`, "Guidance", GUIDANCE,
    (tenths) => [`w = ${tenths / 10}`, `guidance ${tenths / 10}; 1 is none`]);
  return { size, speed, turn, guide };
}

/** The curve, what a cell holds, what to take away. */
function makeFoot(id, descriptions, grows) {
  const save = makeButton("picture", "Save the picture", { bare: true });
  const film = makeButton("film", "Record a film", { bare: true });
  const share = makeButton("link", "Copy a link to this moment", { bare: true });
  // A screen reader has it from the status.
  const told = make("span", { class: "nca-told", "aria-hidden": "true" });
  const inspector = make("p", { class: "nca-inspector" });
  const lens = make("canvas", {
    class: "nca-lens", width: LENS, height: LENS, "aria-hidden": "true", "data-empty": "true",
    title: "The cell and its neighbours, a square for each channel: blue above 0, red below",
  });
  const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
    `Drag to use the brush${grows ? ", double-tap to plant a seed" : ""}. With the grid focused: arrow ` +
    `keys move, E uses the brush, ${grows ? "S plants a seed, " : ""}I reads the cell.`);
  const chart = make("canvas", { class: "nca-chart", role: "img", "aria-label": "No curve yet" });
  const curve = make("div", { class: "nca-curve" },
    make("div", { class: "nca-curve-title" }, "Error against the target, over steps"), chart);
  curve.hidden = descriptions.every(({ targets }) => targets === null);
  const foot = make("div", { class: "nca-foot" }, curve,
    make("div", { class: "nca-last" }, make("div", { class: "nca-read" }, lens, make("div", {}, inspector, hint)),
      make("div", { class: "nca-share" }, told, save, film, share)));
  return { foot, save, film, share, told, inspector, lens, chart };
}

/** The part that More opens. `tools`: those brushes that are not in sight; `grows`: from a seed. */
export function makeExtra(id, descriptions, tools, grows) {
  const [description] = descriptions;
  const back = makeButton("back", "Back");
  const step = makeButton("step", "Step");
  const radios = makeRadios("tools", tools[0].checked ? "Brush" : "Other brushes", tools.map(({ tool, name, checked }) => ({
    name, checked, content: [make("span", { class: "nca-icon" }, icon(tool))],
  })), id);
  radios.group.style.setProperty("--nca-tools", tools.length);
  const { size, speed, turn, guide } = makeSliders(id, description);
  const channels = makeChannels(`${id}-show`, description);
  const sizes = makeSizes(`${id}-size`, description);
  const { foot, ...parts } = makeFoot(id, descriptions, grows);
  const bench = make("div", { class: "nca-bench" },
    make("div", { class: "nca-transport" }, back, step), radios.group, size.row, speed.row,
    ...[turn, guide, channels, sizes].flatMap((part) => part?.row ?? []));
  const box = make("div", { class: "nca-extra", id: `${id}-extra` }, bench, foot);
  return {
    ...parts, box, back, step, tools: radios.inputs, size: size.slider, speed: speed.slider,
    turn: turn?.slider, guide: guide?.slider, canvasSize: sizes?.select, channel: channels.select, key: channels.key,
  };
}
