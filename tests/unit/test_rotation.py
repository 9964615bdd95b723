"""The turned field of perception."""

import pytest
import torch

from ncabook.automaton import turned
from ncabook.automaton.rotation import turned_kernel
from tests.unit.test_reference import automaton

QUARTER = 90
KINDS = ["sobel", "conv3", "conv5", "residual", "multi"]


def quarter(image, turns=1):
    """Clockwise, as seen with the first row on top."""
    return image.rot90(-turns, (-2, -1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turns", [1, 2, -1])
def test_by_quarters_the_picture_turns_with_the_field(kind, turns):
    """Protects order and sense of every ring, of dilated and of composed kernels."""
    nca = automaton(kind, channels=6, condition=2, dilation=2)
    state, condition = torch.rand(1, 6, 9, 9, dtype=torch.float64), torch.rand(1, 2).double()
    fire = torch.rand(1, 1, 9, 9) < 0.5
    wanted = quarter(nca.step(state, condition, fire=fire), turns)
    result = turned(nca, QUARTER * turns).step(
        quarter(state, turns), condition, fire=quarter(fire, turns)
    )
    assert torch.allclose(result, wanted, atol=1e-12)
    unturned = nca.step(quarter(state, turns), condition, fire=quarter(fire, turns))
    assert (unturned - wanted).abs().max() > 1e-3


def test_an_eighth_of_a_turn_by_hand():
    kernel = torch.tensor([[1.0, 2.0, 3.0], [8.0, 9.0, 4.0], [7.0, 6.0, 5.0]])
    eighth = torch.tensor([[8.0, 1.0, 2.0], [7.0, 9.0, 3.0], [6.0, 5.0, 4.0]])
    assert torch.equal(turned_kernel(kernel, 45), eighth)
    assert torch.allclose(turned_kernel(kernel, 22.5), (kernel + eighth) / 2)
    assert torch.equal(turned_kernel(kernel, -315), eighth)
    assert torch.equal(turned_kernel(kernel, 360), kernel)


@pytest.mark.parametrize("degrees", [0, 10, 33.3, 200])
def test_what_a_kernel_sums_to_stays(degrees):
    """So a condition that is the same everywhere is seen as before."""
    kernel = torch.rand(4, 3, 5, 5, dtype=torch.float64)
    result = turned_kernel(kernel, degrees)
    assert torch.allclose(result.sum((2, 3)), kernel.sum((2, 3)))
    assert torch.equal(result[..., 2, 2], kernel[..., 2, 2])


def test_the_automaton_itself_stays_as_it_is():
    nca = automaton("conv3")
    before = nca.perception.conv.weight.clone()
    turned(nca, 45)
    assert torch.equal(nca.perception.conv.weight, before)


@pytest.mark.parametrize("kind", ["deformable", "local attention", "attention block", "beside"])
def test_what_has_no_kernels_is_not_turned(kind):
    with pytest.raises(TypeError, match="has no kernels to turn; expected convolutions or Sobel"):
        turned(automaton(kind), 45)
