"""The workloads of the paper's Tables 2 and 6, and their measurement on any machine.

Each model comes in two variants. "reference" is float32, stored channel by channel (NCHW); for an
automaton, the textbook step of :mod:`ncabook.evaluation.reference`. "ncabook" stores a cell's
channels together and computes in bfloat16 where the hardware multiplies it; for an automaton,
``NCA.rollout``. The paper describes its benchmark in A.6; it has published no code for it, nor for
the two baselines.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, LocalAttention, MLPUpdate, memory
from ncabook.automaton.fire import random_fire
from ncabook.automaton.precision import autocast
from ncabook.evaluation.counts import flops_per_cell
from ncabook.evaluation.reference import reference_rollout, reference_step
from ncabook.evaluation.speed import (
    Timing,
    copy_bandwidth,
    gemm_peak,
    interleaved,
    peak_memory,
)
from ncabook.networks import Pix2Pix, UNet

VARIANTS = ("reference", "ncabook")
PIXEL = "NCA (pixel space)"  # Table 2's; its 64 channels are a guess from the memory printed
LEARNING_RATE = 5e-4
SHARE_OF_MEMORY = 0.6  # a workload that would keep more than this share is left out

# pixel_memory: what NCA.rollout may keep in Table 2's training step, in bytes.
FULL = {"size": 64, "batch": 16, "steps": 32, "inference": 16, "repeats": 3}
FULL |= {"pixel": 256, "pixel_memory": 10**9}
SMOKE = {"size": 32, "batch": 2, "steps": 4, "inference": 4, "repeats": 2}
SMOKE |= {"pixel": 32, "pixel_memory": 6 * 10**6}


def build(model: str, channels: int = 16) -> nn.Module:
    """A model of Table 6, by the table's name for it, or Table 2's automaton; random weights."""
    torch.manual_seed(0)
    if model == "U-Net":
        return UNet()
    if model == "GAN":
        return Pix2Pix()
    if model == PIXEL:
        channels = 64
    perceptions = {
        "NCA (3×3 conv)": ConvPerception,
        "NCA (attention)": LocalAttention,
        PIXEL: ConvPerception,
    }
    if model not in perceptions:
        raise ValueError(f"no model {model!r}; there are U-Net, GAN, {', '.join(perceptions)}")
    layout = ChannelLayout(visible=4, hidden=channels - 4)
    return NCA(layout, perceptions[model](channels, 80), MLPUpdate(80, channels, [80]))


def precision(variant: str, device: str) -> AbstractContextManager[Any]:
    """Autocast to bfloat16 for "ncabook" where it helps."""
    return autocast(device, "bfloat16" if variant == "ncabook" else "float32")


def _forward(
    module: nn.Module,
    variant: str,
    image: Tensor,
    steps: int,
    generator: torch.Generator,
    memory: int | None = None,
) -> Tensor:
    """The image that a model makes of ``image`` ``[B, 4, H, W]``."""
    if not isinstance(module, NCA):
        return module(image)
    state = F.pad(image, (0, 0, 0, 0, 0, module.layout.hidden))
    if variant == "reference":
        fires = [random_fire(state, module.fire_rate, generator) for _ in range(steps)]
        return reference_rollout(module, state, fires)[:, :4]
    state = state.contiguous(memory_format=torch.channels_last)
    return module.rollout(state, steps, None, generator=generator, memory=memory)[:, :4]


def _prepare(
    model: str, variant: str, batch: int, size: int, device: str
) -> tuple[nn.Module, Tensor, Tensor, torch.Generator]:
    if variant not in VARIANTS:
        raise ValueError(f"no variant {variant!r}; there are {', '.join(VARIANTS)}")
    module = build(model).to(device)
    source, target = torch.rand(2, batch, 4, size, size, device=device)
    if variant == "ncabook" and not isinstance(module, NCA):
        module = module.to(memory_format=torch.channels_last)
        source = source.contiguous(memory_format=torch.channels_last)
    return module, source, target, torch.Generator(device).manual_seed(0)


def training_step(
    model: str,
    variant: str,
    batch: int,
    size: int,
    steps: int,
    device: str = "cpu",
    memory: int | None = None,
) -> Callable[[], None]:
    """One optimisation step of a synthetic image-to-image task: forward, backward, Adam.

    ``memory`` bounds what the rollout of the variant "ncabook" keeps, in bytes.
    """
    module, source, target, generator = _prepare(model, variant, batch, size, device)
    if isinstance(module, Pix2Pix):
        parts = (module.generator, module.discriminator)
        optimizers = [torch.optim.Adam(part.parameters(), LEARNING_RATE) for part in parts]

        def adversarial() -> None:
            with precision(variant, device):
                fake = module(source)
                loss = module.discriminator_loss(source, target, fake)
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
            module.discriminator.requires_grad_(False)
            with precision(variant, device):
                loss = module.generator_loss(source, target, fake)
            optimizers[0].zero_grad()
            loss.backward()
            optimizers[0].step()
            module.discriminator.requires_grad_(True)

        return adversarial
    optimizer = torch.optim.Adam(module.parameters(), LEARNING_RATE)

    def step() -> None:
        with precision(variant, device):
            out = _forward(module, variant, source, steps, generator, memory)
        loss = F.mse_loss(out.float(), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(
    model: str, variant: str, batch: int, size: int, steps: int, device: str = "cpu"
) -> Callable[[], None]:
    """One forward pass, or one rollout, without gradients."""
    module, source, _, generator = _prepare(model, variant, batch, size, device)
    module.eval()

    def forward() -> None:
        with torch.no_grad(), precision(variant, device):
            _forward(module, variant, source, steps, generator)

    return forward


def train_once(**arguments: Any) -> None:
    """Builds and takes one training step: a target for ``peak_memory``."""
    training_step(**arguments)()


def infer_once(**arguments: Any) -> None:
    """Builds and runs once: a target for ``peak_memory``."""
    inference(**arguments)()


def kept_bytes(
    model: str, variant: str, batch: int, size: int, steps: int, device: str = "cpu"
) -> int:
    """What autograd keeps in one training step of an automaton that keeps everything.

    Counted for one step of the whole batch, all of its cells alive.
    """
    nca = build(model).to(device)
    if not isinstance(nca, NCA):
        raise TypeError(f"{model} is no automaton; it has no steps that keep anything")
    state = torch.zeros(batch, nca.layout.channels, size, size, device=device)
    with precision(variant, device):
        if variant == "reference":
            return steps * memory.kept_bytes(
                lambda s, fire: reference_step(nca, s, None, fire), state, nca.parameters()
            )
        state = state.contiguous(memory_format=torch.channels_last)
        step = nca.step_function(state, None, steps)
        return steps * memory.kept_bytes(step, state, nca.parameters())


def free_memory(device: str) -> int | None:
    """Bytes that a workload may take; None where the system does not say."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def summary(timing: Timing) -> dict[str, Any]:
    """A timing as JSON, in seconds."""
    low, high = timing.quartiles
    return {
        "median": round(timing.median, 6),
        "quartiles": [round(low, 6), round(high, 6)],
        "all": [round(s, 6) for s in timing.seconds],
    }


def ceilings(device: str = "cpu") -> dict[str, float]:
    """Measured limits of the machine, FLOP/s and bytes/s."""
    return {
        "float32": gemm_peak(torch.float32, device),
        "bfloat16": gemm_peak(torch.bfloat16, device),
        "memory": copy_bandwidth(device),
        "cache": copy_bandwidth(device, 2**18),
    }


def measure(
    models: tuple[str, ...], sizes: dict[str, int], device: str = "cpu", table2: bool = False
) -> dict[str, Any]:
    """Seconds and bytes of every model and variant, one row for each model.

    Timings of all variants are interleaved, training and inference apart. With ``table2`` the
    workload is that of Table 2: batch 1, half as many steps as the grid is wide.
    """
    if table2:
        shape = {"size": sizes["pixel"], "steps": sizes["pixel"] // 2, "device": device}
        batch, batches = 1, [1]
    else:
        shape = {"size": sizes["size"], "steps": sizes["steps"], "device": device}
        batch, batches = sizes["batch"], [1, sizes["inference"]]
    rows: dict[str, Any] = {}
    training: dict[str, Callable[[], None]] = {}
    running: dict[str, Callable[[], None]] = {}
    entries: dict[str, dict[str, Any]] = {}
    tiny = {"batch": 2, "size": 32, "steps": 1}  # the critic needs 24 pixels
    for model in models:
        module = build(model)
        is_nca = isinstance(module, NCA)
        trained = module.generator if isinstance(module, Pix2Pix) else module
        rows[model] = {"parameters": sum(p.numel() for p in trained.parameters())}
        if is_nca:
            rows[model]["flops_per_cell"] = flops_per_cell(module)
        for variant in VARIANTS:
            which = {"model": model, "variant": variant}
            entry = rows[model][variant] = {}
            entries[f"{model} · {variant}"] = entry
            one = {**which, **shape, "batch": batch}
            free = free_memory(device)
            kept = kept_bytes(**one) if is_nca else 0
            if is_nca:
                entry["kept_bytes"] = kept
            if free is not None and kept > SHARE_OF_MEMORY * free:
                entry["left_out"] = (
                    f"training would keep {kept / 2**30:.1f} GiB; {free / 2**30:.1f} GiB are free"
                )
            else:
                if table2 and variant == "ncabook":
                    one["memory"] = entry["memory"] = sizes["pixel_memory"]
                entry["training_bytes"] = _peak("train_once", one, tiny, device)
                training[f"{model} · {variant}"] = training_step(**one)
            for count in batches:
                running[f"{model} · {variant} · {count}"] = inference(**which, **shape, batch=count)
            many = {**which, **shape, "batch": batches[-1]}
            entry["inference_bytes"] = _peak("infer_once", many, tiny, device)
    for name, timing in interleaved(training, sizes["repeats"]).items():
        entries[name]["training_seconds"] = summary(timing)
    for name, timing in interleaved(running, sizes["repeats"]).items():
        key, count = name.rsplit(" · ", 1)
        entries[key].setdefault("inference_seconds", {})[count] = summary(timing)
    return rows


def _peak(function: str, arguments: dict[str, Any], tiny: dict[str, int], device: str) -> int:
    return peak_memory(f"{__name__}:{function}", arguments, tiny, device)
