// Algorithm 1 in the page: a sample pool with damage, a batch, a rollout, an update.

import { RGBA, Trainer } from "./trainer.js";

const MOST_KEPT = 10;  // a state with a larger number is no start for a rollout

export const SETTINGS = {
  channels: 16, features: 32, units: 32, batch: 4, steps: [24, 32], optimizer: "muon", rate: 0.012, biasRate: 2e-3,
  clip: 1, overflow: 0.1,
  pool: 64, poolAfter: 300, remembers: true, damages: true, damageAfter: 450, seed: 1,
};

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whether a number of a state is larger than it should be, or none. */
const ranAway = (state) => state.some((value) => !(Math.abs(value) <= MOST_KEPT));

export class Learner {
  /** `picture`: {height, width, rgba: premultiplied RGBA in [0, 1], [row][column][4]}. */
  static async create(picture, settings = {}, fast = true) {
    const all = { ...SETTINGS, ...settings };
    const { height, width } = picture;
    const trainer = await Trainer.create({ height, width, ...all, mostSteps: all.steps[1] }, fast);
    return new this(trainer, picture, all);
  }

  constructor(trainer, picture, settings) {
    Object.assign(this, { trainer, settings });
    this.random = dice(settings.seed);
    this.iteration = 0;
    this.skipped = 0;
    trainer.begin(this.random);
    this.aim(picture.rgba);
    /** States that rollouts ended with; null stands for a seed. */
    this.pool = Array.from({ length: settings.pool }, () => null);
  }

  /** Learns this picture from now on: premultiplied RGBA in [0, 1], [row][column][4]. */
  aim(target) {
    this.target = target;
    this.trainer.aim(target);
  }

  /** How far a state's colours are from the picture. */
  distance(state) {
    const { channels } = this.trainer;
    let sum = 0;
    for (let i = 0, at = 0; i < this.target.length; i += RGBA, at += channels) {
      for (let q = 0; q < RGBA; q++) sum += (state[at + q] - this.target[i + q]) ** 2;
    }
    return sum / this.target.length;
  }

  /** A state with a disc or a half erased (random_damage); the same one if it would die of it. */
  damaged(state) {
    const { height, width, channels } = this.trainer;
    const u = Array.from({ length: 5 }, this.random);
    const side = Math.min(height, width);
    const [row, column, radius] = [height * (0.25 + 0.5 * u[0]), width * (0.25 + 0.5 * u[1]), side * (0.1 + 0.3 * u[2])];
    const [angle, offset] = [2 * Math.PI * u[0], side * 0.2 * (u[1] - 0.5)];
    const hurt = state.slice();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const along = (x - (width - 1) / 2) * Math.cos(angle) + (y - (height - 1) / 2) * Math.sin(angle);
        const erased = u[4] < 0.5 ? (y - row) ** 2 + (x - column) ** 2 <= radius ** 2 : along > offset;
        const at = (y * width + x) * channels;
        if (erased) hurt.fill(0, at, at + channels);
      }
    }
    return this.trainer.lives(hurt) ? hurt : state;
  }

  /** Places of the pool to begin with, the worst first. */
  draw() {
    const { batch, pool } = this.settings;
    const places = new Set();
    while (places.size < batch) places.add(Math.floor(this.random() * pool));
    const far = (place) => (this.pool[place] === null ? Infinity : this.distance(this.pool[place]));
    return [...places].map((place) => ({ place, far: far(place) })).sort((a, b) => b.far - a.far);
  }

  /** One iteration: the mean of the batch's losses, and what its parts were. */
  iterate() {
    const { trainer, settings, random } = this;
    const { batch, steps: [least, most], overflow } = settings;
    const steps = least + Math.floor(random() * (most - least + 1));
    const drawn = this.draw();
    this.pool[drawn[0].place] = null;  // the worst makes room for a seed
    const remembers = settings.remembers && this.iteration >= settings.poolAfter;
    trainer.clear();
    let [square, outside] = [0, 0];
    const ends = drawn.map(({ place }, i) => {
      const old = this.pool[place];
      const hurt = settings.damages && i === batch - 1 && i > 0 && this.iteration >= settings.damageAfter;
      const start = old === null ? trainer.seedState() : hurt ? this.damaged(old) : old;
      const end = trainer.rollout(start, steps, Math.floor(random() * 2 ** 32), old === null).slice();
      const parts = trainer.learn(overflow, 1 / batch);
      square += parts.square / batch;
      outside += parts.outside / batch;
      return { place, end };
    });
    const length = settings.clip ? trainer.clip(settings.clip) : trainer.normalise();
    const sound = Number.isFinite(length) && Number.isFinite(square);
    if (!sound) this.skipped += 1;
    else if (settings.optimizer === "adam") trainer.adam(this.rate);
    else trainer.muon(this.rate, this.rate / settings.rate * settings.biasRate);
    for (const { place, end } of ends) {
      this.pool[place] = sound && remembers && !ranAway(end) && trainer.lives(end) ? end : null;
    }
    this.iteration += 1;
    return { iteration: this.iteration, loss: square, outside, length, steps };
  }

  /** The learning rate of now: it falls as the picture comes near. */
  get rate() {
    return this.settings.rate / Math.sqrt(1 + this.iteration / 500);
  }
}
