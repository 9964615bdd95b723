// Pointer and keyboard on the canvas: use the brush, plant seeds, read cells, show where.

import { cellIn, cellNear, onGrid, shareOf } from "./zoom.js";

const DOUBLE_TAP = { milliseconds: 350, pixels: 24 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAP = 5;  // cells that an arrow key moves with Shift

/**
 * Connects a view's canvases, all of one grid. `act` has use(x, y) for the brush, draws() whether
 * it may be drawn along a line, throws() whether a drag throws something, throw(from, to), plants()
 * whether a double tap plants, plant(x, y),
 * read(x, y, pane), touch(place, shown) and say(text); all in cells. `windows`: what part of the torus
 * each canvas shows. `hold`: whether fingers have the brush.
 * Returns a function that disconnects them.
 */
export function connectBrush({ canvases, cursors, size, windows, grid }, act, hold) {
  const { width, height } = grid;
  const radius = () => Number(size.value);
  const keyboard = { x: width >> 1, y: height >> 1 };
  const off = new AbortController();
  const listen = (target, type, action) =>
    target.addEventListener(type, action, { signal: off.signal, passive: false });

  // Cell coordinates of a pointer; a cell's centre is a whole number.
  const cellAt = (event) => {
    const box = event.target.getBoundingClientRect();
    return cellIn(windowOf(event), (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  const windowOf = ({ target }) => windows[canvases.indexOf(target)];
  const nearest = (event) => cellNear(windowOf(event), cellAt(event), grid);
  // A captured pointer may leave its canvas: there the torus goes on only where a part of it is shown.
  const use = (place) => {
    const zoomed = windows.some((window) => window.width < width);
    const { x, y } = zoomed ? onGrid(place, grid) : place;
    act.touch({ x, y }, false);
    act.use(x, y);
  };

  // The cursor is shown at the same place of all grids: there the brush will work.
  const showCursor = (place, crosshair) => {
    cursors.forEach((cursor, pane) => {
      const window = windows[pane];
      const zoomed = window.width < width;
      const { right, down } = zoomed ? shareOf(window, place, grid)
        : { right: (place.x + 0.5) / width, down: (place.y + 0.5) / height };
      cursor.hidden = zoomed && (right > 1 || down > 1);
      cursor.classList.toggle("nca-crosshair", crosshair);
      cursor.style.left = `${right * 100}%`;
      cursor.style.top = `${down * 100}%`;
      cursor.style.width = `${(2 * radius() + 1) / window.width * 100}%`;
    });
  };
  const hideCursor = () => cursors.forEach((cursor) => { cursor.hidden = true; });

  // A fast drag reports points far apart: use the brush along the line between them.
  const drawLine = (from, to) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const pieces = Math.max(1, Math.ceil(length / radius()));
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces;
      use({ x: from.x + t * (to.x - from.x), y: from.y + t * (to.y - from.y) });
    }
  };

  const isDoubleTap = (event, before) => before !== null &&
    event.timeStamp - before.timeStamp < DOUBLE_TAP.milliseconds &&
    Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < DOUBLE_TAP.pixels;

  // What a finger does without the brush is the browser's: it scrolls, or zooms.
  const scrolls = ({ pointerType }) => pointerType === "touch" && !hold.taken;

  let last = null;  // where a drag was last seen
  let tap = null;  // the last press, for double taps
  for (const canvas of canvases) {
    listen(canvas, "pointerdown", (event) => {
      if (event.pointerType === "touch") hold.touch();
      if (event.button !== 0 || scrolls(event)) return;
      canvas.setPointerCapture(event.pointerId);
      const here = cellAt(event);
      if (act.plants() && isDoubleTap(event, tap)) {
        const { x, y } = nearest(event);
        act.plant(x, y);
        tap = null;
        return;
      }
      tap = event;
      last = here;
      if (!act.throws()) use(here);
      showCursor(here, false);
    });
    listen(canvas, "pointermove", (event) => {
      if (scrolls(event)) return;
      const here = cellAt(event);
      showCursor(here, false);
      const { x, y } = nearest(event);
      act.read(x, y, canvases.indexOf(canvas));
      if (last === null || !act.draws()) return;
      drawLine(last, here);
      last = here;
    });
    const release = () => {
      last = null;
    };
    listen(canvas, "pointerup", (event) => {
      if (scrolls(event)) hold.ask();  // a tap: what scrolls is cancelled, and ends otherwise
      if (last !== null && act.throws()) act.throw(last, cellAt(event));
      release();
    });
    listen(canvas, "pointercancel", release);
    // A pen draws at once: the page must not scroll from where it hovers, or, in Safari, touches.
    listen(canvas, "pointerenter", ({ pointerType }) => canvas.toggleAttribute("data-pen", pointerType === "pen"));
    listen(canvas, "touchstart", (event) => {
      if ([...event.touches].some(({ touchType }) => touchType === "stylus")) event.preventDefault();
    });
    listen(canvas, "pointerleave", () => { if (last === null) hideCursor(); });

    listen(canvas, "focus", () => {
      if (canvas.matches(":focus-visible")) showCursor(keyboard, true);
    });
    listen(canvas, "blur", hideCursor);
    listen(canvas, "nca-window", () => {
      if (cursors[0].classList.contains("nca-crosshair") && canvas.matches(":focus-visible")) showCursor(keyboard, true);
    });
    listen(canvas, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const where = `column ${keyboard.x + 1}, row ${keyboard.y + 1}`;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key in MOVES) {
        const leap = event.shiftKey ? LEAP : 1;
        keyboard.x = (keyboard.x + leap * MOVES[key][0] + width) % width;
        keyboard.y = (keyboard.y + leap * MOVES[key][1] + height) % height;
      } else if (key === "e" || key === " ") {
        use(keyboard);
        act.say(`Brush used at ${where}`);
      } else if (key === "s") {
        act.plant(keyboard.x, keyboard.y);
      } else if (key === "i") {
        act.read(keyboard.x, keyboard.y, canvases.indexOf(canvas), true);
      } else {
        return;
      }
      event.preventDefault();  // the page must not scroll
      act.touch({ ...keyboard }, true);
      showCursor(keyboard, true);
    });
  }
  return () => off.abort();
}
