// The decoder of a latent automaton on a graphics processor: like a step's operations, on grids that
// grow, and for all cells.

import { decodeFloat, decodeHalf } from "./description.js";
import { parityKernels } from "./doubling.js";
import { Gpu } from "./gpu.js";
import { groupsShader, rowsShader, scaleShader, weaveShader } from "./shaders.js";
import { OPERATIONS, OUTPUTS, convolution, parts, table } from "./operations.js";

export class GpuDecoder {
  constructor(gl, { description, decoder: { stride } }, bytes) {
    const { height, width, decoder: { scales, buffers, ops } } = description;
    this.grids = new Map(scales.map((scale) =>
      [scale, new Gpu(gl, { height: scale * height, width: scale * width })]));
    this.one = new Gpu(gl, { height: 1, width: 1 });
    this.gpus = [new Gpu(gl, { height, width }), ...scales.map((scale) => this.grids.get(scale))];
    this.layers = [0, ...buffers.map((size) => size / 4)];
    this.buffers = buffers.map((size, i) => this.gpus[i + 1].buffer(size / 4));
    this.runs = ops.map((op) => this[op.kind](op, bytes, this.gpus[op.to], this.layers[op.to]));
    this.result = { to: ops.at(-1).to, stride };
  }

  /** The picture of a state's texture, as Engine.decode() gives it; null if the device is gone. */
  decode(state) {
    const textures = [state, ...this.buffers];
    for (const run of this.runs) run(textures);
    const { to, stride } = this.result;
    const gpu = this.gpus[to];
    const numbers = gpu.read(textures[to]);
    return numbers && { numbers, stride, ...gpu.grid };
  }

  conv(op, bytes, gpu) {
    const { program, parts: all } = OPERATIONS.conv({ ...op, near: undefined }, bytes, gpu);
    return (textures) => all.forEach(({ first, count, values }) =>
      gpu.draw(program, textures[op.to], op.offset / 4 + first, count,
        { from: textures[op.from], first, ...values(0) }));
  }

  /** Four convolutions of 2×2 on the small grid, one for each parity of row and column; then they are woven. */
  doubling(op, bytes, gpu, layers) {
    const small = this.gpus[op.from];
    const four = small.buffer(4 * layers);
    const bias = decodeFloat(bytes, op.bias, op.out);
    const plain = { ...op, near: undefined, kernel: 2, dilation: 1, slope: 1, add: false, bias_rows: 1 };
    const kernels = parityKernels(decodeHalf(bytes, op.weight, 9 * op.in * op.out), op)
      .map((kernel, n) => convolution(plain, kernel, bias, small, [(n >> 1) - 1, (n & 1) - 1]));
    const weave = gpu.program(weaveShader(OUTPUTS, layers), OUTPUTS);
    return (textures) => {
      const from = textures[op.from];
      kernels.forEach(({ program, parts: all }, n) => all.forEach(({ first, count, values }) =>
        small.draw(program, four, n * layers + first, count, { from, first, ...values(0) })));
      for (const { first, count } of parts(layers, OUTPUTS)) {
        gpu.draw(weave, textures[op.to], first, count, { from: four, first });
      }
    };
  }

  groups(op, bytes, gpu, layers) {
    const { height, width } = gpu.grid;
    const [weight, bias] = [op.weight, op.bias].map((at) =>
      table(decodeFloat(bytes, at, op.channels), 4 * layers));
    const both = Float32Array.of(...weight, ...bias);
    const [rows, sums] = [gpu.buffer(2 * layers, gpu.gl.RGBA32F, 1), this.one.buffer(2 * layers)];
    const scratch = gpu.buffer(layers);
    const programs = [
      gpu.program(rowsShader(width, layers)),
      this.one.program(groupsShader(op, { height, width }, layers)),
      gpu.program(scaleShader(op, OUTPUTS, layers), OUTPUTS),
    ];
    return (textures) => {
      const from = textures[op.to];
      for (let first = 0; first < 2 * layers; first++) gpu.draw(programs[0], rows, first, 1, { from, first });
      for (let first = 0; first < 2 * layers; first++) {
        this.one.draw(programs[1], sums, first, 1, { from: rows, first, table: both });
      }
      for (const { first, count } of parts(layers, OUTPUTS)) {
        gpu.draw(programs[2], scratch, first, count, { from, to: sums, first });
      }
      gpu.copy(scratch, from, 0, layers);
    };
  }
}
