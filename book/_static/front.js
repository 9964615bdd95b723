// Which chapters a reader has opened: kept in this browser only, in nobody's way if it cannot be.
"use strict";
(() => {
  const KEY = "ncabook-opened";

  /** Names of chapters; none where the browser keeps nothing, or something else lies there. */
  function opened() {
    try {
      const names = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(names) ? names : [];
    } catch {
      return [];
    }
  }

  function remember(name) {
    const names = opened();
    if (names.includes(name)) return;
    try {
      localStorage.setItem(KEY, JSON.stringify([...names, name]));
    } catch { /* a browser that keeps nothing: the cards stay as they are */ }
  }

  function forget() {
    try {
      localStorage.removeItem(KEY);
    } catch { /* there was nothing to forget */ }
    show();
    document.querySelector(".front-cards a")?.focus();  // the button that had the focus is gone
  }

  function show() {
    const names = opened();
    for (const card of document.querySelectorAll(".front-card")) {
      card.querySelector(".front-opened").hidden = !names.includes(card.dataset.chapter);
    }
    for (const line of document.querySelectorAll(".front-memory")) line.hidden = names.length === 0;
  }

  const chapter = location.pathname.match(/\/(\d\d_\w+)\.html$/);
  if (chapter) remember(chapter[1]);
  document.querySelector(".front-memory button")?.addEventListener("click", forget);
  addEventListener("pageshow", show);  // also when the reader comes back to a page that was kept

  // The theme opens a notebook in a tab of its own; it is there to be kept.
  for (const link of document.querySelectorAll("a.btn-download-source-button")) {
    link.download = "";
    link.removeAttribute("target");
  }
})();
