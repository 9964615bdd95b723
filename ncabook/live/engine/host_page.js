// Host 2 of 2: a page of the book or an exported file. Every figure that carries an automaton
// in its data-nca attribute comes alive, also one that is added later.

import { decodeBase64 } from "./description.js";
import { mount } from "./player.js";
import { tellsOfMoment } from "./share.js";

function mountFigure(figure) {
  if (figure.dataset.ncaMounted !== undefined) return;
  figure.dataset.ncaMounted = "";
  const start = async () =>
    mount(figure, JSON.parse(figure.dataset.nca), decodeBase64(figure.dataset.weights));
  start().catch((error) => console.error(error));
}

function mountAll() {
  document.querySelectorAll("figure.nca-figure[data-nca]").forEach(mountFigure);
}

function start() {
  mountAll();
  // A running figure changes texts all the time; only new elements can hold a new figure.
  const addsElements = ({ addedNodes }) => [...addedNodes].some((node) => node instanceof Element);
  new MutationObserver((records) => { if (records.some(addsElements)) mountAll(); })
    .observe(document.body, { childList: true, subtree: true });
  // A link to a moment, opened where the page already is: only a new start shows it.
  addEventListener("hashchange", () => { if (tellsOfMoment()) location.reload(); });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
