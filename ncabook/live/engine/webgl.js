// The engine with its steps on a graphics processor: WebGL2, all numbers in RGBA32F textures.
//
// Only `step` happens there. Whatever else is done to the automaton, the engine does, in its own
// memory: the state comes there when somebody asks for it, and goes back if it may have changed.

import { decodeFloat, decodeHalf, padded } from "./description.js";
import { Engine } from "./engine.js";
import { Gpu, openContext } from "./gpu.js";
import {
  applyShader, attendShader, bankShader, convShader, gatherShader, geluShader, maskShader,
  normShader, packShader, sizeShader, unpackShader,
} from "./shaders.js";

const OUTPUTS = 4;  // layers that a shader writes at once: what every WebGL2 device can
const MATRIX_BYTES = 64;
const STEPS_AHEAD = 8;  // at most as many are asked for before waiting for the device

/** `total` layers in parts of at most `most`; `values`: what a shader needs for the part at `first`. */
const parts = (total, most, values = () => () => ({})) =>
  Array.from({ length: Math.ceil(total / most) }, (_, i) => {
    const first = i * most;
    return { first, count: Math.min(most, total - first), values: values(first) };
  });

/** Numbers in an array of `length`, or else of whole vectors. */
function table(numbers, length = padded(numbers.length)) {
  const all = new Float32Array(length);
  all.set(numbers);
  return all;
}

// Each operation becomes a program and the parts of its output, one drawing each. `layers` tells
// how many a buffer has.
const OPERATIONS = {
  conv(op, bytes, gpu) {
    const [inputs, outputs] = [padded(op.in) / 4, padded(op.out) / 4];
    const size = op.kernel ** 2 * inputs;
    const room = gpu.gl.getParameter(gpu.gl.MAX_UNIFORM_BLOCK_SIZE) / MATRIX_BYTES;
    const outs = Math.min(OUTPUTS, outputs, Math.floor(room / size));
    if (outs === 0) throw new Error("live figure: a kernel is too large for this device");
    const kernel = decodeHalf(bytes, op.weight, op.kernel ** 2 * op.in * op.out);
    const bias = decodeFloat(bytes, op.bias, op.bias_rows * op.out);
    return {
      program: gpu.program(convShader(op, outs), outs),
      parts: parts(outputs, outs, (first) => {
        const matrices = new Float32Array(16 * size * outs);
        for (let row = 0; row < op.kernel ** 2 * op.in; row++) {
          const [tap, input] = [Math.floor(row / op.in), row % op.in];
          for (let o = 4 * first; o < Math.min(op.out, 4 * (first + outs)); o++) {
            const matrix = (tap * inputs + (input >> 2)) * outs + (o >> 2) - first;
            matrices[16 * matrix + 4 * (input & 3) + (o & 3)] = kernel[row * op.out + o];
          }
        }
        const weights = gpu.matrices(matrices);
        const rows = Array.from({ length: op.bias_rows }, (_, row) => table(
          bias.subarray(row * op.out + 4 * first, Math.min((row + 1) * op.out,
            row * op.out + 4 * (first + outs))), 4 * outs));
        return (classIndex) => ({ weights, table: rows[op.bias_rows > 1 ? classIndex : 0] });
      }),
    };
  },
  bank(op, bytes, gpu, layers) {
    const filters = table(decodeFloat(bytes, op.weight, 9 * op.filters));
    return {
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
        const positions = table(op.position === null ? [] : decodeFloat(bytes, at, neighbours),
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

export class GpuEngine extends Engine {
  /**
   * Arguments as for {@link Engine}, and a context.
   *
   * @throws {Error} also if the device lacks something that the automaton needs
   */
  static async create(description, weights, gl = openContext()) {
    const engine = await super.create(description, weights);
    engine.attach(new Gpu(gl, description), weights);
    return engine;
  }

  /** From now on, steps happen on the device. */
  attach(gpu, weights) {
    const { description, strides } = this;
    const [layers] = strides.map((stride) => stride / 4);
    const { gl } = gpu;
    this.textures = strides.map((stride) => gpu.buffer(stride / 4));
    this.next = gpu.buffer(layers);
    this.mask = gpu.buffer(1, gl.RGBA8);
    this.packed = gpu.buffer(1, gl.RGBA32F, layers * this.width);
    this.sizes = gpu.buffer(1);
    this.operations = description.ops.map((op) => ({
      from: op.from ?? op.to,
      to: op.to,
      // No shader may read what it writes: a gather reads a second buffer, others their own.
      aside: op.where ?? op.to,
      inPlace: op.add === true || op.from === undefined || op.from === op.to,
      offset: (op.offset ?? 0) / 4,
      ...OPERATIONS[op.kind](op, weights, gpu, (buffer) => strides[buffer] / 4),
    }));
    const inPlace = this.operations.filter((operation) => operation.inPlace);
    this.scratch = gpu.buffer(Math.max(1, ...inPlace.map(({ to }) => strides[to] / 4)));
    this.programs = {
      mask: gpu.program(maskShader(description)),
      apply: gpu.program(applyShader(description, OUTPUTS), OUTPUTS),
      pack: gpu.program(packShader(layers)),
      unpack: gpu.program(unpackShader(layers, OUTPUTS), OUTPUTS),
      sizes: gpu.program(sizeShader(description)),
    };
    this.stateParts = parts(layers, OUTPUTS);
    this.gpu = gpu;
    this.ahead = false;  // the device has done steps that the memory does not know
    this.edited = true;  // the memory holds what the device does not know
  }

  /** From now on, steps happen here. */
  detach() {
    this.gpu.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.gpu = null;
  }

  get backend() {
    return this.gpu ? "WebGL2" : super.backend;
  }

  get cells() {
    const cells = this.cellsToRead;
    this.edited = true;  // as far as anyone here can know
    return cells;
  }

  get cellsToRead() {
    if (this.ahead) this.download();
    return super.cells;
  }

  download() {
    const { gpu, packed, textures } = this;
    this.ahead = false;
    gpu.draw(this.programs.pack, packed, 0, 1, { from: textures[0] });
    const numbers = gpu.read(packed);
    if (gpu.gl.isContextLost() || Number.isNaN(numbers[0])) {
      // The device is gone. The memory holds an earlier step, and nothing else happened since.
      const wanted = this.stepCount;
      this.stepCount = this.known;
      this.detach();
      while (this.stepCount < wanted) super.step();
    } else {
      super.cells.set(numbers);
      this.known = this.stepCount;
    }
  }

  upload() {
    this.gpu.write(this.packed, this.cellsToRead);
    this.drawState(this.programs.unpack, this.textures[0], { from: this.packed });
    this.edited = false;
    this.known = this.stepCount;
  }

  drawState(program, to, values) {
    for (const { first, count } of this.stateParts) {
      this.gpu.draw(program, to, first, count, { first, ...values });
    }
  }

  step() {
    if (!this.gpu) return super.step();
    if (this.edited) this.upload();
    const { gpu, mask, textures, programs, scratch } = this;
    const clock = Uint32Array.of(
      this.stepCount, this.description.seed, Math.floor(this.fireRate * 2 ** 24));
    gpu.draw(programs.mask, mask, 0, 1, { from: textures[0], clock });
    for (const { program, parts: all, inPlace, offset, ...names } of this.operations) {
      const [from, to, aside] = [names.from, names.to, names.aside].map((i) => textures[i]);
      for (const { first, count, values } of all) {
        gpu.draw(program, inPlace ? scratch : to, inPlace ? first : offset + first, count,
          { from, to: aside, mask, first, ...values(this.classIndex) });
      }
      const { first, count } = all.at(-1);
      if (inPlace) gpu.copy(scratch, to, offset, first + count);
    }
    const change = textures[this.description.ops.at(-1).to];
    this.drawState(programs.apply, this.next, { from: textures[0], to: change, mask });
    [textures[0], this.next] = [this.next, textures[0]];
    this.stepCount += 1;
    this.ahead = true;
    if (this.stepCount % STEPS_AHEAD === 0) gpu.wait(mask);
    return undefined;
  }

  /** For each cell, the size of its last change and whether it was computed, and two zeros. */
  get last() {
    const { gpu, sizes, mask, textures, description } = this;
    gpu.draw(this.programs.sizes, sizes, 0, 1, { from: textures[description.ops.at(-1).to], mask });
    return gpu.read(sizes);
  }

  get changes() {
    return this.gpu ? this.last.filter((_, i) => i % 4 === 0) : super.changes;
  }

  get fired() {
    return this.gpu ? this.last.filter((_, i) => i % 4 === 1) : super.fired;
  }
}
