// The laboratory: a shelf of models, and a bench on which one to four of them live side by side.
// Each is a figure of the book's own player; here they are chosen, told of, and held to the same
// strokes. Models come as scripts when they are chosen, since a page from file:// may load no more.
"use strict";
(() => {
  const MOST = 4;  // figures on the bench
  const EVERY = 500;  // milliseconds between two readings of the numbers
  const POLL = 2000;  // milliseconds between two looks at trainings
  const TOLD = 8000;  // milliseconds for which a line stays that says that all went well
  const BUDGET = 40;  // milliseconds of steps for one picture, when a figure catches up
  const FIRST = "emoji-conv3";
  const GONE = "The figure was taken away";

  const root = document.querySelector("#nca-lab");
  const { base = "./", runs } = root.dataset;
  const shelf = new Map();  // entries by key
  const waiting = new Map();  // of figures that have been asked for
  const bench = [];  // places, from left to right
  const parts = {};

  // --- Elements ---------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function button(text, action, attributes = {}) {
    const element = make("button", { type: "button", class: "lab-button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  }

  const say = (text) => { parts.status.textContent = text; };
  const whole = (number) => number.toLocaleString("en");

  function load(source) {
    return new Promise((resolve, reject) => {
      const script = make("script", { src: base + source });
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(`${source} cannot be loaded`)); };
      document.head.append(script);
    });
  }

  // --- What scripts hand over -------------------------------------------------------------------

  window.ncaLab = {
    shelve(entries) { for (const entry of entries) shelf.set(entry.key, entry); },
    take(key, html) { waiting.get(key)?.(html); },
  };

  /** A model's figure, as HTML. */
  async function fetchFigure(key, version) {
    let html;
    waiting.set(key, (text) => { html = text; });
    try {
      await load(`lab/models/${encodeURIComponent(key)}.js${version ? `?${version}` : ""}`);
    } finally {
      waiting.delete(key);
    }
    if (html === undefined) throw new Error(`${key} cannot be shown`);
    return html;
  }

  // --- One place on the bench -------------------------------------------------------------------

  class Place {
    constructor(entry, alone) {
      this.entry = entry;
      this.version = entry.version;
      this.cells = null;  // that live, as last counted
      const away = button("×", () => remove(this), { "aria-label": `Take ${entry.name} away`, class: "lab-button lab-away" });
      this.heading = make("h2", { class: "lab-name", tabindex: -1 }, entry.name);
      this.box = make("div", { class: "lab-figure" });
      this.training = make("div", { class: "lab-training", hidden: "" });
      this.card = makeCard(this, alone);
      this.section = make("section", { class: "lab-place", "aria-label": entry.name },
        make("div", { class: "lab-head" }, this.heading, away),
        make("p", { class: "lab-title" }, entry.title), this.box, makeStates(this), this.training, this.card);
    }

    /** Puts a figure in, which the page's own script brings to life; `before`: the player to go on from. */
    put(html, before) {
      this.player = null;
      const frame = make("div");
      frame.innerHTML = html;
      const figure = frame.querySelector("figure");
      let player;
      // The figure gets another player when its reader chooses another canvas.
      Object.defineProperty(figure, "ncaPlayer", {
        configurable: true,
        get: () => player,
        set: (given) => {
          player = given;
          this.player = given;
          link(this, given);
          if (before) goOn(before, given);
          before = undefined;
        },
      });
      this.figure = figure;
      this.box.replaceChildren(figure);
    }

    destroy() {
      clearTimeout(this.telling);
      this.player?.destroy();
      this.section.remove();
    }
  }

  /** Sets a fresh player as the one before it was: a run's weights are new, all else is the reader's. */
  function goOn({ playing, classIndex, open }, player) {
    if (open) player.view.more.click();
    if (classIndex !== player.last.classIndex) player.setClass(classIndex);
    player.setPlaying(playing, false);
  }

  function makeCard(place, alone) {
    const { entry } = place;
    const rows = entry.numbers.map(({ title, value, paper }) => make("div", {},
      make("dt", {}, title), make("dd", {}, value, ...(paper ? [make("small", {}, ` paper ${paper}`)] : []))));
    const told = [["parameters", whole(entry.parameters)]];
    if (entry.minutes !== undefined) told.push(["minutes of training", whole(entry.minutes)]);
    const plain = told.map(([title, value]) => make("div", {}, make("dt", {}, title), make("dd", {}, value)));
    const links = entry.links ?? {};
    const ways = [
      links.card && make("a", { href: base + links.card }, "Card"),
      links.settings && make("a", { href: base + links.settings }, "Settings"),
      links.page && make("a", { href: base + links.page, download: `${entry.key}.html` }, "Page in one file"),
    ].filter(Boolean);
    return make("details", { class: "lab-card", open: alone && matchMedia("(min-width: 48rem)").matches && "" },
      make("summary", {}, "Its card"), make("dl", {}, ...plain, ...rows),
      make("p", { class: "lab-ways" }, ...ways));
  }

  // --- States as files ---------------------------------------------------------------------------

  /** A line below a figure, for all to see, and aloud; what went well is gone after a while. */
  function tell(place, text, isWrong = false) {
    clearTimeout(place.telling);
    place.told.textContent = text;
    place.told.hidden = false;
    if (!isWrong) place.telling = setTimeout(() => { place.told.hidden = true; }, TOLD);
    say(text);
  }

  /** The buttons for states: one saves, one asks for a file. */
  function makeStates(place) {
    place.file = make("input", { type: "file", accept: ".npy", hidden: "" });
    place.file.addEventListener("change", () => {
      const [file] = place.file.files;
      place.file.value = "";  // so that the same one may be chosen again
      if (file) loadState(place, file);
    });
    place.told = make("p", { class: "lab-told", "aria-hidden": "true", hidden: "" });  // the page's status speaks
    place.load = button("Load a state…", () => place.file.click(),
      { title: "A file that was saved here, or NumPy's .npy: float32 [rows, columns, channels]" });
    return make("div", { class: "lab-states" },
      button("Save the state", () => saveState(place).catch(({ message }) => tell(place, message, true)),
        { title: "All channels of all cells, with model, step and class, as NumPy's .npy" }),
      place.load, place.file, place.told);
  }

  async function saveState(place) {
    const { player, entry } = place;
    if (!player) return;
    const snapshot = await player.snapshot();
    const url = URL.createObjectURL(new Blob([ncaState.write(snapshot, player.descriptions[0], entry.name)]));
    make("a", { href: url, download: `${entry.key}-step-${snapshot.step}.npy` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    tell(place, `State saved, of step ${whole(snapshot.step)}`);
  }

  let loading = false;

  /** Loads a state into a figure, or says what is wrong with it; then nothing has changed. */
  async function loadState(place, file) {
    const refuse = (why) => tell(place, `${why}. Nothing has changed.`, true);
    if (loading || !place.player) return refuse("A figure, or a file, is still being loaded");
    loading = true;
    try {
      await putState(place, await ncaState.open(file));
    } catch ({ message }) {
      refuse(message.replace("live figure: ", `${file.name}: `));
    } finally {
      loading = false;
    }
  }

  /** Of a file without a model: that of `place`; all that it does not tell stays as it is there. */
  async function putState(place, saved) {
    const named = saved.model !== null;
    const entry = named ? [...shelf.values()].find(({ name }) => name === saved.model) : place.entry;
    if (!entry) throw new Error(`${saved.name} is of the model ${saved.model.slice(0, 60)}, which this page does not have`);
    const here = bench.find((other) => other.entry === entry);
    const old = here ?? place;
    if (!old.player) throw new Error(`The figure of ${entry.name} is still being loaded`);
    const fits = ({ descriptions: [{ height, width }] }) => height === saved.height && width === saved.width;
    if (here) ncaState.canvasOf(saved, here.player.descriptions[0], entry.name);
    const target = here && fits(here.player) ? here : await another(entry, saved, old);
    const { classIndex, degrees, weight } = target.player.last;
    const kept = { step: 0, classIndex, degrees, weight };
    try {
      await whileAlive(target.player, target.player.restore({ ...kept, ...saved.snapshot }));
      if (!bench.includes(old)) throw new Error(GONE);
    } catch (error) {
      if (target !== old) target.destroy();
      throw error;
    }
    if (target !== old) exchange(old, target);
    tell(target, `${saved.name} is loaded: ${entry.name} at step ${whole(target.player.last.step)}` +
      `${named ? "" : "; the file tells cells only"}`);
    if (old !== place) target.figure.scrollIntoView({ block: "nearest" });
  }

  /** A place out of sight with the model, and the canvas, that a state is of. */
  async function another(entry, saved, { card }) {
    const place = new Place(entry, card.open);
    place.section.hidden = true;
    place.row = makeRow(place);
    place.put(await fetchFigure(entry.key, entry.version));
    const [description] = JSON.parse(place.figure.dataset.nca);
    const canvas = ncaState.canvasOf(saved, description, entry.name);
    parts.bench.append(place.section);
    try {
      await alive(place);
      place.player.rest();
      if (canvas !== null && canvas !== place.player.canvas) await place.player.resize(canvas);
      ncaState.canvasOf(saved, { ...place.player.descriptions[0], sizes: undefined }, entry.name);
    } catch (error) {
      place.destroy();
      throw error;
    }
    return place;
  }

  /** A promise, or an error where a player ends meanwhile: who has ended does not answer. */
  async function whileAlive(player, promise) {
    let timer;
    const ended = new Promise((_, reject) => {
      timer = setInterval(() => { if (player.ended) reject(new Error(GONE)); }, 200);
    });
    try {
      return await Promise.race([promise, ended]);
    } finally {
      clearInterval(timer);
    }
  }

  /** Waits for a figure, or for the sentence that stands in its place. */
  async function alive({ figure, entry }) {
    while (!figure.ncaPlayer) {
      const wrong = figure.querySelector(":scope > [role=alert]");
      if (wrong) throw new Error(`${entry.name} cannot be shown: ${wrong.textContent}`);
      await new Promise((go) => { setTimeout(go, 30); });
    }
  }

  /** Lets a place take another one's on the bench. */
  function exchange(old, place) {
    const held = old.section.contains(document.activeElement);
    old.section.replaceWith(place.section);
    old.row.replaceWith(place.row);
    place.section.hidden = false;
    if (!old.player.view.extra.hidden) place.player.view.more.click();
    bench[bench.indexOf(old)] = place;
    old.destroy();
    update();
    drawTrainings();
    if (held) place.load.focus();
  }

  /** The place on which a file is dropped; the only one, where it falls beside. */
  const placeAt = ({ target }) =>
    bench.find(({ section }) => section.contains(target)) ?? (bench.length === 1 ? bench[0] : undefined);

  /** Files may be dropped; a page that does not take one would be left for it. */
  function takeFiles() {
    const mark = (place) => { for (const { section } of bench) section.classList.toggle("lab-over", section === place?.section); };
    const isFile = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");
    root.addEventListener("dragover", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      mark(placeAt(event));
    });
    root.addEventListener("dragleave", ({ relatedTarget }) => { if (!root.contains(relatedTarget)) mark(); });
    root.addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      mark();
      const [place, { files }] = [placeAt(event), event.dataTransfer];
      if (!place) return bench.forEach((one) => tell(one, "Drop the file on one of the figures"));
      if (files.length !== 1) return tell(place, `${files.length} files were dropped; one is loaded at a time. Nothing has changed.`, true);
      return loadState(place, files[0]);
    });
  }

  // --- The same for all -------------------------------------------------------------------------

  const linked = () => parts.linked.checked && bench.length > 1;
  const others = (place) => bench.filter((other) => other !== place && other.player && !other.player.ended);
  const has = (player, tool) => player.view.brushes.some((brush) => brush.tool === tool);

  /** The event as it is for another automaton, on its own grid; null where it has nothing like it. */
  function translated(event, from, to) {
    const [a, b] = [from.descriptions[0], to.descriptions[0]];
    const [right, down] = [b.width / a.width, b.height / a.height];
    const tenth = (v) => Math.round(10 * v) / 10;
    const there = { ...event };
    if (event.x !== undefined) {
      Object.assign(there, { x: tenth((event.x + 0.5) * right - 0.5), y: tenth((event.y + 0.5) * down - 0.5) });
    }
    if (event.size !== undefined) there.size = Math.max(0.5, tenth(event.size * Math.sqrt(right * down)));
    const sameName = (list) => (b[list] ?? []).findIndex(({ name }) => name === a[list][event.index ?? event.ink].name);
    switch (event.kind) {
      case "erase": case "disturb": return there;
      case "plant": return to.plants ? { ...there, x: Math.round(there.x), y: Math.round(there.y) } : null;
      case "draw": return has(to, "draw") ? there : null;
      case "mutate": case "choose": {
        const index = sameName("classes");
        const kind = b.seeds && to.last.hasPlanted ? "choose" : "mutate";
        return index < 0 ? null : { ...there, kind, index };
      }
      case "paint": {
        const ink = sameName("inks");
        return ink < 0 ? null : { ...there, ink };
      }
      case "turn": return to.view.turn ? there : null;
      case "guide": return to.view.guide ? there : null;
      case "watch": return to.view.watching.length > 0 ? there : null;
      case "throw": return b.film?.throws[1] > event.digit ? there : null;
      case "graft": return b.rules && a.rules.join() === b.rules.join() ? there : null;
      default: return null;
    }
  }

  /** What is done to one figure is done to all, while they are linked. */
  function link(place, player) {
    const own = {};
    for (const name of ["act", "setPlaying", "stepOnce", "stepBack", "reset", "recall"]) {
      own[name] = player[name].bind(player);
    }
    place.own = own;
    player.act = (event) => {
      if (linked()) {
        for (const other of others(place)) {
          const there = translated(event, player, other.player);
          if (there) other.own.act(there).catch(() => {});  // the figure says what is wrong
        }
      }
      return own.act(event);
    };
    player.setPlaying = (playing, aloud) => {
      // Aloud is what the reader asked for; all else is this figure's own affair.
      if (aloud && linked()) for (const other of others(place)) other.own.setPlaying(playing, false);
      own.setPlaying(playing, aloud);
    };
    for (const name of ["stepOnce", "stepBack", "reset", "recall"]) {
      player[name] = () => {
        if (linked()) {
          for (const { own: theirs, player: { last } } of others(place)) {
            const can = { stepBack: last.canGoBack, recall: last.canRecall }[name] ?? true;
            if (can) theirs[name]();
          }
        }
        return own[name]();
      };
    }
    player.view.speed.addEventListener("input", ({ isTrusted, target }) => {
      if (!isTrusted || !linked()) return;
      for (const { player: { view } } of others(place)) {
        view.speed.value = target.value;
        view.speed.dispatchEvent(new Event("input"));
      }
    });
  }

  const living = () => bench.filter(({ player }) => player && !player.ended);

  function playAll(playing) {
    for (const { own } of living()) own.setPlaying(playing, false);
    say(playing ? "All play" : "All pause");
  }

  /** Makes so many steps, however long that takes; stops where an automaton runs away. */
  async function stepTo({ player }, step) {
    while (!player.ended && player.last.step < step && player.last.stopped === null) {
      await player.ask({ kind: "advance", steps: step - player.last.step, budget: BUDGET });
    }
  }

  /** Those that are behind make the steps that they lack. */
  async function lineUp() {
    playAll(false);
    // Steps may be under way; what is asked for now is answered after them.
    await Promise.all(living().map(({ player }) => player.ask({ kind: "look" })));
    const step = Math.max(0, ...living().map(({ player }) => player.last.step));
    await Promise.all(living().map((place) => stepTo(place, step)));
    say(`All at step ${step}`);
  }

  /** The same damage to all, at the place that it has in each grid. */
  function damageAll(shape) {
    for (const { player, own } of living()) {
      const { width, height } = player.descriptions[0];
      const half = shape === "half";
      own.act({
        kind: "erase", shape, x: (half ? width - 1 : (width - 1) / 2), y: (height - 1) / 2,
        size: Math.min(width, height) / 5,
      });
    }
    say(shape === "half" ? "Erased the right half of each" : "Erased a disc in the middle of each");
  }

  // --- Numbers ----------------------------------------------------------------------------------

  async function count(place) {
    const { player } = place;
    const [{ living: channel, living_threshold: threshold, channels }] = player.descriptions;
    if (threshold === null) return;
    const { state } = await player.send({ kind: "getState" });
    let alive = 0;
    for (let i = channel; i < state.length; i += channels) alive += state[i] > threshold;
    place.cells = alive;
  }

  function measure() {
    if (document.hidden) return;
    for (const place of bench) {
      const { player, row } = place;
      if (!player || player.ended) continue;
      const [, step, error, back, cells, rate] = row.cells;
      const { last } = player;
      const recovered = player.chart.recoveries()[0];
      step.textContent = whole(last.step);
      error.textContent = last.errors[0] === null ? "–" : last.errors[0].toPrecision(2);
      back.textContent = recovered === null ? "–" : `${recovered.toFixed(0).replace("-", "−")} %`;
      cells.textContent = place.cells === null ? "–" : whole(place.cells);
      rate.textContent = player.view.rate.textContent;
      if (place.counted === last || place.counting) continue;
      place.counting = true;
      place.counted = last;
      count(place).catch(() => {}).finally(() => { place.counting = false; });
    }
  }

  // --- Bench and shelf --------------------------------------------------------------------------

  const keys = () => bench.map(({ entry }) => entry.key);

  function update() {
    root.dataset.count = bench.length;
    parts.numbers.hidden = bench.length === 0;
    parts.tools.hidden = bench.length < 2;
    for (const card of parts.list.children) {
      const here = keys().includes(card.dataset.key);
      card.classList.toggle("lab-chosen", here);
      const beside = card.querySelector(".lab-beside");
      beside.disabled = here || bench.length >= MOST;
      card.querySelector(".lab-show").setAttribute("aria-pressed", String(here));
    }
    const address = new URL(location.href);
    address.search = bench.length === 0 ? "" : `?models=${keys().map(encodeURIComponent).join(",")}`;
    if (address.href !== location.href) {
      address.hash = "";  // a moment that it told of was another bench's
      try { history.replaceState(null, "", address); } catch { /* some browsers keep the address of a file */ }
    }
  }

  function remove(place) {
    bench.splice(bench.indexOf(place), 1);
    place.destroy();
    place.row.remove();
    update();
    say(`${place.entry.name} taken away`);
    (bench.at(-1)?.heading ?? parts.search).focus();
  }

  /** Puts models on the bench, beside those that are there or in their place. */
  async function choose(chosen, { beside }) {
    const entries = chosen.map((key) => shelf.get(key)).filter(Boolean);
    say(`Loading ${entries.map(({ name }) => name).join(", ")}`);
    root.setAttribute("aria-busy", "true");
    const found = [];
    try {
      for (const entry of entries) found.push([entry, await fetchFigure(entry.key, entry.version)]);
    } catch (error) {
      parts.wrong.textContent = `${error.message}. The others are still here.`;
      parts.wrong.hidden = false;
      say(error.message);
      return;
    } finally {
      root.removeAttribute("aria-busy");
    }
    parts.wrong.hidden = true;
    if (!beside) while (bench.length > 0) { const place = bench.pop(); place.destroy(); place.row.remove(); }
    const places = found.map(([entry, html]) => {
      const place = new Place(entry, found.length + bench.length === 1);
      place.row = makeRow(place);
      place.put(html);
      return place;
    });
    bench.push(...places);
    parts.rows.append(...places.map(({ row }) => row));
    update();
    // All at once: a link to a moment counts the figures of the page.
    parts.bench.append(...places.map(({ section }) => section));
    drawTrainings();
    say(`${entries.map(({ name }) => name).join(", ")} ${entries.length > 1 ? "are" : "is"} on the bench`);
  }

  function makeRow({ entry }) {
    const cells = Array.from({ length: 5 }, () => make("td", {}, "–"));
    return make("tr", {}, make("th", { scope: "row" }, entry.name), ...cells);
  }

  function makeShelfCard(entry) {
    const { key, name, title, parameters } = entry;
    const picture = make("img", { "data-src": `${base}lab/models/${encodeURIComponent(key)}.png`, alt: "", loading: "lazy", width: 72, height: 72 });
    const show = button(picture, () => choose([key], { beside: false }), { class: "lab-show", "aria-label": `Show ${name}: ${title}` });
    show.append(make("span", { class: "lab-key" }, name), make("span", { class: "lab-words" }, title),
      make("span", { class: "lab-size" }, `${whole(parameters)} parameters`));
    const beside = button("+ beside", () => choose([key], { beside: true }), { class: "lab-button lab-beside", "aria-label": `Show ${name} beside the others` });
    return make("li", { class: "lab-model", "data-key": key, "data-family": entry.family }, show, beside);
  }

  /** Shows what the search and the family leave of the shelf. */
  function sift() {
    const words = parts.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const family = parts.families.value;
    let left = 0;
    for (const card of parts.list.children) {
      const { name, title, family: own } = shelf.get(card.dataset.key);
      const text = `${name} ${title} ${own}`.toLowerCase();
      card.hidden = (family !== "" && own !== family) || !words.every((word) => text.includes(word));
      left += !card.hidden;
    }
    parts.left.textContent = `${left} of ${shelf.size} models`;
    parts.list.scrollLeft = 0;
  }

  function build() {
    const entries = [...shelf.values()];
    const families = [...new Set(entries.map(({ family }) => family))];
    parts.search = make("input", { type: "search", id: "lab-search", placeholder: "lizard, texture, conv5 …", autocomplete: "off" });
    parts.families = make("select", { id: "lab-families" }, make("option", { value: "" }, "All families"),
      ...families.map((family) => make("option", { value: family }, family)));
    parts.left = make("span", { class: "lab-left", role: "status" });
    parts.list = make("ul", { class: "lab-shelf", tabindex: 0, "aria-label": "Models" }, ...entries.map(makeShelfCard));
    parts.bench = make("div", { class: "lab-bench" });
    parts.wrong = make("p", { class: "lab-wrong", role: "alert", hidden: "" });
    parts.status = make("p", { class: "lab-hidden", role: "status" });
    parts.linked = make("input", { type: "checkbox", id: "lab-linked", checked: "" });
    const titles = ["model", "step", "error", "recovered", "living cells", "steps/s"];
    parts.rows = make("tbody");
    const table = make("table", {}, make("caption", { class: "lab-hidden" }, "The bench in numbers"),
      make("thead", {}, make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)))), parts.rows);
    parts.tools = make("div", { class: "lab-tools", role: "group", tabindex: 0, "aria-label": "All on the bench" },
      button("Play all", () => playAll(true)), button("Pause all", () => playAll(false)),
      button("Reset all", () => { for (const { own } of living()) own.reset(); }),
      button("Same step", lineUp, { title: "Those that are behind make the steps that they lack" }),
      button("Erase a disc", () => damageAll("circle")), button("Erase the right half", () => damageAll("half")),
      make("label", { class: "lab-check" }, parts.linked, " What I do to one, do to all"));
    parts.numbers = make("div", { class: "lab-numbers", tabindex: 0, role: "region", "aria-label": "The bench in numbers" }, table);
    root.replaceChildren(
      make("div", { class: "lab-sieve" },
        make("div", {}, make("label", { for: "lab-search" }, "Search"), parts.search),
        make("div", {}, make("label", { for: "lab-families" }, "Family"), parts.families), parts.left),
      parts.list, parts.wrong, make("div", { class: "lab-desk" }, parts.bench, parts.tools), parts.numbers, parts.status);
    parts.search.addEventListener("input", sift);
    parts.families.addEventListener("change", sift);
    sift();
  }

  // --- Trainings under way (only where ncabook lab serves the page) ------------------------------

  let trainings = [];

  function drawTrainings() {
    for (const place of bench) {
      const run = trainings.find(({ key }) => key === place.entry.key);
      if (run?.losses) showTraining(place, run);
    }
  }

  function showTraining({ training, entry }, { iteration, iterations, age, losses, wrong }) {
    training.hidden = false;
    const done = iteration >= iterations;
    const when = done ? "it is trained" : `checkpoint of ${age < 90 ? `${Math.round(age)} s` : `${Math.round(age / 60)} min`} ago`;
    const text = wrong ?? `Iteration ${whole(iteration)} of ${whole(iterations)}; ${when}`;
    training.replaceChildren(make("p", {}, text), lossCurve(losses, iteration, entry.name));
  }

  /** The loss over iterations, on a scale of decades. */
  function lossCurve(losses, iteration, name) {
    const SVG = "http://www.w3.org/2000/svg";
    const [width, height] = [320, 90];
    const seen = losses.filter(([, loss]) => loss > 0);
    const svg = document.createElementNS(SVG, "svg");
    const last = seen.at(-1)?.[1];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", last === undefined ? `No loss of ${name} yet`
      : `Loss of ${name}: ${seen[0][1].toPrecision(2)} at first, ${last.toPrecision(2)} now`);
    if (seen.length < 2) return svg;
    const logs = seen.map(([, loss]) => Math.log10(loss));
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    const points = seen.map(([at], i) => {
      const x = at / Math.max(1, iteration) * (width - 8) + 4;
      return `${x.toFixed(1)},${(4 + (high - logs[i]) / (high - low || 1) * (height - 24)).toFixed(1)}`;
    });
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", points.join(" "));
    const label = document.createElementNS(SVG, "text");
    label.setAttribute("x", 4);
    label.setAttribute("y", height - 4);
    label.textContent = `loss ${last.toPrecision(2)}, on a scale of decades`;
    svg.append(line, label);
    return svg;
  }

  /** Looks whether a checkpoint is newer; its weights then take the place of the old ones. */
  async function follow() {
    try {
      const answer = await fetch(`${base}${runs}`);
      trainings = await answer.json();
      root.removeAttribute("data-lost");
      for (const run of trainings) {
        const entry = shelf.get(run.key);
        if (entry) Object.assign(entry, { version: run.version });
        const place = bench.find(({ entry: { key } }) => key === run.key);
        if (place && !loading && run.version !== place.version) await renew(place, run);
      }
      drawTrainings();
    } catch {
      if (!root.hasAttribute("data-lost")) say("The laboratory's server does not answer any more");
      root.setAttribute("data-lost", "");
    }
    setTimeout(follow, POLL);
  }

  async function renew(place, { key, version, iteration }) {
    const html = await fetchFigure(key, version);
    const { player } = place;
    const before = player && {
      playing: player.playing, classIndex: player.last.classIndex, open: !player.view.extra.hidden,
    };
    player?.destroy();
    place.version = version;
    place.put(html, before);
    say(`${place.entry.name}: the weights of iteration ${iteration}`);
  }

  // --- Beginning --------------------------------------------------------------------------------

  async function begin() {
    try {
      await load("lab/state.js");
      await load("lab/shelf.js");
    } catch (error) {
      root.replaceChildren(make("p", { role: "alert" }, `${error.message}; the laboratory is empty without it.`));
      return;
    }
    build();
    takeFiles();
    const asked = new URLSearchParams(location.search).get("models")?.split(",") ?? root.dataset.first?.split(",") ?? [FIRST];
    const known = asked.map(decodeURIComponent).filter((key) => shelf.has(key)).slice(0, MOST);
    const there = [...new Set(known)];
    await choose(there.length > 0 ? there : [...shelf.keys()].slice(0, 1), { beside: false });
    // What was chosen comes first: who serves this page may have to draw the pictures.
    if (document.readyState !== "complete") await new Promise((go) => { addEventListener("load", go, { once: true }); });
    for (const picture of parts.list.querySelectorAll("img")) picture.src = picture.dataset.src;
    setInterval(measure, EVERY);
    if (runs) follow();
  }

  begin();
})();
