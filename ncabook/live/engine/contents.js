// What lies in a figure's weights beside the numbers of its steps: pictures, and states to begin with.

import { decodeHalf } from "./description.js";

/** What is to be grown, RGBA bytes of the whole grid for each class; null if unknown. */
export function wholeTargets({ targets, classes, height: rows, width: columns }, bytes) {
  if (targets === null) return null;
  const { offset, top, left, height, width } = targets;
  const count = Math.max(1, classes.length);
  const whole = new Uint8Array(4 * rows * columns * count);
  for (let row = 0; row < count * height; row++) {
    const picture = Math.floor(row / height);
    const at = (picture * rows + top + row % height) * columns + left;
    const start = offset + 4 * row * width;
    whole.set(bytes.subarray(start, start + 4 * width), 4 * at);
  }
  return whole;
}

/**
 * What every cell begins with, [row][column][channel], for each class, or for all of them; null for a
 * single seed cell.
 */
export function startsOf({ start, starts = 1, fill, height, width, channels }, weights) {
  const length = height * width * channels;
  if (fill) return [Float32Array.from({ length }, (_, i) => fill[i % channels])];
  return start === null ? null
    : Array.from({ length: starts }, (_, i) => decodeHalf(weights, start + 2 * length * i, length));
}
