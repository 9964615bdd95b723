// Runs the built engine without a page: node run_engine.mjs JOB.json ENGINE.mjs
//
// A job is {description, weights (base64), actions}; each action is a method of the engine with
// its arguments, or ["skip", false]. Prints {state, step}, or {error}. The state is base64.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [jobFile, engineFile] = process.argv.slice(2);
const { Engine } = await import(pathToFileURL(engineFile));
const job = JSON.parse(readFileSync(jobFile, "utf-8"));

const run = async () => {
  const engine = await Engine.create(job.description, Buffer.from(job.weights, "base64"));
  for (const [name, ...values] of job.actions) {
    if (name === "steps") for (let i = 0; i < values[0]; i++) engine.step();
    else if (name === "skip") engine.skip = values[0];
    else engine[name](...values);
  }
  const state = Buffer.from(engine.state.buffer).toString("base64");
  return { state, step: engine.stepCount };
};

console.log(JSON.stringify(await run().catch((error) => ({ error: error.message }))));
