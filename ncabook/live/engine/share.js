// What a reader takes away: a picture, a film, a link to the very moment.

const SCALE = 8;  // pixels of a saved picture for each cell
const GAP = 8;
const FILM_TYPES = ["video/webm", "video/mp4"];
const KEY = "nca";

/** All grids, `grid` cells each, side by side on one canvas, enlarged. */
export function poster(canvases, grid, target = document.createElement("canvas")) {
  const [width, height] = [grid.width * SCALE, grid.height * SCALE];
  const wide = canvases.length * (width + GAP) - GAP;
  if (target.width !== wide) Object.assign(target, { width: wide, height });
  const context = target.getContext("2d");
  context.imageSmoothingEnabled = false;
  canvases.forEach((canvas, i) => context.drawImage(canvas, i * (width + GAP), 0, width, height));
  return target;
}

/** Hands a blob to the reader as a file. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Records what is drawn until stop(), which promises the film. Null if the browser cannot. */
export function startFilm(canvases, grid) {
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

const through = async (bytes, stream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

/** This page's address with a moment of one of its figures: {figure, step, classIndex, events}. */
export async function momentLink(moment) {
  const json = new TextEncoder().encode(JSON.stringify(moment));
  const packed = await through(json, new CompressionStream("deflate-raw"));
  const text = btoa(String.fromCharCode(...packed))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.href.split("#")[0]}#${KEY}=${text}`;
}

/** Whether this page's address tells of a moment of one of its figures. */
export const tellsOfMoment = () => new URLSearchParams(location.hash.slice(1)).has(KEY);

/** The moment in this page's address; null if there is none, or none that can be read. */
export async function momentHere() {
  const text = new URLSearchParams(location.hash.slice(1)).get(KEY);
  if (!text) return null;
  try {
    const packed = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")),
      (character) => character.charCodeAt(0));
    const json = await through(packed, new DecompressionStream("deflate-raw"));
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return null;
  }
}
