// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
function mountFigure(figure) {
if (figure.dataset.ncaMounted !== undefined) return;
figure.dataset.ncaMounted = "";
let given;
try {
given = [
parsed("description (data-nca) is no JSON", () => JSON.parse(figure.dataset.nca)),
parsed("weights (data-weights) are no base64", () => decodeBase64(figure.dataset.weights ?? "")),
];
} catch (error) {
explain(figure, error);
return;
}
mount(figure, ...given).catch((error) => console.error(error));
}
function parsed(wrong, parse) {
try {
return parse();
} catch {
throw new Error(`live figure: its ${wrong}; export the automaton again`);
}
}
function mountAll() {
document.querySelectorAll("figure.nca-figure[data-nca]").forEach(mountFigure);
}
function addWay() {
const ways = document.querySelector("#pst-skip-link");
const figure = document.querySelector("figure.nca-figure[data-nca]");
if (ways === null || figure === null) return;
figure.id ||= "nca-figure";
const way = document.createElement("a");
Object.assign(way, { href: `#${figure.id}`, textContent: "Skip to the figure" });
way.style.marginInlineStart = "2rem";
way.addEventListener("click", (event) => {
const canvas = figure.querySelector(".nca-stage canvas");
if (canvas === null) return;
event.preventDefault();
canvas.focus();
});
ways.append(way);
}
function start() {
mountAll();
addWay();
const addsElements = ({ addedNodes }) => [...addedNodes].some((node) => node instanceof Element);
new MutationObserver((records) => { if (records.some(addsElements)) mountAll(); })
.observe(document.body, { childList: true, subtree: true });
addEventListener("hashchange", () => { if (tellsOfMoment()) location.reload(); });
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
