// A turned field of perception, as ncabook.automaton.rotation has it: each ring of a kernel's taps is
// shifted round, clockwise.

/**
 * Numbers of a kernel with `side` × `side` taps, turned: [outer][tap][inner], `inner` numbers for
 * each tap.
 */
export function turned(numbers, side, inner, degrees) {
  const result = Float32Array.from(numbers);
  const kernel = side * side * inner;
  for (let radius = 1; radius <= side >> 1; radius++) {
    const ring = ringOf(side, radius);
    const shift = degrees / 360 * ring.length;
    const whole = Math.floor(shift);
    const share = shift - whole;
    const from = (i) => ring[((i - whole) % ring.length + ring.length) % ring.length] * inner;
    ring.forEach((tap, i) => {
      const [near, next] = [from(i), from(i - 1)];
      for (let start = 0; start < numbers.length; start += kernel) {
        for (let k = 0; k < inner; k++) {
          result[start + tap * inner + k] =
            (1 - share) * numbers[start + near + k] + share * numbers[start + next + k];
        }
      }
    });
  }
  return result;
}

/** The taps at a distance of `radius`, clockwise from the upper left. */
function ringOf(side, radius) {
  const [first, last] = [(side >> 1) - radius, (side >> 1) + radius];
  const along = Array.from({ length: 2 * radius }, (_, i) => i);
  return [
    ...along.map((i) => [first, first + i]), ...along.map((i) => [first + i, last]),
    ...along.map((i) => [last, last - i]), ...along.map((i) => [last - i, first]),
  ].map(([y, x]) => y * side + x);
}
