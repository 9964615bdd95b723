"""A coarse automaton and its local decoder, as one model: pictures of any resolution."""

from torch import Tensor

from ncabook.automaton import NCA
from ncabook.networks import LocalDecoder
from ncabook.networks.counted import Counted


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
