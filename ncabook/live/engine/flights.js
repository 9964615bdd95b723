// Digits that fly straight on and bounce, off the edges of a film and off walls: the rules of
// ncabook.data.moving, a frame at a time. A flight is {digit, row, column, down, right, age}: its upper
// left corner in pixels, pixels a frame, and the frames in which it was seen, less one.

const PART = 2;  // pixels in which a digit flies at once where walls are, so that it passes none
const ROUNDING = 1e-6;

/** A flight that begins with the next frame. */
export const takeOff = ([digit, row, column, down, right]) => ({ digit, row, column, down, right, age: -1 });

/** Whether what of a digit is bright lies on a wall. */
function strikes(walls, { row, column, bitmap }) {
  const { side, pixels } = bitmap;
  const [top, left] = [Math.floor(row), Math.floor(column)];
  return pixels.some((value, i) => value > 127 &&
    walls.numbers[(top + Math.floor(i / side)) * walls.width + left + i % side] > 0.5);
}

/**
 * A flight one frame later.
 *
 * @param {object} flight as above
 * @param {object} bitmap {side, pixels} of its digit
 * @param {object} size {height, width} of a frame
 * @param {object} walls {numbers, width}, or null
 */
export function fly(flight, bitmap, { height, width }, walls) {
  const next = { ...flight, age: flight.age + 1 };
  if (next.age === 0) return next;
  const ways = { row: ["down", height - bitmap.side], column: ["right", width - bitmap.side] };
  const parts = walls === null ? 1 : Math.max(1, Math.ceil(Math.hypot(next.down, next.right) / PART - ROUNDING));
  for (let part = 0; part < parts; part++) {
    for (const [axis, [speed, free]] of Object.entries(ways)) {
      const before = next[axis];
      const after = before + next[speed] / parts;
      const edge = (after <= 0 || after >= free) && next[speed] !== 0;
      next[axis] = Math.min(free, Math.max(0, after));
      // Who stands in a wall that was drawn just there gets out of it.
      const wall = walls !== null && next[speed] !== 0 && strikes(walls, { ...next, bitmap }) &&
        !strikes(walls, { ...next, [axis]: before, bitmap });
      if (wall) next[axis] = before;
      if (edge || wall) next[speed] *= -1;
    }
  }
  return next;
}

/** Draws a digit into a frame of bytes, the brighter one in front. */
export function drawDigit(frame, { row, column }, { side, pixels }, width) {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  pixels.forEach((value, i) => {
    const at = (top + Math.floor(i / side)) * width + left + i % side;
    frame[at] = Math.max(frame[at], value);
  });
}
