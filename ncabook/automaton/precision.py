"""Which numbers are multiplied: bfloat16 where the hardware does it, float32 elsewhere."""

import os
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


def plain_autocast(device: str | torch.device) -> AbstractContextManager[Any]:
    """For PyTorch's own convolutions: no bfloat16 on a processor that has its products but no AMX.

    oneDNN's convolution in bfloat16 for AVX-512 (``jit_bf16:avx512_core_bf16``, backward by
    weights, seen up to torch 2.15) reads beyond a channels-last input that has more than 16
    channels, no multiple of 16, where the kernel's dilation is 3 or more: mostly it reads what
    lies there, and sometimes the process dies of it (signal 11). The fused steps never call it.
    """
    device = torch.device(device)
    if device.type == "cpu" and torch.is_autocast_enabled("cpu") and not has_amx():
        return torch.autocast("cpu", enabled=False)
    return nullcontext()


def has_amx() -> bool:
    """Whether the processor multiplies bfloat16 by AMX, and oneDNN is not told to go without."""
    cpuinfo = Path("/proc/cpuinfo")
    allowed = "AMX" in os.environ.get("ONEDNN_MAX_CPU_ISA", "AMX").upper().replace("ALL", "AMX")
    return allowed and cpuinfo.exists() and "amx_bf16" in cpuinfo.read_text()


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
