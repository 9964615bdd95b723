// The inputs to choose from, as small pictures: what lies in the fixed channels, drawn once.

import { make } from "./elements.js";

const SHARPEST = 38;  // pixels: as wide as a tile shows them

/** Draws them into the tiles that `buildView` made; one that is empty is told by its name. */
export function drawThumbs({ classes }, { inputs, fixed, height, width, classes: named }, weights) {
  if (inputs === null) return;
  const length = height * width * fixed;
  classes.forEach((input, i) => {
    const canvas = input.nextElementSibling.querySelector(".nca-thumb");
    const bytes = weights.subarray(inputs + i * length, inputs + (i + 1) * length);
    if (canvas === null || bytes.length < length) return;
    if (bytes.every((value) => value === 0)) {
      canvas.replaceWith(make("span", { class: "nca-name", "aria-hidden": "true" }, named[i].name));
      return;
    }
    Object.assign(canvas, { width, height });
    // Of a larger picture every other pixel would be left out, and lines would break.
    if (width > SHARPEST) canvas.style.imageRendering = "auto";
    const pixels = new Uint8ClampedArray(4 * height * width).fill(255);
    for (let cell = 0; cell < height * width; cell++) {
      // A photograph has colours; of anything else the first channel is ink on paper.
      for (let k = 0; k < 3; k++) {
        pixels[4 * cell + k] = fixed === 3 ? bytes[3 * cell + k] : 255 - bytes[fixed * cell];
      }
    }
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  });
}
