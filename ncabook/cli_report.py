"""What ``ncabook evaluate`` prints: a card's metrics as lines of text."""

from typing import Any

from ncabook.evaluation.starts import percent_died


def _votes(metrics: dict[str, Any]) -> str:
    """The figures of an automaton that classifies."""
    protocol = metrics["protocol"]
    first, last = protocol["short"]
    rows = {
        f"steps {first}–{last}": "short",
        f"step {protocol['grown']}": "grown",
        "another image": "swapped",
        f"another image, step {protocol['final']}": "final",
        f"step {protocol['long']}": "long",
    }
    late = protocol["late_images"]
    further = f", {late:,} of them past step {last}" if late < protocol["images"] else ""
    lines = [
        f"protocol {protocol['version']}, {protocol['images']:,} images{further}",
        f"{'':28}{'cells right, %':>18}{'images right, %':>18}{'entropy, bits':>18}",
    ]
    for label, key in rows.items():
        values = [metrics[key][name] for name in ("per_cell", "per_image", "entropy_bits")]
        lines.append(f"{label:28}" + "".join(f"{value:>18.3f}" for value in values))
    low, high = metrics["recovery_interval"]
    lines.append(
        f"recovery of cells' accuracy  {metrics['recovery']:.2f} % [{low:.2f}, {high:.2f}]"
    )
    agreed, at = metrics["consensus_percent"], metrics["consensus_step"]
    when = "" if at is None else f", at step {at:.0f} (median)"
    lines.append(f"nine tenths agree in {agreed:.1f} % of images{when}")
    lines += _copies(metrics)
    if metrics["data"]["note"]:
        lines.append(f"note: {metrics['data']['note']}")
    return "\n".join(lines)


def _copies(metrics: dict[str, Any]) -> list[str]:
    """What lossy copies of the images change; nothing where there are none."""
    lines = []
    for moment, label in (("short", "early window"), ("grown", "late")):
        if values := metrics.get("lossless", {}).get(moment, {}).get("per_image"):
            low, high = values["interval"]
            lines.append(
                f"{label}: {values['copy']:.1f} % of copies right, {values['exact']:.1f} % of the "
                f"images themselves, bias {values['bias']:+.1f} [{low:+.1f}, {high:+.1f}]"
            )
    return lines


def _texture(metrics: dict[str, Any]) -> str:
    """The figures of an automaton that covers a canvas."""
    protocol = metrics["protocol"]
    first, last = protocol["short"]
    lines = [
        f"protocol {protocol['version']}, {protocol['canvases']} canvases",
        f"{'distance from the style':28}",
    ]
    moments = {
        f"steps {first}–{last}": metrics["short"],
        f"step {protocol['grown']}": metrics["grown"],
        "target, pixels shuffled": metrics["shuffled"],
        **{f"canvas {size}": value for size, value in metrics["elsewhere"].items()},
    }
    lines += [f"{moment:28}{value:>12.4f}" for moment, value in moments.items()]
    for name in ("horizontal", "vertical"):
        values = metrics[name]
        low, high = values["recovery_interval"]
        moment = f"{name} half erased"
        lines.append(
            f"{moment:28}{values['damaged']:>12.4f} → {values['final']:.4f}, "
            f"recovery {values['recovery']:.2f} % [{low:.2f}, {high:.2f}]"
        )
    for step, values in metrics["alive"].items():
        moment = f"step {int(step):,}"
        lines.append(
            f"{moment:28}{values['style']:>12.4f}, channels "
            f"{values['channels']:.3f}, change per step {values['change']:.4f}"
        )
    return "\n".join(lines)


def _starts(metrics: dict[str, Any], measured: dict[str, dict[str, Any]]) -> list[str]:
    """What died, and step 149 without it; nothing of networks in which nothing can."""
    counted = metrics.get("starts")
    if not counted or "rollouts" not in metrics:
        return []
    seed, ring = (percent_died(counted, kind) for kind in ("seed", "ring"))
    total = counted["each"] * len(counted["seed"])
    all_, died = metrics["rollouts"]["all"], metrics["rollouts"]["died"]
    lines = [
        f"of {total:,} starts {seed:.1f} % died within {counted['steps']} steps; of the ring's "
        f"{ring:.1f} %. Of the {all_} rollouts above {died} did"
    ]
    step = f"step {metrics['protocol']['perturb']}"
    for label, values in (
        (f"{step}, median", [m["median"] for m in measured.values()]),
        (f"{step}, the living", [m["living"] for m in measured.values()]),
        (f"{step}, the ring", list(metrics["ring"].values())),
    ):
        if all(values):
            lines.append(f"{label:28}" + "".join(f"{v['stage2']:>24.5f}" for v in values))
    return lines


def report(metrics: dict[str, Any]) -> str:
    """The figures that there are; networks of one pass lack those that need steps."""
    if "consensus_step" in metrics:
        return _votes(metrics)
    if "elsewhere" in metrics:
        return _texture(metrics)
    protocol = metrics["protocol"]
    measured = {name: metrics[name] for name in ("mse", "lpips") if name in metrics}
    lines = [
        f"protocol {protocol['version']}, {protocol['seeds']} seeds per class",
        f"{'':28}" + "".join(f"{name.upper():>24}" for name in measured),
    ]
    first, last = protocol["stage1"]
    rows = {
        f"steps {first}–{last}": "stage1",
        f"step {protocol['grown']}": "grown",
        f"step {protocol['perturb']}": "stage2",
        f"step {protocol['long']}": "long",
        "after damage": "damaged",
        f"damage, step {protocol['final']}": "damage_final",
        "after mutation": "mutated",
        f"mutation, step {protocol['final']}": "mutation_final",
    }
    for label, key in rows.items():
        if key in metrics["mse"]:
            lines.append(f"{label:28}" + "".join(f"{m[key]:>24.5f}" for m in measured.values()))
    for kind in ("half", "circles", "damage", "mutation"):
        cells = []
        for m in measured.values():
            low, high = m[f"{kind}_recovery_interval"]
            cells.append(f"{m[f'{kind}_recovery']:.2f} % [{low:.2f}, {high:.2f}]")
        lines.append(f"{f'recovery after {kind}':28}" + "".join(f"{c:>24}" for c in cells))
    lines += _starts(metrics, measured)
    further = metrics.get("further", {})
    rows = {
        f"step {protocol['far']}": "far",
        f"after {protocol['damages']} damages": "repeated",
        "a grid 4/3 as wide": "larger",
        "firing half as often": "slower",
        "firing always": "faster",
        "noise, in the end": "noise_final",
        "random cells, in the end": "erased_final",
        "from an empty image": "nothing",
    }
    shown = [f"{label:28}{further[key]:>24.5f}" for label, key in rows.items() if key in further]
    if shown:
        lines += ["further, by MSE", *shown]
    return "\n".join(lines)
