// Muon (Jordan et al. 2024), as torch.optim.Muon: a matrix moves by its mean gradient, all of whose
// singular values are made about 1.

const [A, B, C] = [3.4445, -4.775, 2.0315];  // of the Newton–Schulz iteration, as there
const ROUNDS = 5;
const TINY = 1e-7;
export const MOMENTUM = 0.95;

/** to[n][m] += scale · a[n][k] · b[k][m]. */
function multiplyInto(to, a, b, n, k, m, scale) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < k; j++) {
      const value = scale * a[i * k + j];
      for (let q = 0; q < m; q++) to[i * m + q] += value * b[j * m + q];
    }
  }
}

function transposed(from, rows, columns) {
  return Float64Array.from({ length: from.length }, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)]);
}

/** A matrix [rows][columns] with its singular values near 1. */
export function orthogonal(numbers, rows, columns) {
  if (rows > columns) return transposed(orthogonal(transposed(numbers, rows, columns), columns, rows), columns, rows);
  let size = 0;
  for (const value of numbers) size += value * value;
  let x = Float64Array.from(numbers, (value) => value / Math.max(Math.sqrt(size), TINY));
  for (let round = 0; round < ROUNDS; round++) {
    const gram = new Float64Array(rows * rows);
    multiplyInto(gram, x, transposed(x, rows, columns), rows, columns, rows, 1);
    const update = gram.map((value) => B * value);
    multiplyInto(update, gram, gram, rows, rows, rows, C);
    const next = x.map((value) => A * value);
    multiplyInto(next, update, x, rows, rows, columns, 1);
    x = next;
  }
  return x;
}
