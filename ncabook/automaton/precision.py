"""Which numbers are multiplied: bfloat16 where the hardware does it, float32 elsewhere."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch

Precision = Literal["float32", "bfloat16"]


def has_bfloat16(device: str | torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32, as far as can be told.

    Of processors, those with AVX-512's products of it do, and so all with AMX.
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "avx512_bf16" in cpuinfo.read_text()


def products(device: str | torch.device, precision: Precision) -> Precision:
    """The precision of products on a device when ``precision`` is asked for.

    Without units for bfloat16 a processor emulates it, up to thirty times slower than float32
    and rounded more: nobody wants that, so the answer is float32 there.
    """
    return "bfloat16" if precision == "bfloat16" and has_bfloat16(device) else "float32"


def autocast(device: str | torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """``torch.autocast`` to bfloat16 where :func:`products` says so; else nothing."""
    if products(device, precision) == "bfloat16":
        return torch.autocast(torch.device(device).type, torch.bfloat16)
    return nullcontext()
