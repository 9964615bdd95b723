// What a reader takes away: a picture, a film, a link to the very moment.

import { MOST_STEPS } from "./events.js";
import { allFigures, momentLink } from "./moment.js";

const SCALE = 8;  // pixels of a saved picture for each cell
const GAP = 8;
const TOLD = 6000;  // milliseconds for which a sentence stays beside the buttons
const FILM_TYPES = ["video/webm", "video/mp4"];

/** All grids, `grid` cells each, side by side on one canvas, enlarged. */
function poster(canvases, grid, target = document.createElement("canvas")) {
  const [width, height] = [grid.width * SCALE, grid.height * SCALE];
  const wide = canvases.length * (width + GAP) - GAP;
  if (target.width !== wide) Object.assign(target, { width: wide, height });
  const context = target.getContext("2d");
  context.imageSmoothingEnabled = false;
  canvases.forEach((canvas, i) => context.drawImage(canvas, i * (width + GAP), 0, width, height));
  return target;
}

/** Hands a blob to the reader as a file. */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Records what is drawn until stop(), which promises the film. Null if the browser cannot. */
function startFilm(canvases, grid) {
  const type = globalThis.MediaRecorder && FILM_TYPES.find((t) => MediaRecorder.isTypeSupported(t));
  if (!type) return null;
  const target = poster(canvases, grid);
  const recorder = new MediaRecorder(target.captureStream(30), { mimeType: type });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  return {
    draw: () => poster(canvases, grid, target),
    stop: () => new Promise((resolve) => {
      recorder.onstop = () => resolve({ blob: new Blob(parts, { type }), extension: type.split("/")[1] });
      recorder.stop();
    }),
  };
}

/** Connects a player's buttons for pictures, films and links. */
export class Takeaway {
  constructor(player) {
    const { view, descriptions: [grid] } = player;
    Object.assign(this, { player, view, grid, film: null });
    view.save.addEventListener("click", () => this.savePicture());
    view.film.addEventListener("click", () => this.toggleFilm());
    view.share.addEventListener("click", () => this.copyLink());
  }

  /** Says to everybody what became of a button. */
  say(text) {
    const { told } = this.view;
    this.player.say(text);
    told.textContent = text;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { told.textContent = ""; }, TOLD);
  }

  savePicture() {
    const { step } = this.player.last;
    poster(this.view.canvases, this.grid).toBlob((blob) => download(blob, `nca-step-${step}.png`));
    this.say("Picture saved");
  }

  async toggleFilm() {
    const { view } = this;
    if (this.film === null) {
      this.film = startFilm(view.canvases, this.grid);
      this.say(this.film ? "Recording; press again to stop" : "This browser cannot record films");
      view.film.setAttribute("aria-pressed", String(this.film !== null));
      return;
    }
    const { film } = this;
    this.film = null;
    const { blob, extension } = await film.stop();
    view.film.setAttribute("aria-pressed", "false");
    download(blob, `nca.${extension}`);
    this.say("Film saved");
  }

  async copyLink() {
    const { view, player } = this;
    const figure = allFigures().indexOf(view.root.closest("figure.nca-figure"));
    if (figure < 0) return this.say("Only a page has links to its moments");
    const { recorded } = await player.ask({ kind: "recorded" });
    const canvas = view.canvasSize && Number(view.canvasSize.value);
    const link = recorded && recorded.step <= MOST_STEPS && await momentLink({ figure, canvas, ...recorded });
    if (!link) return this.say("Too much has happened for a link; after a reset there will be one");
    try {
      await navigator.clipboard.writeText(link);
      return this.say("Link copied");
    } catch {
      history.replaceState(null, "", link);  // no clipboard: the address bar has it
      return this.say("The link is in the address bar");
    }
  }

  /** One more picture for the film. */
  draw() {
    this.film?.draw();
  }

  end() {
    clearTimeout(this.telling);
    this.film?.stop();
  }
}
