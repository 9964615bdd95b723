// Host 1 of 2: an anywidget in JupyterLab, Colab and the like. Also what Node imports.

import { Engine } from "./engine.js";
import { mount } from "./player.js";

async function render({ model, el }) {
  const view = model.get("weights");
  const weights = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const figure = document.createElement("figure");
  figure.className = "nca-figure";
  el.append(figure);
  const report = ({ steps, classIndex }) => {
    if (steps !== undefined) model.set("steps_shown", steps);
    if (classIndex !== undefined) model.set("class_index", classIndex);
    model.save_changes();
  };
  const descriptions = JSON.parse(model.get("descriptions"))
    .map((description) => ({ ...description, class_index: model.get("class_index") }));
  const player = await mount(figure, descriptions, weights, report);
  const follow = () => {
    const index = model.get("class_index");
    if (index !== player.last.classIndex) player.setClass(index);
  };
  model.on("change:class_index", follow);
  follow();  // Python may have changed it while the engine was starting
  return () => {
    model.off("change:class_index", follow);
    player.destroy();
  };
}

export { Engine, Simulation, mount };
export default { render };
