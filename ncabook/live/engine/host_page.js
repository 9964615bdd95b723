// Host 2 of 2: a page of the book or an exported file. Every figure that carries an automaton
// in its data-nca attribute comes alive, also one that is added later.

import { decodeBase64 } from "./description.js";
import { tellsOfMoment } from "./moment.js";
import { explain, mount } from "./mount.js";

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

/** Beside the way that the book's theme has to a page's text, one to its first figure. */
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
    if (canvas === null) return;  // not there yet: the page scrolls, as by any link
    event.preventDefault();  // the address may tell of a moment
    canvas.focus();
  });
  ways.append(way);
}

function start() {
  mountAll();
  addWay();
  // A running figure changes texts all the time; only new elements can hold a new figure.
  const addsElements = ({ addedNodes }) => [...addedNodes].some((node) => node instanceof Element);
  new MutationObserver((records) => { if (records.some(addsElements)) mountAll(); })
    .observe(document.body, { childList: true, subtree: true });
  // A link to a moment, opened where the page already is: only a new start shows it.
  addEventListener("hashchange", () => { if (tellsOfMoment()) location.reload(); });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
