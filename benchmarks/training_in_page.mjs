// One training by the page's trainer, in Node: node training_in_page.mjs JOB.json TRAINER.mjs OUT
//
// Writes OUT.json (losses, seconds, distances of a grown pattern) and OUT.safetensors.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [jobFile, trainerFile, out] = process.argv.slice(2);
const { Learner, metaOf, safetensors } = await import(pathToFileURL(trainerFile));
const job = JSON.parse(readFileSync(jobFile, "utf-8"));
const bytes = Buffer.from(job.rgba, "base64");
const rgba = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const learner = await Learner.create({ height: job.height, width: job.width, rgba }, job.settings);
const { trainer } = learner;

/** How far the pattern that grows from a seed is from the picture, after each of some steps. */
const grown = () => {
  let state = trainer.seedState();
  const distances = {};
  for (let step = 0; step < Math.max(...job.looks); step++) {
    state = trainer.rollout(state, 1, job.coins, step === 0, step).slice();
    if (job.looks.includes(step + 1)) distances[step + 1] = learner.distance(state);
  }
  return distances;
};

const [losses, seconds, patterns] = [[], [], []];
let [cpu, wall] = [0, 0];
while (learner.iteration < job.iterations) {
  const [before, start] = [process.cpuUsage(), performance.now()];
  let sum = 0;
  for (let i = 0; i < job.every; i++) sum += learner.iterate().loss / job.every;
  const { user, system } = process.cpuUsage(before);
  cpu += (user + system) / 1e6;
  wall += (performance.now() - start) / 1e3;
  losses.push(sum);
  seconds.push(cpu);
  if (learner.iteration % job.lookEvery === 0) patterns.push({ iteration: learner.iteration, cpu_seconds: cpu, distances: grown() });
}
const result = { iterations: learner.iteration, skipped: learner.skipped, cpu_seconds: cpu, wall_seconds: wall, losses, seconds, patterns,
  settings: learner.settings };
writeFileSync(`${out}.json`, JSON.stringify(result));
writeFileSync(`${out}.safetensors`, safetensors(trainer.tensors(), metaOf(trainer, learner.iteration)));
