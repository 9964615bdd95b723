// What a brush touches: the cells of a torus that lie in a shape.

/** A function of a cell's row and column: whether it is inside of `shape`, placed on a grid. */
export function insideOf({ shape, x, y, size }, { height, width }) {
  const apart = (a, b, n) => {
    const away = Math.abs(a - b) % n;  // a brush may be outside of the grid
    return Math.min(away, n - away);
  };
  const [right, down] = [x - (width - 1) / 2, y - (height - 1) / 2];
  const side = (from) => (from < 0 ? -1 : 1);  // the very centre lies in the right half
  const inside = {
    circle: (dx, dy) => dx * dx + dy * dy <= size * size,
    square: (dx, dy) => Math.max(dx, dy) <= size,
    // The half of the grid that the point lies in: left, right, upper or lower.
    half: (dx, dy, row, column) => (Math.abs(right) >= Math.abs(down)
      ? (column - (width - 1) / 2) * side(right) >= 0
      : (row - (height - 1) / 2) * side(down) >= 0),
  }[shape];
  return (row, column) => inside(apart(column, x, width), apart(row, y, height), row, column);
}
