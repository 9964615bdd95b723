// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
async function render({ model, el }) {
const view = model.get("weights");
const weights = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const figure = document.createElement("figure");
figure.className = "nca-figure";
el.append(figure);
const names = { steps: "steps_shown", classIndex: "class_index", playing: "playing", events: "events" };
const report = (changes) => {
for (const [name, value] of Object.entries(changes)) model.set(names[name], value);
model.save_changes();
};
const descriptions = JSON.parse(model.get("descriptions")).map((description) => ({
...description, class_index: model.get("class_index"), fire_rate: model.get("fire_rate"),
}));
await mount(figure, descriptions, weights, report);
const now = () => figure.ncaPlayer;
const follow = {
"change:class_index": () => {
const index = model.get("class_index");
if (index !== now().last.classIndex) now().setClass(index);
},
"change:fire_rate": () => now().setFireRate(model.get("fire_rate")),
"change:playing": () => {
if (model.get("playing") !== now().playing) now().setPlaying(model.get("playing"), true);
},
"msg:custom": async (message, buffers = []) => {
if (message.kind === "act") {
now().act(message.event);
} else if (message.kind === "getState") {
const { state } = await now().ask(message);
const { height, width } = now().descriptions[0];
model.send({ kind: "state", height, width }, undefined, [state.buffer]);
} else if (message.kind === "setState") {
const { buffer, byteOffset, byteLength } = buffers[0];
const state = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
await now().ask({ ...message, state });
} else {
await now().ask(message);
}
report({ steps: now().last.step });
},
};
for (const [event, listener] of Object.entries(follow)) model.on(event, listener);
follow["change:class_index"]();
return () => {
for (const [event, listener] of Object.entries(follow)) model.off(event, listener);
now().destroy();
};
}
export { Engine, GpuEngine, Simulation, createEngine, isDevice, mount, rendererName };
export default { render };
