"""Writes the numbers in README.md from the cards and benchmark files that hold them.

``python scripts/readme_numbers.py``; a test fails while README.md says anything else.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ncabook.evaluation.paper import FIGURE_11, TABLE_3, TABLE_4

PRINTED_VOTES = {"mnist-mse": "MSE NCA", "mnist-pce": "PCE NCA"}
PRINTED_PHOTOGRAPHS = {
    "cifar-conv3": "Conv 3x3",
    "cifar-conv3-pool": "Conv 3x3 + SP",
    "cifar-residual-dilated": "Residual + Dilated 5x5",
    "cifar-two-scales": "",
    "cifar-two-scales-wide": "",
}
PRINTED_TEXTURES = {
    f"{name}-{key}": FIGURE_11[label] if name == "lacelike" else None
    for name in ("lacelike", "chequered", "bubbly", "interlaced", "cracked")
    for key, label in (("conv3", "Conv 3x3"), ("combined", "Combined"))
}
ROOT = Path(__file__).parents[1]
START, END = "<!-- numbers: written by scripts/readme_numbers.py -->", "<!-- end of numbers -->"


def numbers(root: Path = ROOT) -> str:
    """The section's text."""
    card = json.loads((root / "ncabook/zoo/emoji-conv3/card.json").read_text())
    notes = " ".join(card["notes"])
    bench = json.loads((root / "benchmarks/live_engine.json").read_text())
    metrics, training = card["metrics"], card["training"]
    mse, lpips, starts = metrics["mse"], metrics["lpips"], metrics["starts"]

    def recovery(values: dict, kind: str) -> str:
        low, high = values[f"{kind}_recovery_interval"]
        return f"{values[f'{kind}_recovery']:.2f} % [{low:.2f}, {high:.2f}]"

    data = card["experiment"]["data"]
    grid = data["size"] + 2 * data["padding"]
    lines = [
        f"`emoji-conv3`: {card['parameters']:,} parameters, five emojis of {data['size']} px on a "
        f"grid of {grid} × {grid}; {training['iterations']:,} iterations in "
        f"{training['seconds'] / 60:.0f} minutes on {training['starts'][0]['hardware']}. {notes} "
        f"Protocol {metrics['protocol']['version']}, five classes × "
        f"{metrics['protocol']['seeds']} seeds; recovery with 95 % bootstrap intervals "
        "([card](ncabook/zoo/emoji-conv3/card.json)). "
        f"Of {starts['each'] * len(starts['seed']):,} starts {sum(starts['seed'])} died in their "
        f"first {starts['steps']} steps, of the ring's {sum(starts['ring'])} (chapter 5); means "
        "are over all rollouts where nothing else is said.",
        "",
        "| | MSE | LPIPS | paper (LPIPS, at its own size) |",
        "|---|---|---|---|",
        f"| step 96 | {mse['grown']:.5f} | {lpips['grown']:.4f} | 0.065 (steps 64–96) |",
        f"| step 149, the living | {mse['living']['stage2']:.5f} "
        f"| {lpips['living']['stage2']:.4f} | not given |",
        f"| step 1,000, undisturbed | {mse['long']:.5f} | {lpips['long']:.4f} | not given |",
        f"| recovery, half or circles erased | {recovery(mse, 'damage')} "
        f"| {recovery(lpips, 'damage')} | 58.74 % |",
        f"| recovery, class changed | {recovery(mse, 'mutation')} "
        f"| {recovery(lpips, 'mutation')} | 95.75 % |",
        "",
        *classifiers(root),
        "",
        *photographs(root),
        *textures(root),
        f"The live engine, {bench['browser']}, one thread of {bench['hardware']} "
        "([benchmark](benchmarks/live_engine.json)):",
        "",
        "| model | grid | every cell, steps/s | share of peak | idle cells skipped, steps/s |",
        "|---|---|---|---|---|",
    ]
    for name, row in bench["results"].items():
        grid, model = ([*name.split(), "emoji-conv3"])[:2]
        cells = [
            f"{scale * row[key]['median']:.0f}{unit} [{scale * row[key]['range'][0]:.0f}, "
            f"{scale * row[key]['range'][1]:.0f}]"
            for key, scale, unit in (
                ("dense", 1, ""),
                ("share_of_peak", 100, " %"),
                ("sparse", 1, ""),
            )
        ]
        lines.append(f"| `{model}` | {grid.replace('x', ' × ')} | {' | '.join(cells)} |")
    times = [
        f"{row['wasm_ms']['median']:.0f} ms with {row['parameters']:,} parameters"
        for row in bench["decode"].values()
    ]
    lines += ["", f"A VQ-VAE's decoder, 32 × 32 latents to 256 × 256 pixels: {', '.join(times)}."]
    return "\n".join(lines)


def cards(root: Path, names: Iterable[str]) -> Iterator[tuple[str, dict]]:
    """The names of which there is a trained model, and its card."""
    for name in names:
        path = root / "ncabook/zoo" / name / "card.json"
        if path.exists():
            yield name, json.loads(path.read_text(encoding="utf-8"))


def classifiers(root: Path) -> list[str]:
    """Table 3: automata whose cells vote on a digit, beside what the paper prints."""
    lines = [
        "Self-classifying MNIST, votes of cells that are right, in percent (the paper's in "
        "brackets); all test images, to step 2,000 the first 1,000:",
        "",
        "| model | parameters | steps 20–30 | step 149 | swapped, step 449 | recovery | "
        "step 2,000 | images right, step 149 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, card in cards(root, PRINTED_VOTES):
        metrics, paper = card["metrics"], TABLE_3[PRINTED_VOTES[name]]
        cells = [
            f"{metrics[moment]['per_cell']:.2f} ({theirs})"
            for moment, theirs in (
                ("short", paper.short),
                ("grown", paper.grown),
                ("final", paper.final),
            )
        ]
        lines.append(
            f"| [`{name}`](ncabook/zoo/{name}/card.json) | {card['parameters']:,} | "
            f"{' | '.join(cells)} | {metrics['recovery']:.2f} ({paper.recovery}) | "
            f"{metrics['long']['per_cell']:.2f} | {metrics['grown']['per_image']:.2f} |"
        )
    return lines


def photographs(root: Path) -> list[str]:
    """Table 4: automata whose cells vote on a photograph, beside what the paper prints."""
    lines = []
    for name, card in cards(root, PRINTED_PHOTOGRAPHS):
        metrics, paper = card["metrics"], TABLE_4.get(PRINTED_PHOTOGRAPHS[name])
        protocol = metrics["protocol"]
        cells = [
            f"{metrics[moment]['per_image']:.1f}" + (f" ({theirs})" if theirs else "")
            for moment, theirs in (
                ("short", paper and paper.short),
                ("grown", paper and paper.late),
                ("long", None),
            )
        ]
        lines.append(
            f"| [`{name}`](ncabook/zoo/{name}/card.json) | {card['parameters']:,} | "
            f"{card['training']['iterations'] * card['experiment']['training']['batch']:,} | "
            f"{' | '.join(cells)} | {bias(metrics, 'short')} | {bias(metrics, 'grown')} |"
        )
    if not lines:
        return []
    note = f" ({metrics['data']['note']})" if metrics["data"]["note"] else ""
    return [
        "Self-classifying CIFAR-10, images right, in percent (the paper's in brackets); all test "
        f"images to step 64, the first {protocol['late_images']:,} to step 300, "
        f"{protocol['long_images']:,} to step 2,000{note}. *Bias*: of the first "
        f"{protocol['late_images']:,} images, what their copies show less what the images "
        "themselves show, with the same coins, in points with 95 % bootstrap intervals; negative: "
        "the copies' percentages are too low; –: not compared:",
        "",
        "| model | parameters | images in batches | steps 32–64 | step 300 | step 2,000 | "
        "bias, steps 32–64 | bias, step 300 |",
        "|---|---|---|---|---|---|---|---|",
        *lines,
        "",
    ]


def bias(metrics: dict, moment: str) -> str:
    """What lossy copies change, in points; a dash where that was not compared."""
    if "lossless" not in metrics:
        return "–"
    values = metrics["lossless"][moment]["per_image"]
    low, high = (_signed(end) for end in values["interval"])
    return f"{_signed(values['bias'])} [{low}, {high}]"


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")


def textures(root: Path) -> list[str]:
    """Figure 11: automata that cover a canvas, with the two recoveries that the paper prints."""
    lines = []
    for name, card in cards(root, PRINTED_TEXTURES):
        metrics, printed = card["metrics"], PRINTED_TEXTURES[name]
        theirs = f" ({printed})" if printed else ""
        alive = metrics["alive"]["10000"]["style"]
        lines.append(
            f"| [`{name}`](ncabook/zoo/{name}/card.json) | {card['parameters']:,} | "
            f"{metrics['grown']:.3f} | {metrics['horizontal']['recovery']:.2f}{theirs} | "
            f"{metrics['vertical']['recovery']:.2f}{theirs} | "
            f"{'exploded' if alive is None or not alive < 100 else f'{alive:.3f}'} | "
            f"{metrics['shuffled']:.2f} |"
        )
    if not lines:
        return []
    protocol = metrics["protocol"]
    return [
        "Textures, distance from the photograph's style (0: the same; the last column: its pixels "
        f"in random order), and recovery in percent (the paper's in brackets); "
        f"{protocol['canvases']} canvases, {protocol['long_canvases']} to step 10,000:",
        "",
        "| model | parameters | step 149 | recovery, right half | recovery, lower half | "
        "step 10,000 | shuffled |",
        "|---|---|---|---|---|---|---|",
        *lines,
        "",
    ]


def updated(readme: str, root: Path = ROOT) -> str:
    """README's text with the present numbers."""
    section = f"{START}\n{numbers(root)}\n{END}"
    pattern = rf"{re.escape(START)}.*{re.escape(END)}"
    return re.sub(pattern, lambda _: section, readme, flags=re.DOTALL)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
