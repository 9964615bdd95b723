"""A coarse automaton and its local decoder, as one model: pictures of any resolution."""

import torch
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, empty_state
from ncabook.networks.counted import Counted
from ncabook.networks.local_decoder import LocalDecoder


class FineModel(Counted):
    """An automaton whose cells are large, and who reads them at any point.

    After Pajouheshgar et al. 2025 (arXiv 2506.22899). ``nca`` makes the steps, as any automaton;
    ``decoder`` makes pictures of its states. Both learn together.

    Args:
        nca: on a coarse grid; none of its channels is a colour.
        decoder: reads all channels.

    Raises:
        ValueError: the two do not fit.

    """

    def __init__(self, nca: NCA, decoder: LocalDecoder) -> None:
        super().__init__()
        if decoder.state_channels != nca.layout.channels:
            raise ValueError(
                f"a decoder of {decoder.state_channels} channels for an automaton of "
                f"{nca.layout.channels}; expected as many"
            )
        self.nca = nca
        self.decoder = decoder

    def forward(self, state: Tensor, factor: int) -> Tensor:
        """A picture of a state, ``factor`` pixels along a cell.

        Shapes:
            ``[B, C, H, W]`` → ``[B, 3 or 4, factor · H, factor · W]``.

        """
        return self.decoder(state, factor)


def first_cell(
    layout: ChannelLayout, height: int, width: int, batch: int = 1, device: str = "cpu"
) -> Tensor:
    """Zeros, and 1 in all channels of the middle cell, ``[batch, C, height, width]``.

    No channel is a colour here, so that none is to be left out, as
    :func:`~ncabook.automaton.centre_seed` does.
    """
    state = empty_state(layout, height, width, batch, device)
    state[:, :, height // 2, width // 2] = 1.0
    return state


def scattered(
    height: int, width: int, count: int, generator: torch.Generator, device: str = "cpu"
) -> Tensor:
    """Points by chance, ``count`` in every cell: row and column, ``[1, count · H · W, 2]``.

    As many in each cell, so that the mean over them varies less than over as many anywhere.
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected a whole number of points ≥ 1")
    within = torch.rand(height, width, count, 2, generator=generator, device=device)
    rows, columns = (torch.arange(n, device=device) for n in (height, width))
    corners = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)
    return (corners[:, :, None] + within).reshape(1, -1, 2)
