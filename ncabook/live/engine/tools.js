// The brushes: what they are called, which of them draw lines, and what they do to cells.

const SHARE_OF_CELLS = 0.3;
const NOISE = 0.3;
const DRAWN = new Set(["graft", "circle", "square", "cells", "noise", "draw", "wipe", "paint"]);
// `does`: what a drag, or a press, does; `word`: what a brush is called that stays in sight.
const TOOLS = [
  { tool: "circle", name: "Erase a disc", does: "Drag to erase", word: "Erase" },
  { tool: "square", name: "Erase a square", does: "Drag to erase squares" },
  { tool: "half", name: "Erase half of the grid", does: "Press to erase half" },
  { tool: "cells", name: "Erase cells at random", does: "Drag to erase cells at random" },
  { tool: "noise", name: "Add noise", does: "Drag to add noise" },
  { tool: "seed", name: "Plant a seed", does: "Press to plant a seed" },
];
const INPUT_TOOLS = [
  { tool: "draw", name: "Draw on the input", does: "Drag to draw", word: "Draw" },
  { tool: "wipe", name: "Wipe the input", does: "Drag to wipe", word: "Wipe" },
];
const THROW = { tool: "throw", name: "Throw a digit", does: "Drag and let go to throw a digit", word: "Throw" };
const WALLS = [
  { tool: "draw", name: "Draw a wall", does: "Drag to draw a wall", word: "Wall" },
  { tool: "wipe", name: "Take walls away", does: "Drag to take walls away" },
];
const PAINT = {
  tool: "paint", name: "Paint with the chosen ink", does: "Drag to paint", word: "Paint",
};
const GRAFT = { tool: "graft", name: "Graft the chosen rule", does: "Drag to graft", word: "Graft" };

/**
 * Those of a figure; only what `grows` from a seed has a brush that plants some. Where a decoder
 * makes the picture, what lies in fixed channels are latents, too, and nothing to draw on; nor is what
 * tells which cells are known.
 */
export const toolsOf = ({ rules, inks, fixed, decoder, erased, film }, grows) => [
  ...(rules ? [GRAFT] : []), ...(inks ? [PAINT] : []),
  ...(fixed > 0 && !decoder && !erased && !film ? INPUT_TOOLS : []),
  ...(film?.throws[1] ? [THROW] : []), ...(film?.walls ? WALLS.slice(0, 1) : []), ...TOOLS,
  ...(film?.walls ? WALLS.slice(1) : []),
].filter(({ tool }) => tool !== "seed" || grows);

/** How many of them stay in sight: a figure's own and one to erase; none where all of them do damage. */
export function nearOf(tools) {
  const own = tools.findIndex(({ tool }) => tool === "circle");
  if (own === 0) return 0;
  return tools[0].tool === "throw" ? own + 1 : Math.max(2, own);
}

/** Whether a drag with it uses it all along the way. */
export const drawsLines = (tool) => DRAWN.has(tool);

/** What a brush does at a place {x, y, size}; the seed's is for others to do. `salt`: of its coins. */
export function toolEvent(tool, place, { salt, ink, rule }) {
  const where = { ...place, shape: "circle" };
  return {
    circle: { kind: "erase", ...where },
    square: { kind: "erase", ...where, shape: "square" },
    half: { kind: "erase", ...where, shape: "half" },
    cells: { kind: "erase", ...where, share: SHARE_OF_CELLS, salt },
    draw: { kind: "draw", ...where, value: 1 },
    paint: { kind: "paint", ...where, ink },
    wipe: { kind: "draw", ...where, value: 0 },
    graft: { kind: "graft", ...where, rule },
    noise: { kind: "disturb", ...where, sigma: NOISE, salt },
  }[tool];
}
