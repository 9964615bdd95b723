// Line drawings for the buttons, 24×24, in the colour of the text. Elements, not text: a page's
// policy may forbid to make elements of text.

// The name of a namespace. It looks like an address, and pages are searched for those.
const SVG = ["http:", "", "www.w3.org", "2000", "svg"].join("/");
const LINE = {
  fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round",
};
const line = (d) => ({ ...LINE, d });
const solid = (d) => ({ fill: "currentColor", d });

const PATHS = {
  play: [solid("M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8A.8.8 0 0 0 8 5.2z")],
  pause: [solid("M7 5h3.5v14H7zM13.5 5H17v14h-3.5z")],
  step: [solid("M6 5.6v12.8a.7.7 0 0 0 1.1.6l8.9-6.4a.7.7 0 0 0 0-1.2L7.1 5a.7.7 0 0 0-1.1.6zM17 5h2v14h-2z")],
  back: [solid("M18 5.6v12.8a.7.7 0 0 1-1.1.6L8 12.6a.7.7 0 0 1 0-1.2L16.9 5a.7.7 0 0 1 1.1.6zM5 5h2v14H5z")],
  reset: [line("M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.4 4.5")],
  circle: [line("M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z")],
  square: [line("M5.5 5.5h13v13h-13z")],
  half: [solid("M5 5h7v14H5z"), line("M5 5h14v14H5z")],
  cells: [solid("M5 5h4v4H5zM13 5h4v4h-4zM9 10h4v4H9zM16 11h4v4h-4zM4 15h4v4H4zM12 16h4v4h-4z")],
  graft: [line("M4 4h10v10H4zM14 10h6v10H10v-6")],
  noise: [line("M3 12h2l2-6 3 13 3-15 3 12 2-4h3")],
  seed: [line("M12 5v14M5 12h14")],
  draw: [line("M4 20l1-4.5L15.5 5 19 8.5 8.5 19 4 20zM13.5 7l3.5 3.5")],
  wipe: [line("M8.5 19L4 14.5 13.5 5l6 6-8 8h-3zM8.5 10l6 6M8.5 19H20")],
  throw: [line("M4 20c2-8 6-12 14-13M13 3.5l5.5 3.5-4 5")],
  paint: [line("M12 4c3.5 4 5 6.6 5 9a5 5 0 0 1-10 0c0-2.4 1.5-5 5-9zM9.5 13.5a2.5 2.5 0 0 0 2.5 2.5")],
  picture: [line("M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.5h.01")],
  undo: [line("M9 5L4.5 9.5 9 14M5 9.5h8.5a5 5 0 0 1 0 10H9")],
  more: [line("M6 9.5l6 6 6-6")],
  take: [line("M9 11V5.5a1.5 1.5 0 0 1 3 0V10l5 1.2a2 2 0 0 1 1.5 2.3L17.5 19h-7L6 13.5a1.4 1.4 0 0 1 2-2L9 12.5")],
  done: [line("M5 12.5l4.5 4.5L19 7.5")],
  film: [line("M4 6h11v12H4zM15 10.5l5-3v9l-5-3")],
  link: [line("M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1")],
};

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The drawing of a button or a tool, by its name. */
export const icon = (name) => svg("svg",
  { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": true, focusable: false },
  ...PATHS[name].map((attributes) => svg("path", attributes)));
