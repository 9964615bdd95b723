// Pointer and keyboard on the canvas: use the brush, plant seeds, read cells, show where.

const DOUBLE_TAP = { milliseconds: 350, pixels: 24 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAP = 5;  // cells that an arrow key moves with Shift

/**
 * Connects a view's canvases, all of one grid. `act` has use(x, y) for the brush, draws() whether
 * it may be drawn along a line, plants() whether a double tap plants, plant(x, y),
 * read(x, y, pane) and say(text); all in cells. `hold`: whether fingers have the brush.
 * Returns a function that disconnects them.
 */
export function connectBrush({ canvases, cursors, size, grid: { width, height } }, act, hold) {
  const radius = () => Number(size.value);
  const keyboard = { x: width >> 1, y: height >> 1 };
  const off = new AbortController();
  const listen = (target, type, action) =>
    target.addEventListener(type, action, { signal: off.signal, passive: false });

  // Cell coordinates of a pointer; a cell's centre is a whole number.
  const cellAt = (event) => {
    const box = event.target.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width * width - 0.5,
      y: (event.clientY - box.top) / box.height * height - 0.5,
    };
  };
  const nearest = ({ x, y }) => ({
    x: Math.min(width - 1, Math.max(0, Math.round(x))),
    y: Math.min(height - 1, Math.max(0, Math.round(y))),
  });

  // The cursor is shown at the same place of all grids: there the brush will work.
  const showCursor = ({ x, y }, crosshair) => {
    for (const cursor of cursors) {
      cursor.hidden = false;
      cursor.classList.toggle("nca-crosshair", crosshair);
      cursor.style.left = `${(x + 0.5) / width * 100}%`;
      cursor.style.top = `${(y + 0.5) / height * 100}%`;
      cursor.style.width = `${(2 * radius() + 1) / width * 100}%`;
    }
  };
  const hideCursor = () => cursors.forEach((cursor) => { cursor.hidden = true; });

  // A fast drag reports points far apart: use the brush along the line between them.
  const drawLine = (from, to) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const pieces = Math.max(1, Math.ceil(length / radius()));
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces;
      act.use(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y));
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
        const { x, y } = nearest(here);
        act.plant(x, y);
        tap = null;
        return;
      }
      tap = event;
      last = here;
      act.use(here.x, here.y);
      showCursor(here, false);
    });
    listen(canvas, "pointermove", (event) => {
      if (scrolls(event)) return;
      const here = cellAt(event);
      showCursor(here, false);
      const { x, y } = nearest(here);
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
    listen(canvas, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const where = `column ${keyboard.x + 1}, row ${keyboard.y + 1}`;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key in MOVES) {
        const leap = event.shiftKey ? LEAP : 1;
        keyboard.x = (keyboard.x + leap * MOVES[key][0] + width) % width;
        keyboard.y = (keyboard.y + leap * MOVES[key][1] + height) % height;
      } else if (key === "e" || key === " ") {
        act.use(keyboard.x, keyboard.y);
        act.say(`Brush used at ${where}`);
      } else if (key === "s") {
        act.plant(keyboard.x, keyboard.y);
      } else if (key === "i") {
        act.read(keyboard.x, keyboard.y, canvases.indexOf(canvas), true);
      } else {
        return;
      }
      event.preventDefault();  // the page must not scroll
      showCursor(keyboard, true);
    });
  }
  return () => off.abort();
}
