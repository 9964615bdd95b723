// Which engine a figure gets: on the CPU, or for large grids on the graphics processor if that is
// faster here.

import { Engine } from "./engine.js";
import { openContext } from "./gpu.js";
import { GpuEngine } from "./webgl.js";

const LARGE = 128;  // cells on either side
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|warp/i;
const NAMELESS = /^(webkit webgl|mozilla)?$/i;  // what browsers say instead of telling
const ROUNDS = 3;
const STEPS = 4;

/** What a context draws with, in the words of its driver. */
export function rendererName(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER) ?? "");
}

/** Whether a renderer is known to be a device, and not a program on the CPU. */
export const isDevice = (name) => !SOFTWARE.test(name) && !NAMELESS.test(name);

/**
 * Arguments as for Engine.create.
 *
 * @param {string} force "webgl" or "wasm", whatever is faster; for tests
 */
export async function createEngine(description, weights, force) {
  const large = Math.min(description?.height, description?.width) >= LARGE;
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

/** Times both ways, and gives the device back if it is no faster. */
export function keepTheFaster(engine) {
  const { gpu } = engine;
  const full = new Float32Array(engine.cellCount * engine.channels).fill(1);
  const [there, here] = [gpu, null].map((where) => {
    engine.gpu = where;
    engine.restore(full, 0);  // every cell lives: the most that there can be to do
    return duration(engine);
  });
  engine.gpu = gpu;
  if (here <= there) engine.detach();
  engine.reset();
}

/** Milliseconds of some steps and a look, at best; the first round warms up. */
function duration(engine) {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) engine.step();
    void engine.cellsToRead;
    return performance.now() - start;
  });
  return Math.min(...rounds.slice(1));
}
