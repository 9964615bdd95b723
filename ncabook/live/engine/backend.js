// Which engine a figure gets: on the CPU, or for large grids on the graphics processor if that is
// faster here.

import { MOST_PIXELS } from "./description.js";
import { Engine } from "./engine.js";
import { FilmEngine } from "./film.js";
import { openContext } from "./gpu.js";
import { GuidedEngine } from "./guided.js";
import { GpuEngine } from "./webgl.js";

const LARGE = 128;  // cells on either side, or pixels of a decoded picture
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|warp/i;
const NAMELESS = /^(webkit webgl|mozilla)?$/i;  // what browsers say instead of telling
const ROUNDS = 3;
const STEPS = 4;
const PATIENCE = 100;  // milliseconds after which no further round begins
const TOLERANCE = 1e-4;  // after one step

/** What a context draws with, in the words of its driver; some browsers tell only on request. */
export function rendererName(gl) {
  const name = String(gl.getParameter(gl.RENDERER) ?? "");
  const info = NAMELESS.test(name) && gl.getExtension("WEBGL_debug_renderer_info");
  return info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL) ?? "") : name;
}

/** Whether a renderer is known to be a device, and not a program on the CPU. */
export const isDevice = (name) => !SOFTWARE.test(name) && !NAMELESS.test(name);

/** How many pixels a cell has along a side: where a decoder reads it at any point, of the whole picture. */
const pixelsOf = ({ decoder, height, width }) =>
  (decoder?.kind === "local" ? Math.floor(MOST_PIXELS / Math.max(height, width)) : decoder?.scale ?? 1);

/**
 * Arguments as for Engine.create.
 *
 * @param {string} force "webgl" or "wasm", whatever is faster; for tests
 */
export async function createEngine(description, weights, force) {
  const large = pixelsOf(description ?? {}) * Math.min(description?.height, description?.width) >= LARGE;
  if (description?.film) return FilmEngine.create(description, weights);
  if (description?.free) return GuidedEngine.create(description, weights);
  if (force === "webgl") return GpuEngine.create(description, weights, openContext(false));
  if (force === "wasm" || !large) return Engine.create(description, weights);
  try {
    const gl = openContext();
    if (isDevice(rendererName(gl))) {
      const engine = await GpuEngine.create(description, weights, gl);
      keepTheFaster(engine);
      return engine;
    }
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  } catch {
    // No device, or not one for this automaton.
  }
  return Engine.create(description, weights);
}

/** Lets both do the same: the device is kept if it computes what the CPU does, and sooner. */
function keepTheFaster(engine) {
  const { gpu } = engine;
  const trial = new Float32Array(engine.cellCount * engine.channels)
    .map((_, i) => engine.coin(i, 0, 0, 0));  // nearly every cell lives: the most there is to do
  const [there, here] = [gpu, null].map((where) => {
    engine.gpu = where;
    engine.restore(trial, 0);
    engine.step();
    const picture = engine.decoder ? [...engine.decode().numbers] : [];
    const numbers = [...engine.state, ...picture];
    const time = duration(engine);
    void engine.cellsToRead;  // so that nothing is left on the device
    return { numbers, time };
  });
  engine.gpu = gpu;
  const alike = there.numbers.every((value, i) =>
    Math.abs(value - here.numbers[i]) <= TOLERANCE * (1 + Math.abs(value)));
  if (!alike || here.time <= there.time) engine.detach();
  engine.reset();
}

/** Milliseconds of some steps and a look, at best. */
function duration(engine) {
  const times = [];
  const end = performance.now() + PATIENCE;
  do {
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) engine.step();
    void (engine.decoder ? engine.decode() : engine.cellsToRead);
    times.push(performance.now() - start);
  } while (times.length < ROUNDS && performance.now() < end);
  return Math.min(...times);
}
