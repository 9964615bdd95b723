// Bars of an automaton's votes, and the same in words.

/** `votes`: the classes of a description. */
export function showVotes({ row, bars }, { counts, winner }, votes) {
  const total = Math.max(1, counts.reduce((a, b) => a + b));
  const percents = counts.map((count) => Math.round(100 * count / total));
  bars.forEach((bar, k) => {
    bar.style.setProperty("--nca-share", `${100 * counts[k] / total}%`);
    bar.dataset.winner = String(k === winner);
  });
  const cast = percents.map((percent, k) => ({ percent, name: votes[k].name }))
    .filter(({ percent }) => percent > 0).sort((a, b) => b.percent - a.percent);
  const words = cast.map(({ percent, name }) => `${name} ${percent} %`).join(", ") || "none";
  row.setAttribute("aria-label", `Votes: ${words}`);
  if (bars.length === 0) row.textContent = words.split(", ").slice(0, 3).join(", ");
}
