// Runs the built trainer without a page: node run_training.mjs JOB.json TRAINER.mjs
//
// A job of kind "gradient" is {sizes, fast, target, overflow, tensors, samples}: each sample is a start
// with a seed, steps, and whether its first step is a ring's. Prints the gradients, ends and losses;
// with `updates`, what Adam makes of the weights by that many gradients, each `rate` and `normalise`.
// A job of kind "learn" is {picture, settings, iterations}; one of kind "save" has a description and
// steps, too: it gives the file of the weights, the live figure's weights, and a state that was grown.
// Numbers are base64.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [jobFile, trainerFile] = process.argv.slice(2);
const { Classroom, Learner, Trainer, liveWeights, metaOf, safetensors } = await import(pathToFileURL(trainerFile));
const job = JSON.parse(readFileSync(jobFile, "utf-8"));

const read = (text) => {
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const write = (numbers) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const written = (tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, write(data)]));

const gradient = async () => {
  const trainer = await Trainer.create(job.sizes, job.fast);
  trainer.load(Object.fromEntries(Object.entries(job.tensors).map(([name, text]) => [name, { data: read(text) }])));
  trainer.aim(read(job.target));
  const [ends, losses] = [[], []];
  let gradients;
  for (let i = 0; i < (job.updates ?? 1); i++) {
    trainer.clear();
    for (const { start, steps, seed, ring, first } of job.samples) {
      ends.push(write(trainer.rollout(read(start), steps, seed, ring, first)));
      losses.push(trainer.learn(job.overflow, 1 / job.samples.length));
    }
    if (job.normalise) trainer.normalise();
    gradients = written(trainer.tensors(trainer.gradient));
    if (job.muon) trainer.muon(job.rate, job.biasRate);
    else if (job.updates) trainer.adam(job.rate);
  }
  return { ends, losses, gradients, weights: written(trainer.tensors()) };
};

const save = async () => {
  const { height, width, rgba } = job.picture;
  const learner = await Learner.create({ height, width, rgba: read(rgba) }, job.settings);
  for (let i = 0; i < job.iterations; i++) learner.iterate();
  const { trainer } = learner;
  const room = new Classroom(learner);
  for (let i = 0; i < job.steps; i++) room.handle({ kind: "watch", steps: 1 });
  const bytes = (array) => Buffer.from(array).toString("base64");
  return {
    file: bytes(safetensors(trainer.tensors(), metaOf(trainer, learner.iteration))),
    live: bytes(liveWeights(job.description, job.parts ?? trainer.parts, trainer.weights)),
    state: write(room.state), coins: room.coins,
  };
};

const learn = async () => {
  const { height, width, rgba } = job.picture;
  const learner = await Learner.create({ height, width, rgba: read(rgba) }, job.settings);
  const start = performance.now();
  const losses = [];
  for (let i = 0; i < job.iterations; i++) losses.push(learner.iterate().loss);
  return { losses, seconds: (performance.now() - start) / 1000, skipped: learner.skipped };
};

console.log(JSON.stringify(await { gradient, learn, save }[job.kind]()));
