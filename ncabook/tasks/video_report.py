"""Measuring who watches films, automata and others, and the numbers of it for people."""

from dataclasses import replace
from typing import Any

from ncabook.evaluation.digits import by_network
from ncabook.evaluation.physics import PhysicsProtocol, evaluate_physics
from ncabook.evaluation.video import VideoProtocol, evaluate_video
from ncabook.tasks.base import Look
from ncabook.tasks.film_data import FilmData
from ncabook.tasks.report import Measured, Report, at
from ncabook.training.watching import Watcher

JUDGE = "digits-judge"
LEAST = 4  # frames after those shown, without which nothing can be erased and looked for
COLUMNS = {
    "mse": ("squared error", 1),
    "mae": ("absolute error", 1),
    "ssim": ("SSIM", 4),
    "ssim_openstl": ("SSIM as OpenSTL", 4),
    "lpips": ("LPIPS", 4),
}


def measured(
    watcher: Watcher,
    data: FilmData,
    shown: int,
    look: Look,
    judges: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What goes into a card.

    Args:
        watcher: who watches, on the CPU.
        data: films that it learned from; it is measured on others.
        shown: frames of a film that are true ones.
        look: how much.
        judges: trained models by name.

    Raises:
        TypeError: no judge is given.

    """
    if judges is None:
        raise TypeError(f"judges: none given; expected {JUDGE}, loaded")
    films = data.test_films(look.seeds)
    found = evaluate_video(watcher, films, VideoProtocol(shown=shown), look.lpips)
    found["note"] = films.note
    rules = data.test_rules
    if look.further and rules.frames >= shown + LEAST:
        how = physics_protocol(shown, rules.frames, look.seeds)
        judge = judges[JUDGE]
        answers = by_network(judge.network.eval())
        physics = evaluate_physics(watcher, data.build("test"), rules, answers, data.walls, how)
        found["protocol"]["physics"] = physics.pop("protocol")
        found |= physics | {"judged_by": {JUDGE: judge.card.weights_sha256}}
    return found


def physics_protocol(shown: int, frames: int, most: int | None = None) -> PhysicsProtocol:
    """The whole protocol for films of so many frames, or one of fewer films.

    Args:
        shown: frames of a film that are true ones.
        frames: of a film.
        most: films of each kind; None for all.

    """
    erased = shown + 2
    whole = PhysicsProtocol(shown=shown, erased=erased, healed=frames - 1 - erased)
    if most is None:
        return whole
    return replace(whole, films=min(most, whole.films), judged=min(most, whole.judged))


def film_report(metrics: dict[str, Any]) -> Report:
    """Errors of frames beside baselines; then unlike films, erased digits, and what remains."""
    rules = metrics["protocol"]
    shown = rules["shown"]
    rows = {"next": "the next frame", "free": "alone"}
    rows |= {f"next_baselines.{n}": f"the next frame, {n}" for n in metrics["next_baselines"]}
    rows |= {f"free_baselines.{n}": f"alone, {n}" for n in metrics["free_baselines"]}
    found = []
    for place, row in rows.items():
        for key, (words, digits) in COLUMNS.items():
            value = at(metrics, f"{place}.{key}")
            if value is not None:
                low, high = at(metrics, f"{place}.{key}_interval")
                found.append(Measured(f"{place}.{key}", row, words, value, digits, "", (low, high)))
    counted = metrics["counting"]
    for name in ("told", "unchanged", "last again"):
        for key, words in (
            ("window", f"a pixel of {counted['frames']} frames"),
            ("new", "a pixel of the new ones"),
        ):
            value = counted[name][key]
            found.append(Measured(f"counting.{name}.{key}", f"window, {name}", words, value, 4))
    for name, values in metrics.get("unlike", {}).items():
        digits = f"{values['digits']} digit{'s' if values['digits'] > 1 else ''}"
        row = f"{values['side']}×{values['side']}, {digits}, {values['speed']:g} pixels a frame"
        if values["directions"] != "any":
            row += f", {values['directions']}"
        for key in ("next", "free", "black", "copy-last"):
            found.append(Measured(f"unlike.{name}.{key}", row, key, values[key], 1))
    for name, values in metrics.get("erased", {}).items():
        row, (low, high) = f"a digit erased, {name}", values["interval"]
        percent = values["percent"]
        found += [
            Measured(f"erased.{name}.percent", row, "recovery", percent, 1, "%", (low, high)),
            Measured(f"erased.{name}.left", row, "left anyway", values["left"], 1, "%"),
        ]
    return Report(
        f"protocol {rules['version']}, {metrics['films']:,} films, {shown} frames shown",
        found,
        _notes(metrics),
    )


def _notes(metrics: dict[str, Any]) -> list[str]:
    notes = []
    meeting = metrics.get("meeting")
    if meeting is not None and None not in meeting.values():
        notes.append(
            f"the next frame where digits overlap: {meeting['overlapping']:.1f}, where they do "
            f"not: {meeting['apart']:.1f}"
        )
    if (long := metrics.get("long")) is not None:
        words = f"at frame {long['frames'][-1]} there is {long['ink'][-1]:.0f} % of the ink"
        if "named_told" in long:
            words += (
                f", and {long['named_told'][-1]:.0f} % of the digits are named right "
                f"({long['named_true'][-1]:.0f} % of true films')"
            )
        notes.append(words)
    if metrics["note"]:
        notes.append(f"note: {metrics['note']}")
    return notes
