// Small things of every page. Which chapters a reader has opened is kept in this browser only, in
// nobody's way if it cannot be.
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

  // What is too wide scrolls inside itself; the keyboard scrolls what can have the focus.
  const boxes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const wide = ".nca-scroll, .bd-article div.math, .bd-article .pst-scrollable-table-container";
  for (const box of document.querySelectorAll(wide)) boxes.observe(box);

  // Formulas are set by a megabyte of script that computes for a second. It comes when the page's
  // first figure lives; before, if a formula is in sight; and in any case soon.
  const MATHJAX_AFTER = 4000;  // milliseconds, where no figure starts to live
  const mathjax = document.querySelector("meta[name='ncabook-mathjax']");
  if (mathjax) setFormulas(mathjax.content);

  function setFormulas(src) {
    const seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && set());
    const set = () => {
      seen.disconnect();
      clearTimeout(timer);
      removeEventListener("nca-lives", set);
      document.head.append(Object.assign(document.createElement("script"), { src }));
    };
    const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const waits = !quiet && document.querySelector("figure.nca-figure");
    const timer = setTimeout(set, waits ? MATHJAX_AFTER : 0);
    addEventListener("nca-lives", set);
    for (const formula of document.querySelectorAll(".math")) seen.observe(formula);
  }

  // The search would fetch the pages that it found, for an excerpt; from file:// it may not.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS === "object") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // The theme opens a notebook in a tab of its own; it is there to be kept.
  const links = document.querySelectorAll("a.btn-download-source-button[href$='.ipynb'], .ways-out a[download]");
  for (const link of links) {
    link.download = link.href.split("/").pop();
    link.removeAttribute("target");
    if (location.protocol === "file:") link.addEventListener("click", saveFromScript);
  }

  /** From file://, browsers show a notebook as text. A script with the same text can be loaded. */
  function saveFromScript(event) {
    event.preventDefault();
    const { download } = event.currentTarget;
    window.ncabookNotebook = (text) => {
      const url = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
      Object.assign(document.createElement("a"), { href: url, download }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);  // the browser reads it after the click
    };
    const script = document.createElement("script");
    const root = document.documentElement.dataset.content_root;
    script.src = `${root}_static/notebooks/${download.replace(/\.ipynb$/, ".js")}`;
    script.onload = () => script.remove();
    document.head.append(script);
  }
})();
