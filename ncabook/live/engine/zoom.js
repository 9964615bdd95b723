// Nearer to a picture that has no pixels of its own: a slider, and the window of the torus that it
// shows, as brush and cursor know it.

import { makeSlider } from "./elements.js";
import { wrap } from "./plain.js";

const STEPS = 2;  // of the slider: 1×, 2×, 4×
const timesOf = (value) => 2 ** value;

/** The slider; null where the picture has the resolution that it has. */
export const makeZoom = (id, { decoder }) => (decoder?.kind !== "local" ? null
  : makeSlider(`${id}-zoom`, "Zoom", { min: 0, max: STEPS, start: 0 },
    (value) => [`${timesOf(value)}×`, `${timesOf(value)} times`]));

/** All cells of a grid, as a window. */
export const wholeWindow = ({ height, width }) => ({ top: 0, left: 0, height, width });

/** The place in cells that lies at shares (right, down) of a window; a cell's middle is a whole number. */
export const cellIn = (window, right, down) => ({
  x: window.left + right * window.width - 0.5,
  y: window.top + down * window.height - 0.5,
});

/** The cell in a window that is nearest to a place, on the torus. */
export const cellNear = (window, { x, y }, { height, width }) => {
  const within = (at, first, cells) =>
    Math.min(Math.ceil(first + cells) - 1, Math.max(Math.floor(first), Math.round(at)));
  return {
    x: wrap(within(x, window.left, window.width), width),
    y: wrap(within(y, window.top, window.height), height),
  };
};

/** A place on the torus, with coordinates of the grid: from −½ on. */
export const onGrid = ({ x, y }, { height, width }) =>
  ({ x: wrap(x + 0.5, width) - 0.5, y: wrap(y + 0.5, height) - 0.5 });

/** Where in a window a place lies, as shares; beyond 1 where it is out of sight. */
export const shareOf = (window, { x, y }, { height, width }) => ({
  right: wrap(x + 0.5 - window.left, width) / window.width,
  down: wrap(y + 0.5 - window.top, height) / window.height,
});

/** How many pixels the whole picture would have, of which a window is shown. */
export function resolution({ rows, columns, height, width }, grid) {
  const [wide, high] = [columns * grid.width / width, rows * grid.height / height]
    .map((pixels) => Math.round(pixels).toLocaleString("en"));
  return height < grid.height ? `a window of ${wide} × ${high}` : `${wide} × ${high} pixels`;
}

/** The window of a player, round the place that was touched last. */
export class Zoom {
  constructor(player) {
    const { slider, grid } = { slider: player.view.zoom, grid: player.view.grid };
    this.player = player;
    this.slider = slider;
    this.place = { x: grid.width >> 1, y: grid.height >> 1 };
    this.under = false;  // whether a window is being asked for
    this.again = false;
    slider?.addEventListener("input", () => this.aim(true));
  }

  /** What the brush touched; `shown`: the window follows at once. */
  touch(place, shown) {
    this.place = place;
    if (shown && this.slider && this.slider.value !== "0") this.aim(false);
  }

  /** Asks for the window; while one is on its way, only the last wish counts. */
  async aim(aloud) {
    this.again = this.under;
    if (this.under) return;
    this.under = true;
    try {
      do {
        this.again = false;
        await this.player.ask({ kind: "zoom", times: timesOf(Number(this.slider.value)), ...this.place });
      } while (this.again && !this.player.ended);
    } finally {
      this.under = false;
    }
    if (aloud) this.player.say(`Zoom: ${this.player.view.resolutions[0].textContent}`);
  }
}
