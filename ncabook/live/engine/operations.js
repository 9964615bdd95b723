// The operations of a step as drawings of WebGL2.

import { decodeFloat, decodeHalf, padded } from "./description.js";
import {
  attendShader, bankShader, convShader, gatherShader, geluShader, normShader,
} from "./shaders.js";
import { turned } from "./turn.js";

export const OUTPUTS = 4;  // layers that a shader writes at once: what every WebGL2 device can
const MATRIX_BYTES = 64;

/** `total` layers in parts of at most `most`; `values`: what a shader needs for the part at `first`. */
export const parts = (total, most, values = () => () => ({})) =>
  Array.from({ length: Math.ceil(total / most) }, (_, i) => {
    const first = i * most;
    return { first, count: Math.min(most, total - first), values: values(first) };
  });

/** Numbers in an array of `length`, or else of whole vectors. */
export function table(numbers, length = padded(numbers.length)) {
  const all = new Float32Array(length);
  all.set(numbers);
  return all;
}

/** For how many layers of output, `most` at most, a drawing has room for `size` matrices each. */
export function room(gpu, size, most) {
  const outs = Math.min(most, Math.floor(gpu.gl.getParameter(gpu.gl.MAX_UNIFORM_BLOCK_SIZE) / MATRIX_BYTES / size));
  if (outs === 0) throw new Error("live figure: a kernel is too large for this device");
  return outs;
}

/** A kernel, [ky][kx][in][out], for `outs` layers of output from `first` on: [tap][layer of input][outs][4][4]. */
export function matrices(op, kernel, first, outs) {
  const inputs = padded(op.in) / 4;
  const result = new Float32Array(16 * op.kernel ** 2 * inputs * outs);
  for (let row = 0; row < op.kernel ** 2 * op.in; row++) {
    const [tap, input] = [Math.floor(row / op.in), row % op.in];
    for (let o = 4 * first; o < Math.min(op.out, 4 * (first + outs)); o++) {
      const matrix = (tap * inputs + (input >> 2)) * outs + (o >> 2) - first;
      result[16 * matrix + 4 * (input & 3) + (o & 3)] = kernel[row * op.out + o];
    }
  }
  return result;
}

/** A convolution by `kernel`, [ky][kx][in][out], as OPERATIONS have it; `corner` as in convShader. */
export function convolution(op, kernel, bias, gpu, corner) {
  const [inputs, outputs] = [padded(op.in) / 4, padded(op.out) / 4];
  const outs = room(gpu, op.kernel ** 2 * inputs, Math.min(OUTPUTS, outputs));
  const buffers = new Map();  // by their parts' first layers
  return {
    program: gpu.program(convShader(op, outs, corner), outs),
    turn: op.kernel === 1 ? undefined : ((degrees) => {
      const numbers = turned(kernel, op.kernel, op.in * op.out, degrees);
      for (const [first, buffer] of buffers) gpu.matrices(matrices(op, numbers, first, outs), buffer);
    }),
    parts: parts(outputs, outs, (first) => {
      const weights = gpu.matrices(matrices(op, kernel, first, outs));
      buffers.set(first, weights);
      const rows = Array.from({ length: op.bias_rows }, (_, row) => table(
        bias.subarray(row * op.out + 4 * first, Math.min((row + 1) * op.out,
          row * op.out + 4 * (first + outs))), 4 * outs));
      return (classIndex) => ({ weights, table: rows[op.bias_rows > 1 ? classIndex : 0] });
    }),
  };
}

// Each operation becomes a program and the parts of its output, one drawing each. `layers` tells
// how many a buffer has. Those with a kernel have a function that turns it.
export const OPERATIONS = {
  conv(op, bytes, gpu) {
    const kernel = decodeHalf(bytes, op.weight, op.kernel ** 2 * op.in * op.out);
    return convolution(op, kernel, decodeFloat(bytes, op.bias, op.bias_rows * op.out), gpu);
  },
  bank(op, bytes, gpu, layers) {
    const given = decodeFloat(bytes, op.weight, 9 * op.filters);
    const filters = table(given);
    return {
      turn: (degrees) => filters.set(turned(given, 3, 1, degrees)),
      program: gpu.program(bankShader(op, OUTPUTS, layers(op.from)), OUTPUTS),
      parts: parts(op.filters * layers(op.from), OUTPUTS, () => () => ({ table: filters })),
    };
  },
  attend(op, bytes, gpu) {
    const [layers, neighbours] = [op.size / 4, op.kernel ** 2];
    const outs = Math.min(OUTPUTS, layers);
    return {
      program: gpu.program(attendShader(op, outs), outs),
      parts: Array.from({ length: op.heads }, (_, head) => {
        const at = op.position + 4 * head * neighbours;
        const positions = table(decodeFloat(bytes, at, neighbours),
          padded(neighbours));
        return parts(layers, outs, () => () => ({ table: positions }))
          .map((part) => ({ ...part, first: head * layers + part.first }));
      }).flat(),
    };
  },
  norm(op, bytes, gpu) {
    const [layers, outs] = [padded(op.channels) / 4, OUTPUTS];
    const [weight, bias] = [op.weight, op.bias].map((at) =>
      table(decodeFloat(bytes, at, op.channels), 4 * (layers + outs)));
    const both = Float32Array.of(...weight, ...bias);
    return {
      program: gpu.program(normShader(op, outs), outs),
      parts: parts(layers, outs, () => () => ({ table: both })),
    };
  },
  gelu: (op, _, gpu) => ({
    program: gpu.program(geluShader(op, OUTPUTS), OUTPUTS),
    parts: parts(padded(op.channels) / 4, OUTPUTS),
  }),
  gather: (op, _, gpu, layers) => ({
    program: gpu.program(gatherShader(op, OUTPUTS, layers(op.from)), OUTPUTS),
    parts: parts(op.kernel ** 2 * layers(op.from), OUTPUTS),
  }),
};
