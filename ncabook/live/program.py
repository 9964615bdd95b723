"""What the live engine runs: a list of operations, their buffers, and their numbers.

Operations work on buffers of numbers per cell. Buffer 0 is the state; if the class is an input
like the state, its planes lie behind it. Buffers, and parts side by side in one, are a multiple
of four numbers long, padded with zeros, so that the engine loads whole vectors. Where an
operation's input has such gaps, its kernel has rows of zeros there: ``columns`` says where the
real numbers are.
"""

from typing import Any

import torch
from torch import Tensor

LANES = 4
STATE = 0
LINEAR, RELU = 1.0, 0.0  # slopes
ENGINE = "the live engine"


def padded(count: int) -> int:
    """The next multiple of four."""
    return -(-count // LANES) * LANES


class Program:
    """Collects operations, their buffers, and all weights in one run of bytes.

    Args:
        channels: of the state.
        planes: of the class, behind the state; 0 if the class only shifts biases.

    """

    def __init__(self, channels: int, planes: int) -> None:
        self.channels = channels
        self.planes = planes
        self.buffers = [padded(channels + planes)]
        self.ops: list[dict[str, Any]] = []
        self.rule = 0  # which of several rules the operations to come belong to
        self.bytes = bytearray()

    def buffer(self, size: int) -> int:
        """A new buffer of at least ``size`` numbers per cell."""
        self.buffers.append(padded(size))
        return len(self.buffers) - 1

    def numbers(self, values: Tensor, dtype: str) -> int:
        """Appends ``values`` in row-major order, and returns their offset."""
        values = values.detach().float().cpu().contiguous()
        self.bytes.extend(bytes(-len(self.bytes) % 4))  # every array begins at a multiple of 4
        offset = len(self.bytes)
        self.bytes.extend(values.numpy().astype(dtype).tobytes())
        return offset

    def add(self, kind: str, near: int, **fields: Any) -> None:
        """Appends an operation, for the cells that change and those within ``near`` of them."""
        of = {"rule": self.rule} if self.rule else {}
        self.ops.append({"kind": kind, "near": near, **of, **fields})

    def conv(
        self,
        kernel: Tensor,
        bias: Tensor | None,
        to: int,
        *,
        source: int = STATE,
        columns: list[int] | None = None,
        offset: int = 0,
        dilation: int = 1,
        slope: float = LINEAR,
        add: bool = False,
        near: int = 0,
    ) -> None:
        """A convolution ``[out, in, k, k]`` or linear map ``[out, in]``, from buffer to buffer.

        ``bias`` is ``[out]``, or ``[classes, out]``; ``add`` adds to what is there already.
        """
        if kernel.ndim == 2:
            kernel = kernel[:, :, None, None]
        if columns is not None:
            spread = kernel.new_zeros(kernel.shape[0], max(columns) + 1, *kernel.shape[2:])
            spread[:, columns] = kernel
            kernel = spread
        outputs, inputs, size, _ = kernel.shape
        bias = torch.zeros(outputs) if bias is None else bias
        self.add(
            "conv",
            near,
            **{"from": source, "in": inputs, "to": to, "offset": offset, "out": outputs},
            kernel=size,
            dilation=dilation,
            slope=slope,
            add=add,
            # The engine wants kernels as [ky, kx, in, out].
            weight=self.numbers(kernel.permute(2, 3, 1, 0), "<f2"),
            bias=self.numbers(bias, "<f4"),
            bias_rows=bias.shape[0] if bias.ndim == 2 else 1,
        )

    def doubling(self, kernel: Tensor, bias: Tensor | None, source: int, to: int) -> None:
        """Nearest neighbours of twice the size, and their 3×3 convolution, ``[out, in, 3, 3]``.

        The engine adds up the taps that meet the same small cell, in float64, so that the numbers
        here are the kernel's own.
        """
        outputs, inputs = kernel.shape[:2]
        bias = torch.zeros(outputs) if bias is None else bias
        self.add(
            "doubling",
            0,
            **{"from": source, "in": inputs, "to": to, "out": outputs},
            weight=self.numbers(kernel.permute(2, 3, 1, 0), "<f2"),
            bias=self.numbers(bias, "<f4"),
        )

    def split(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """A kernel over state and class, as one over what buffer 0 holds, with its bias.

        The class is the same in every cell of the torus: without planes, all that it adds is a
        bias for each class.
        """
        if self.planes or weight.shape[1] == self.channels:
            return weight, bias
        condition = weight[:, self.channels :]
        if condition.ndim == 4:
            condition = condition.sum((2, 3))
        rows = condition.T if bias is None else bias + condition.T
        return weight[:, : self.channels], rows
