// Sorts the tables of the page Results: a click on a column's head, and once more the other way.
"use strict";

const read = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value;
};

/** Numbers by size, words by letters, and what is missing at the end. */
function compare(a, b, down) {
  if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
  const [x, y] = [Number(a), Number(b)];
  const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  return down ? -order : order;
}

for (const table of document.querySelectorAll(".results table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(read(a, column), read(b, column), down));
    table.tBodies[0].append(...rows);
  }));
}
