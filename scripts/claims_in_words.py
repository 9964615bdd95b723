"""The paper's claims that are sentences, and what cards and benchmarks say of them.

Each is a function; its verdict is computed, so that a new training can change it. Part of
``claims_page.py``.
"""

import functools
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ncabook import zoo
from ncabook.experiments import results, table2
from ncabook.tasks.report import Measured, Report

ROOT = Path(__file__).parents[1]
HOLDS, IN_PART, NOT, UNMEASURED = "holds", "holds in part", "does not hold", "not measured"
BAGS = ("conv3", "conv5", "combined")


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper.

    Attributes:
        said: what it says, shortened, in our words.
        place: its section.
        found: what we found.
        verdict: ``holds``, ``holds in part``, ``does not hold`` or ``not measured``.
        chapter: where more is said; empty where no chapter is.

    """

    said: str
    place: str
    found: str
    verdict: str
    chapter: str = ""


@functools.cache
def reports() -> dict[str, tuple[str, Report]]:
    """Of every model its experiment's name and its numbers."""
    cards = {name: zoo.read_card(folder) for name, folder in zoo.folders().items()}
    return {name: (card.experiment.name, results.report(card)) for name, card in cards.items()}


def seeds(experiment: str, key: str) -> list[Measured]:
    """A number of all trainings of an experiment."""
    return [report[key] for name, report in reports().values() if name == experiment]


def number(name: str, key: str) -> Measured:
    """A card's number."""
    found = reports()[name][1][key]
    if found.value is None:
        raise KeyError(f"{name} has no {key}")
    return found


def value(name: str, key: str) -> float:
    """The same, for comparing."""
    return float(number(name, key).value or 0.0)


def median(name: str, key: str) -> float:
    """Over all seeds of an experiment."""
    return statistics.median(one.value for one in seeds(name, key) if one.value is not None)


def text(name: str, key: str) -> str:
    """The same, for reading: with its unit, without an interval."""
    return str(replace(seeds(name, key)[0], value=median(name, key), interval=None))


def claims() -> Iterator[Claim]:
    """All of them, in the paper's order."""
    yield wider_draws_better()
    yield wider_heals_better()
    yield attention()
    yield pool()
    yield bags()
    yield critic()
    yield large_pictures()
    yield less_computation()
    yield necessary()
    yield faces()
    yield textures()
    yield swapped_digits()
    yield wider_sees_better()
    yield pool_keeps()
    yield films()
    yield digits()
    yield cost()


def wider_draws_better() -> Claim:
    """Table 1's order."""
    names = ("emoji-sobel", "emoji-conv3", "emoji-conv5", "emoji-combined")
    found = [median(name, "lpips.stage2") for name in names]
    ordered = found == sorted(found, reverse=True)
    words = ", ".join(f"{one:.4f}" for one in found)
    return Claim(
        "The more a cell sees, the closer the grown picture",
        "§3.1.2",
        f"LPIPS at step 149 from Sobel over conv 3×3 and conv 5×5 to Combined: {words}",
        HOLDS if ordered else NOT,
        "05_perception_decides",
    )


def wider_heals_better() -> Claim:
    """The gap in recovery."""
    names = ("emoji-sobel", "emoji-conv3", "emoji-conv5", "emoji-combined")
    found = [median(name, "lpips.damage_recovery") for name in names]
    words = ", ".join(f"{one:.1f} %" for one in found)
    return Claim(
        "The more a cell sees, the better it regenerates",
        "§3.1.2",
        f"Recovery after damage, in the same order: {words}. Trained to repair, a narrow view "
        "repairs as well; its picture is coarser",
        HOLDS if found == sorted(found) else NOT,
        "05_perception_decides",
    )


def attention() -> Claim:
    """Attention against conv 3x3."""
    ours, beside = (median(f"emoji-{one}", "lpips.stage1") for one in ("attention", "conv3"))
    return Claim(
        "Attention 3×3 draws better than conv 3×3 with the same window",
        "§3.1.2",
        f"LPIPS at steps 64–96: {ours:.2f} against {beside:.3f}, after a much shorter training "
        "than the authors' configuration has: it learns slowly here, which is not to say that it "
        "cannot",
        HOLDS if ours < beside else NOT,
        "05_perception_decides",
    )


def pool() -> Claim:
    """Table 5."""
    kinds = ("damage", "mutation")
    found = [number("emoji-conv3-no-pool", f"lpips.{kind}_recovery") for kind in kinds]
    failed = all((one.value or 0) < 50 for one in found)
    words = " and ".join(str(one).split(" [")[0] for one in found)
    return Claim(
        "Without a sample pool a perturbed picture does not come back",
        "§3.1.2, A.4",
        f"Recovery without a pool: {words}, after damage and after mutation",
        HOLDS if failed else NOT,
        "05_perception_decides",
    )


def bags() -> Claim:
    """Figure 7."""
    found = [median(f"handbags-{one}-critic", "steps.48.lpips") for one in BAGS]
    better = [one < found[0] for one in found[1:]]
    words = ", ".join(f"{one:.3f}" for one in found)
    return Claim(
        "With a critic, too, wider windows colour bags better",
        "§3.1.3",
        f"LPIPS at step 48 of conv 3×3, conv 5×5 and Combined: {words}",
        HOLDS if all(better) else IN_PART if any(better) else NOT,
        "10_colouring_drawings",
    )


def critic() -> Claim:
    """A critic against none."""
    pairs = [
        [median(f"handbags-{one}-{loss}", "steps.48.kid") for loss in ("l1", "critic")]
        for one in BAGS
    ]
    better = [with_critic < without for without, with_critic in pairs]
    words = "; ".join(f"{a:.1f} to {b:.1f}" for a, b in pairs)
    return Claim(
        "A critic makes pictures more realistic than a loss of pixels alone; said of earlier work",
        "§3.1.3",
        "KID at step 48 (lower is more alike), without a critic and with one, for conv 3×3, conv "
        f"5×5 and Combined: {words}",
        HOLDS if all(better) else IN_PART if any(better) else NOT,
        "10_colouring_drawings",
    )


def large_pictures() -> Claim:
    """Figure 9."""
    name = "emoji-latent-lasting"
    found = value(name, "lpips.stage2")
    pixels, floor = value(name, "enlarged.grown.lpips"), value(name, "floor.free.lpips")
    return Claim(
        "In latents, automata draw pictures of 512 × 512",
        "§3.1.4",
        f"LPIPS {found:.3f}; a picture grown in pixels and enlarged has {pixels:.3f}, the "
        f"autoencoder alone {floor:.3f}",
        HOLDS if found < 1.5 * floor else IN_PART if found < pixels else NOT,
        "11_latent_space",
    )


def less_computation() -> Claim:
    """Seconds of a training step."""
    lines = {line["experiment"]: line for line in table2.lines()}
    way = f"{table2.TRAINING['everything']} (s)"
    latent, pixel = (lines[f"{space}-512"].get(way) for space in ("latent", "pixel"))
    if not latent or not pixel:
        return Claim("Latents take much less computation", "§3.1.4", "–", UNMEASURED)
    return Claim(
        "Latents take much less computation than pixels",
        "§3.1.4",
        f"A training step at 512 × 512 takes {latent:.2g} s in latents and {pixel:,.0f} s in "
        "pixels, on one core; the autoencoder has to be trained as well",
        HOLDS if latent < pixel / 10 else IN_PART,
        "11_latent_space",
    )


def necessary() -> Claim:
    """What does not fit 24 GB."""
    lines = {line["experiment"]: line for line in table2.lines()}
    found = [lines["pixel-512"].get(f"{way} (MiB)") for way in table2.TRAINING.values()]
    fits = [one / 1024 for one in found if isinstance(one, float)]
    if not fits:
        return Claim("Latents are necessary above 256 × 256", "§3.1.5", "–", UNMEASURED)
    return Claim(
        "Latents are no mere optimisation but necessary: pixels at 512 × 512 cannot be trained in "
        "24 GB",
        "§3.1.5",
        f"With products of 16 bits {max(fits):.1f} GiB, and {min(fits):.1f} GiB if few states are "
        "kept",
        HOLDS if min(fits) > 24 else NOT,
        "11_latent_space",
    )


def faces() -> Claim:
    """Figure 10."""
    name = "faces-inpaint"
    ours, heat = (value(name, f"rows.{row}.all.lpips") for row in ("steps.24", "simple.biharmonic"))
    seen, truth = (text(name, f"features.{row}.percent") for row in ("steps.24", "truth"))
    return Claim(
        "In latents, an automaton fills holes in faces by their context",
        "§3.1.4",
        f"LPIPS over holes of all sizes {ours:.3f}, by an equation without learning {heat:.3f}. Of "
        f"hidden eyes and mouths a small network finds {seen} in what was filled in, and {truth} "
        "in the true faces",
        NOT if ours >= heat else IN_PART,
        "13_filling_in",
    )


def textures() -> Claim:
    """Figure 11."""
    names = ("lacelike-conv3", "lacelike-combined")
    style = [value(name, "grown") for name in names]
    back = [value(name, "horizontal.recovery") for name in names]
    better = [style[1] < style[0], back[1] > back[0]]
    return Claim(
        "A wider window draws the texture lacelike better and recovers more of it",
        "§3.2",
        f"Distance in style of conv 3×3 and Combined {style[0]:.3f} and {style[1]:.3f} (lower is "
        f"better), recovery {back[0]:.1f} % and {back[1]:.1f} %",
        HOLDS if all(better) else IN_PART if any(better) else NOT,
        "08_textures_that_heal",
    )


def swapped_digits() -> Claim:
    """Table 3's last column."""
    found = [value(name, "recovery") for name in ("mnist-mse", "mnist-pce")]
    return Claim(
        "Cells that vote change their minds when the digit is swapped, with both losses",
        "§3.3.1",
        f"Recovery of the cells' answers: {found[0]:.1f} % and {found[1]:.1f} %",
        HOLDS if min(found) > 95 else IN_PART,
        "06_cells_that_vote",
    )


def wider_sees_better() -> Claim:
    """The last row of Table 4."""
    wide, plain, own = (
        [value(name, f"{key}.per_image") for key in ("short", "grown")]
        for name in ("cifar-residual-dilated", "cifar-conv3", "cifar-two-scales-wide")
    )
    pooled = value("cifar-conv3-pool", "grown.per_image")
    better = [wide[0] > plain[0], wide[1] > pooled]
    verdict = HOLDS if all(better) else NOT
    if verdict == NOT and own[0] > plain[0] and own[1] > plain[1]:
        verdict = IN_PART
    return Claim(
        "Residual connections and a wide window see photographs far better, and last longer",
        "§3.3.2",
        f"That design: {wide[0]:.0f} % right, and {wide[1]:.0f} % at step 300, after far fewer "
        f"photographs than the others here; conv 3 × 3: {plain[0]:.0f} %, and with a pool "
        f"{pooled:.0f} % at step 300. Another wide one, `cifar-two-scales-wide`, without residual "
        f"connections, with a pool and more parameters: {own[0]:.0f} % and {own[1]:.0f} %",
        verdict,
        "07_votes_on_photographs",
    )


def pool_keeps() -> Claim:
    """Table 4's second row."""
    found = [value(name, "grown.per_image") for name in ("cifar-conv3", "cifar-conv3-pool")]
    return Claim(
        "The pool is what keeps answers about photographs",
        "§3.3.2",
        f"Right at step 300: {found[0]:.0f} % without a pool, {found[1]:.0f} % with one",
        HOLDS if found[1] > found[0] + 10 else NOT,
        "07_votes_on_photographs",
    )


def films() -> Claim:
    """Figure 16, beside the simplest ways to guess; measured as soon as there is a model."""
    name, said = "moving-cells", "Automata learn how a film goes on"
    chapter = "14_what_happens_next"
    if name not in zoo.folders():
        return Claim(said, "§3.4", "No film has been learned here so far", UNMEASURED, chapter)
    near, again = "next.mse", "next_baselines.copy-last.mse"
    alone, straight = "free.mse", "free_baselines.straight-on.mse"
    seen, seen_straight = "free.lpips", "free_baselines.straight-on.lpips"
    better = [
        median(name, ours) < median(name, simple)
        for ours, simple in ((near, again), (alone, straight), (seen, seen_straight))
    ]
    return Claim(
        said,
        "§3.4",
        f"Squared error of a frame, summed over its pixels. The next one: {text(name, near)}; the "
        f"last frame again: {text(name, again)}. The mean of ten that the cells are not shown: "
        f"{text(name, alone)}; of a guess that knows places and speeds and lets digits fly "
        f"straight on: {text(name, straight)}. LPIPS of the last two: {text(name, seen)} and "
        f"{text(name, seen_straight)}",
        HOLDS if all(better) else IN_PART if any(better) else NOT,
        chapter,
    )


def digits() -> Claim:
    """The order of diversity in Figure 18."""
    key = "diversity.grown.features.mean"
    found = [value(name, key) for name in results.PAPER_DIGITS]
    real = value("digits-mse", "diversity.real.features.mean")
    mse, _, with_critic, guided = found
    holds = [mse < with_critic, with_critic < guided]
    words = ", ".join(f"{one:.2f}" for one in found)
    return Claim(
        "Digits grown by MSE are nearly alike; a critic adds variety, and guidance much more",
        "A.5",
        f"Distance of two digits of one class by MSE, L1, critic, critic with guidance: {words}; "
        f"of real digits {real:.2f}",
        HOLDS if all(holds) else IN_PART if any(holds) else NOT,
        "09_growing_digits",
    )


def cost() -> Claim:
    """Table 6's lesson."""
    record = json.loads((ROOT / "benchmarks/training_step.json").read_text(encoding="utf-8"))
    conv, unet = (record["table6"][name] for name in ("NCA (3×3 conv)", "U-Net"))
    times = conv["ncabook"]["training_seconds"]["median"]
    times /= unet["ncabook"]["training_seconds"]["median"]
    fewer = unet["parameters"] / conv["parameters"]
    return Claim(
        "Few parameters do not make an automaton cheap to train",
        "A.6",
        f"An automaton has {fewer:.0f} times fewer parameters than the U-Net, and its training "
        f"step takes {times:.1f} times as long",
        HOLDS if times > 1 else NOT,
        "15_costs_in_full",
    )
