// The kernels of a doubling (nearest neighbours of twice the size, then 3×3): taps that meet the
// same small cell are added up beforehand, in float64.

import { LANES } from "./description.js";

const BLOCK = 4 * LANES;  // outputs that conv.c sums up side by side
const [A, B, C] = [0, 1, 2];  // the taps of a side

/** The sum of `shares` of a kernel's taps, [[share, ky, kx], …], for an input and an output. */
const sumOf = (kernel, shares, { in: inputs, out }) => (i, o) =>
  shares.reduce((sum, [share, ky, kx]) => sum + share * kernel[((3 * ky + kx) * inputs + i) * out + o], 0);

/** Pairs of what rows and columns take. */
const pairs = (rows, columns) => rows.flatMap(([share, ky]) =>
  columns.map(([other, kx]) => [share * other, ky, kx]));

/** Where an output lies in a kernel [block of 16 outputs, or 4][in][output] of `outputs`, and the block's size. */
export function placeOf(o, inputs, outputs) {
  const size = o < outputs - outputs % BLOCK ? BLOCK : LANES;
  return { at: (o - o % size) * inputs + o % size, size };
}

/**
 * A kernel [ky][kx][in][out] as doubling() of conv.c wants it: for rows and columns the sum of the
 * taps, minus the first, and the last; each of the nine as placeOf() says.
 */
export function nineKernels(kernel, op, outputs) {
  const { in: inputs, out } = op;
  const ways = [[[1, A], [1, B], [1, C]], [[-1, A]], [[1, C]]];
  const all = new Float32Array(9 * inputs * outputs);
  ways.flatMap((rows) => ways.map((columns) => pairs(rows, columns))).forEach((shares, n) => {
    const sum = sumOf(kernel, shares, op);
    for (let o = 0; o < out; o++) {
      const { at, size } = placeOf(o, inputs, outputs);
      for (let i = 0; i < inputs; i++) all[n * inputs * outputs + at + i * size] = sum(i, o);
    }
  });
  return all;
}

/**
 * The same kernel as four of 2×2, [ky][kx][in][out] each, one for every parity of row and column:
 * of large pixels at 2i that see i − 1 and i, and at 2i + 1 that see i and i + 1.
 */
export function parityKernels(kernel, op) {
  const { in: inputs, out } = op;
  const sides = [[[[1, A]], [[1, B], [1, C]]], [[[1, A], [1, B]], [[1, C]]]];
  return sides.flatMap((rows) => sides.map((columns) => {
    const four = rows.flatMap((row) => columns.map((column) => sumOf(kernel, pairs(row, column), op)));
    return Float32Array.from({ length: 4 * inputs * out }, (_, n) =>
      four[Math.floor(n / inputs / out)](Math.floor(n / out) % inputs, n % out));
  }));
}
