// The kernels, compiled, or in plain JavaScript where a browser has none; and how each operation of
// a description calls them.

import { FAST_CONV, KERNELS } from "./assets.js";
import { decodeBase64, decodeFloat, decodeHalf, padded } from "./description.js";
import { nineKernels } from "./doubling.js";
import { plainKernels } from "./plain.js";
import { turned } from "./turn.js";

let compiled = null;  // the modules, for all figures of a page; each has a memory of its own

/** A module of build.py: base64 of gzip. */
async function compile(code) {
  const packed = new Blob([decodeBase64(code)]).stream();
  const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  return WebAssembly.compile(await module);
}

export const inJavaScript = () => ({ ...plainKernels(), kind: "JavaScript" });

/** A module with its memory; null where there is none to be had. */
async function begun(module, imports) {
  try {
    return module && (await WebAssembly.instantiate(module, imports)).exports;
  } catch {
    return null;
  }
}

/** The kernels on a new memory; convolutions are the fast ones where `fast` and the browser allow. */
export async function instantiate(fast) {
  compiled ??= Promise.all([KERNELS, FAST_CONV].map((code) => compile(code).catch(() => null)));
  const [all, conv] = await compiled;
  const exports = await begun(all, {});
  if (exports === null) return inJavaScript();
  // Its stack lies where that of the other kernels does; they never run at the same time.
  const better = fast ? await begun(conv, { env: { memory: exports.memory } }) : null;
  if (better === null) return { ...exports, kind: "SIMD" };
  const { conv: fastConv, doubling, points } = better;
  return { ...exports, conv: fastConv, doubling, points, kind: "relaxed SIMD" };
}

/** Each operation, with its weights placed in the engine's memory, as a function of a list of cells. */
export const RUNNERS = {
  conv(engine, op, bytes) {
    const [from, to] = [engine.buffers[op.from], engine.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
    const { height, width } = engine;
    const [out, rows] = [padded(op.out), op.kernel ** 2 * op.in];
    const kernel = decodeHalf(bytes, op.weight, rows * op.out);
    const weight = engine.place(kernel, rows);
    if (op.kernel > 1) engine.turners.push((degrees) =>
      engine.put(turned(kernel, op.kernel, op.in * op.out, degrees), rows, weight));
    const bias = engine.place(decodeFloat(bytes, op.bias, op.bias_rows * op.out), op.bias_rows);
    const biasStep = op.bias_rows > 1 ? 4 * out : 0;
    return ({ at, count }) => engine.kernels.conv(
      from, fromStride, op.in, to, toStride, out, weight, bias + engine.classIndex * biasStep,
      op.kernel, op.dilation, op.slope, op.add, height, width, at, count,
    );
  },

  bank(engine, op, bytes) {
    const [from, to] = [engine.buffers[op.from], engine.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
    const { height, width } = engine;
    const given = decodeFloat(bytes, op.weight, 9 * op.filters);
    const filters = engine.place(given, 1);
    engine.turners.push((degrees) => engine.put(turned(given, 3, 1, degrees), 1, filters));
    return ({ at, count }) => engine.kernels.bank(
      from, fromStride, to, toStride, filters, op.filters, height, width, at, count,
    );
  },

  attend(engine, op, bytes) {
    const [from, to] = [engine.buffers[op.from], engine.buffers[op.to]];
    const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
    const { height, width } = engine;
    const neighbours = op.kernel ** 2;
    const position = engine.place(decodeFloat(bytes, op.position, op.heads * neighbours), 1);
    return ({ at, count }) => engine.kernels.attend(
      from, fromStride, to, toStride, op.heads, op.size, op.scale, position, op.kernel,
      height, width, at, count,
    );
  },

  norm(engine, op, bytes) {
    const [to, stride] = [engine.buffers[op.to] + 4 * op.offset, engine.strides[op.to]];
    const weight = engine.place(decodeFloat(bytes, op.weight, op.channels), 1);
    const bias = engine.place(decodeFloat(bytes, op.bias, op.channels), 1);
    return ({ at, count }) =>
      engine.kernels.norm(to, stride, op.channels, weight, bias, op.eps, op.slope, at, count);
  },

  gelu(engine, op) {
    const [to, stride] = [engine.buffers[op.to], engine.strides[op.to]];
    return ({ at, count }) => engine.kernels.gelu(to, stride, op.channels, at, count);
  },

  gather(engine, op) {
    const [from, where, to] = [op.from, op.where, op.to].map((i) => engine.buffers[i]);
    const [fromStride, whereStride, toStride] =
      [op.from, op.where, op.to].map((i) => engine.strides[i]);
    const { height, width } = engine;
    return ({ at, count }) => engine.kernels.gather(
      from, fromStride, where, whereStride, to, toStride, op.kernel, height, width, at, count,
    );
  },

  doubling(engine, op, bytes) {
    const [from, to] = [engine.buffers[op.from], engine.buffers[op.to]];
    const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
    const [height, width] = [engine.height / 2, engine.width / 2];
    const weight = engine.place(nineKernels(decodeHalf(bytes, op.weight, 9 * op.in * op.out), op, toStride), 1);
    const bias = engine.allocate(2 * 4 * toStride);  // zeros behind it
    engine.floats(bias, op.out).set(decodeFloat(bytes, op.bias, op.out));
    const scratch = engine.allocate(4 * width * (2 * fromStride + 6 * toStride));
    return () => engine.kernels.doubling(
      from, fromStride, op.in, to, toStride, weight, bias, scratch, height, width,
    );
  },

  groups(engine, op, bytes) {
    const [to, stride] = [engine.buffers[op.to], engine.strides[op.to]];
    const weight = engine.place(decodeFloat(bytes, op.weight, op.channels), 1);
    const bias = engine.place(decodeFloat(bytes, op.bias, op.channels), 1);
    const scratch = engine.allocate(2 * 4 * stride);
    return ({ count }) => engine.kernels.groups(
      to, stride, op.channels, op.groups, weight, bias, op.eps, op.slope, scratch, count,
    );
  },
};
