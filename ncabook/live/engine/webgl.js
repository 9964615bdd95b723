// The engine with its steps on a graphics processor: WebGL2, all numbers in RGBA32F textures.
//
// Only steps and decoding happen there. Whatever else is done to the automaton, the engine does, in
// its own memory: the state comes there when somebody asks for it, and goes back if it may have
// changed.

import { GpuDecoder } from "./decode.js";
import { rulesOf } from "./description.js";
import { Engine } from "./engine.js";
import { Gpu, openContext } from "./gpu.js";
import { OPERATIONS, OUTPUTS, parts } from "./operations.js";
import { GpuPoints } from "./points_gpu.js";
import { applyShader, maskShader, packShader, sizeShader, unpackShader } from "./shaders.js";

const STEPS_AHEAD = 8;  // at most as many are asked for before waiting for the device

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
    this.ruleTexture = gpu.buffer(1);
    this.operations = description.ops.map((op) => ({
      from: op.from ?? op.to,
      to: op.to,
      // No shader may read what it writes: a gather reads a second buffer, others their own.
      aside: op.where ?? op.to,
      inPlace: op.add === true || op.from === undefined || op.from === op.to,
      offset: (op.offset ?? 0) / 4,
      ...OPERATIONS[op.kind](op, weights, gpu, (buffer) => strides[buffer] / 4),
    }));
    this.changesOf = rulesOf(description).map((ops) => ops.at(-1).to);
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
    for (const operation of this.operations) operation.turn?.(this.degrees);
    this.gpuDecoder = this.local ? new GpuPoints(gpu, this) : this.decoder && new GpuDecoder(gl, this, weights);
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
    if (numbers === null) {
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
    if (this.description.rules) {
      const numbers = new Float32Array(4 * this.cellCount);
      this.ruleMap.forEach((rule, i) => { numbers[4 * i] = rule; });
      this.gpu.write(this.ruleTexture, numbers);
    }
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
    const drawMask = (limit, where) => {
      const clock = Uint32Array.of(this.stepCount, this.description.seed, limit);
      gpu.draw(programs.mask, mask, 0, 1, { from: textures[0], clock }, where);
    };
    drawMask(Math.floor(this.fireRate * 2 ** 24));
    for (const [row, column, fires] of this.decided) drawMask(fires ? 2 ** 24 : 0, { row, column });
    for (const { program, parts: all, inPlace, offset, ...names } of this.operations) {
      const [from, to, aside] = [names.from, names.to, names.aside].map((i) => textures[i]);
      for (const { first, count, values } of all) {
        gpu.draw(program, inPlace ? scratch : to, inPlace ? first : offset + first, count,
          { from, to: aside, mask, first, ...values(this.classIndex) });
      }
      const { first, count } = all.at(-1);
      if (inPlace) gpu.copy(scratch, to, offset, first + count);
    }
    this.changesOf.forEach((change, rule) => this.drawState(programs.apply, this.next,
      { from: textures[0], to: textures[change], mask, rules: this.ruleTexture, rule }));
    [textures[0], this.next] = [this.next, textures[0]];
    this.stepCount += 1;
    this.ahead = true;
    if (this.stepCount % STEPS_AHEAD === 0) gpu.wait(mask);
    return undefined;
  }

  turn(degrees) {
    if (this.gpu && degrees !== this.degrees) {
      void this.cellsToRead;  // what is ahead there was seen with the old kernels
      for (const operation of this.operations) operation.turn?.(degrees);
    }
    super.turn(degrees);
  }

  graft(event) {
    void this.cellsToRead;  // what is ahead there happened under the old map
    super.graft(event);
    this.edited = true;
  }

  decode() {
    if (this.gpu && this.edited) this.upload();
    const picture = this.gpu && this.gpuDecoder.decode(this.textures[0]);
    if (picture) return picture;
    void this.cellsToRead;  // the kernels decode what is in the memory
    if (this.gpu) this.detach();
    return super.decode();
  }

  /** For each cell, the size of its last change and whether it was computed, and two zeros. */
  get last() {
    const { gpu, sizes, mask, textures } = this;
    this.changesOf.forEach((change, rule) => gpu.draw(this.programs.sizes, sizes, 0, 1,
      { from: textures[change], mask, rules: this.ruleTexture, rule }));
    return gpu.read(sizes) ?? new Float32Array(4 * this.cellCount);
  }

  get changes() {
    return this.gpu ? this.last.filter((_, i) => i % 4 === 0) : super.changes;
  }

  get fired() {
    return this.gpu ? this.last.filter((_, i) => i % 4 === 1) : super.fired;
  }
}
