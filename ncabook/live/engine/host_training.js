// What Node imports of the trainer: its parts, for tests and measurements.

import { Classroom } from "./classroom.js";
import { Learner, SETTINGS, dice } from "./learner.js";
import { liveWeights, metaOf, safetensors } from "./takeaway.js";
import { Trainer } from "./trainer.js";

export { Classroom, Learner, SETTINGS, Trainer, dice, liveWeights, metaOf, safetensors };
