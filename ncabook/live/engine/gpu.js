// Buffers and shaders of WebGL2, and the drawing of the ones with the others.

import { VERTEX, prelude } from "./shaders.js";

const NO_ANSWER = Math.fround(-1.2345e-37);  // no automaton's number; NaN may be one's

/** A context without a page. `careful`: none that the browser itself calls slow. */
export function openContext(careful = true) {
  const options = { failIfMajorPerformanceCaveat: careful };
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2", options);
  if (!gl?.getExtension("EXT_color_buffer_float")) {
    throw new Error("live figure: no WebGL2 that computes with floats");
  }
  return gl;
}

export class Gpu {
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

  /**
   * Runs a program for every texel of some layers, or for the one `where`. `values`: buffers and
   * numbers, by name.
   */
  draw({ program, places }, to, first, count, values, where) {
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
    if (where) {
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(where.column, where.row, 1, 1);
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    if (where) gl.disable(gl.SCISSOR_TEST);
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

  /** All numbers of a buffer of one layer; null if the device did not answer. */
  read(buffer) {
    const { gl, grid } = this;
    const numbers = new Float32Array(4 * buffer.width * grid.height).fill(NO_ANSWER, 0, 1);
    this.target(buffer, 0, 1);
    gl.readPixels(0, 0, buffer.width, grid.height, gl.RGBA, gl.FLOAT, numbers);
    return gl.isContextLost() || numbers[0] === NO_ANSWER ? null : numbers;
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

  /** Numbers for a shader to read, in a new buffer or in place of another's. */
  matrices(numbers, buffer = this.gl.createBuffer()) {
    const { gl } = this;
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, numbers, gl.STATIC_DRAW);
    return buffer;
  }
}
