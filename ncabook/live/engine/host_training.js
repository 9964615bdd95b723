// What Node imports of the trainer: its parts, for tests and measurements.

import { Learner, SETTINGS, dice } from "./learner.js";
import { Trainer } from "./trainer.js";

export { Learner, SETTINGS, Trainer, dice };
