// Runs the built engine without a page: node run_engine.mjs JOB.json ENGINE.mjs
//
// A job is {description, weights (base64), actions}; each action is a method of the engine with
// its arguments, or ["skip", false]. Prints {state, step}, or {error}. The state is base64.
// With `messages` in place of actions, they go to a simulation, and its last report is printed
// too, with some pixels of the first frame, and how often votes were `counted` for it; {kind:
// "later"} is no message: a picture has to wait; nor is {kind: "repeat", count, message}: after it, the
// bytes that are in use are noted in `heaps`, if Node runs with --expose-gc. `stops`: the step after
// each message, and whether something ran away. {kind: "save"} adds a file of the laboratory, as base64,
// to `files`; {kind: "load", file} loads one, the last without `file`; `refusals` say why not.
// With `criticise: true` what the critic says of the last state is there.
// With `decode: true` the picture of the last state is there. With `wasm: false` nothing compiles,
// as where a browser lacks SIMD; `wasm: "instantiate"` and `"grow"` refuse memory, early and late.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [jobFile, engineFile] = process.argv.slice(2);
const { Engine, Simulation } = await import(pathToFileURL(engineFile));
const job = JSON.parse(readFileSync(jobFile, "utf-8"));
const weights = Buffer.from(job.weights, "base64");

if (job.wasm === false) {
  await new Response("").text();  // Node's own use of WebAssembly comes first
  WebAssembly.compile = () => Promise.reject(new Error("no SIMD"));
}
await import("../../ncabook/lab/state.js");
const refuse = () => { throw new RangeError("no memory"); };
const { instantiate } = WebAssembly;
if (job.wasm === "instantiate") {
  WebAssembly.instantiate = (module, imports) =>  // except for Node's own parser of HTTP
    (imports?.env?.wasm_on_url ? instantiate(module, imports) : refuse());
}
if (job.wasm === "grow") WebAssembly.Memory.prototype.grow = refuse;

const act = async () => {
  const engine = await Engine.create(job.description, weights);
  for (const [name, ...values] of job.actions) {
    if (name === "steps") for (let i = 0; i < values[0]; i++) engine.step();
    else if (name === "skip") engine.skip = values[0];
    else engine[name](...values);
  }
  return { engine, step: engine.stepCount, backend: engine.backend };
};

const simulate = async () => {
  const simulation = await Simulation.create([job.description], weights);
  let [answer, counted] = [{}, 0];
  const [heaps, stops, files, refusals] = [[], [], [], []];
  const load = (content) => {
    try {
      const saved = ncaState.read(Buffer.from(content, "base64"), "a.npy");
      ncaState.canvasOf(saved, job.description, "this one");
      const { classIndex, degrees, weight } = simulation.report();
      return simulation.handle({ kind: "restore", snapshot: { step: 0, classIndex, degrees, weight, ...saved.snapshot } });
    } catch ({ message }) {
      refusals.push(message);
      return simulation.report();
    }
  };
  Object.defineProperty(simulation.engines[0], "ballot", {
    get() {
      counted += 1;
      return Reflect.get(Engine.prototype, "ballot", this);
    },
  });
  for (const message of job.messages) {
    counted = 0;
    if (message.kind === "later") simulation.nextFrames = Infinity;  // decoding took very long
    else if (message.kind === "repeat") {
      for (let i = 0; i < message.count; i++) simulation.handle(message.message);
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed);
    }
    else if (message.kind === "save") {
      const { snapshot } = simulation.handle({ kind: "snapshot" });
      files.push(Buffer.from(ncaState.write(snapshot, job.description, "a-model")).toString("base64"));
    } else if (message.kind === "load") answer = load(message.file ?? files.at(-1));
    else answer = simulation.handle(message);
    stops.push([simulation.timeline.step, simulation.stopped !== undefined]);
  }
  const { frames, ...rest } = answer.frames ? answer : { ...simulation.report(), ...answer };
  const { recorded } = simulation.handle({ kind: "recorded" });
  const snapshots = simulation.timeline.snapshots.size;
  const [{ data, height, width }] = frames;
  const seen = { recorded, heaps, stops, files, refusals, size: [height, width], pixels: [...data.subarray(0, 400)], snapshots, counted };
  return { engine: simulation.engines[0], ...rest, ...seen };
};

const run = async () => {
  const { engine, ...rest } = await (job.messages ? simulate() : act());
  if (job.decode) {
    const { numbers, ...size } = engine.decode();
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    rest.picture = { ...size, numbers: bytes.toString("base64") };
  }
  if (job.criticise) rest.opinions = [...engine.critic.judge(engine)];
  const own = engine.state.slice(0, engine.cellCount * engine.channels);  // less a second automaton's
  return { ...rest, state: Buffer.from(own.buffer).toString("base64") };
};

console.log(JSON.stringify(await run().catch((error) => ({ error: error.message }))));
