// The engine with its steps on a graphics processor: WebGL2, all numbers in RGBA32F textures.
//
// Only `step` happens there. Whatever else is done to the automaton, the engine does, in its own
// memory; the state goes there when somebody looks at it, and back when somebody has changed it.

import { decodeFloat, decodeHalf, padded } from "./description.js";
import { Engine } from "./engine.js";
import {
  VERTEX, applyShader, attendShader, bankShader, convShader, gatherShader, geluShader, maskShader,
  normShader, packShader, prelude, sizeShader, unpackShader,
} from "./shaders.js";

const OUTPUTS = 4;  // layers that a shader writes at once: what every WebGL2 device can
const MATRIX_BYTES = 64;
const STEPS_AHEAD = 8;  // at most as many are asked for before waiting for the device

/** A context without a page. `careful`: none that the browser itself calls slow. */
export function openContext(careful = true) {
  const options = { failIfMajorPerformanceCaveat: careful };
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2", options);
  if (!gl?.getExtension("EXT_color_buffer_float")) {
    throw new Error("live figure: no WebGL2 that computes with floats");
  }
  return gl;
}

/** Buffers, shaders, and the drawing of the ones with the others. */
class Gpu {
  constructor(gl, grid) {
    Object.assign(this, { gl, grid });
    this.programs = new Map();
  }

  buffer(layers, format = this.gl.RGBA32F, width = this.grid.width) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, format, width, this.grid.height, layers);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D_ARRAY, filter, gl.NEAREST);
    }
    return { texture, width, targets: new Map() };
  }

  /** Makes `count` layers what is drawn on, and read from. */
  target({ texture, targets }, first, count) {
    const { gl } = this;
    const key = `${first} ${count}`;
    const known = targets.get(key) ?? gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, known);
    if (targets.has(key)) return;
    targets.set(key, known);
    const points = Array.from({ length: count }, (_, i) => gl.COLOR_ATTACHMENT0 + i);
    points.forEach((point, i) =>
      gl.framebufferTextureLayer(gl.FRAMEBUFFER, point, texture, 0, first + i));
    gl.drawBuffers(points);
    const status = gl.checkFramebufferStatus(gl.FRAMEBUFFER);
    if (status !== gl.FRAMEBUFFER_COMPLETE && !gl.isContextLost()) {
      throw new Error(`live figure: this device cannot draw on ${count} layers (${status})`);
    }
  }

  program(body, outs = 1) {
    const source = prelude(this.grid, outs) + body;
    if (!this.programs.has(source)) this.programs.set(source, this.compile(source));
    return this.programs.get(source);
  }

  compile(source) {
    const { gl } = this;
    const program = gl.createProgram();
    const shaders = [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, source]].map(([kind, text]) => {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      return shader;
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const why = [...shaders.map((s) => gl.getShaderInfoLog(s)), gl.getProgramInfoLog(program)];
      throw new Error(`live figure: a shader was not compiled: ${why.join(" ")}`);
    }
    const places = {};
    for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
      const name = gl.getActiveUniform(program, i).name.replace("[0]", "");
      places[name] = gl.getUniformLocation(program, name);
    }
    return { program, places };
  }

  /** Runs a program for every texel of some layers. `values`: buffers and numbers, by name. */
  draw({ program, places }, to, first, count, values) {
    const { gl } = this;
    gl.useProgram(program);
    let unit = 0;
    for (const [name, value] of Object.entries(values)) {
      const place = places[name];
      if (place === undefined) continue;
      if (value.texture) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D_ARRAY, value.texture);
        gl.uniform1i(place, unit++);
      } else if (value instanceof Float32Array) gl.uniform4fv(place, value);
      else if (value instanceof Uint32Array) gl.uniform3uiv(place, value);
      else gl.uniform1i(place, value);
    }
    if (values.weights) gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, values.weights);
    this.target(to, first, count);
    gl.viewport(0, 0, to.width, this.grid.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Copies layers 0, 1, … of a buffer to another's layers from `first` on. */
  copy(from, to, first, count) {
    const { gl, grid } = this;
    for (let i = 0; i < count; i++) {
      this.target(from, i, 1);
      gl.bindTexture(gl.TEXTURE_2D_ARRAY, to.texture);
      gl.copyTexSubImage3D(
        gl.TEXTURE_2D_ARRAY, 0, 0, 0, first + i, 0, 0, grid.width, grid.height);
    }
  }

  /** All numbers of a buffer of one layer; NaN first if the device did not answer. */
  read(buffer) {
    const { gl, grid } = this;
    const numbers = new Float32Array(4 * buffer.width * grid.height).fill(NaN, 0, 1);
    this.target(buffer, 0, 1);
    gl.readPixels(0, 0, buffer.width, grid.height, gl.RGBA, gl.FLOAT, numbers);
    return numbers;
  }

  write(buffer, numbers) {
    const { gl, grid } = this;
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, buffer.texture);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, buffer.width, grid.height, 1,
      gl.RGBA, gl.FLOAT, numbers);
  }

  /** Until the device has done what it was asked for. */
  wait(buffer) {
    this.target(buffer, 0, 1);
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  matrices(numbers) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, numbers, gl.STATIC_DRAW);
    return buffer;
  }
}

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
    this.gpu.write(this.packed, this.cells);
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

for (const name of ["restore", "reset", "setClass", "erase", "disturb", "plant"]) {
  GpuEngine.prototype[name] = function edit(...values) {
    Engine.prototype[name].apply(this, values);
    this.edited = true;
  };
}
