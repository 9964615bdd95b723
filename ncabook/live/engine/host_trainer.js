// The page: every figure that is to train, once.

import { TrainerFigure } from "./trainer_figure.js";

if (document.querySelector("style[data-nca-trainer]") === null) {
  const style = document.createElement("style");
  style.dataset.ncaTrainer = "";
  style.textContent = STYLE;
  document.head.append(style);
}
for (const figure of document.querySelectorAll("figure.nca-trainer:not([data-nca-mounted])")) {
  figure.dataset.ncaMounted = "";
  figure.ncaTrainer = new TrainerFigure(figure, JSON.parse(figure.dataset.trainer));
}
