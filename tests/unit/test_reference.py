"""Every perception and update against the textbook step, and their parameter counts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
)
from ncabook.evaluation.reference import reference_step

PERCEPTIONS = {
    "sobel": lambda c, d, p, r: SobelPerception(c, d, laplacian=r > 1),
    "conv3": lambda c, d, p, r: ConvPerception(c, p, 3, r, d),
    "conv5": lambda c, d, p, r: ConvPerception(c, p, 5, 1, d),
    "residual": lambda c, d, p, r: ResidualPerception(c, p, 3, r, d),
    "deformable": lambda c, d, p, r: DeformablePerception(c, p, 3, d),
    "local attention": lambda c, d, p, r: LocalAttention(c, p, 4, 3, d),
    "attention block": lambda c, d, p, r: AttentionBlock(c, p, 8, 4, 3, d),
    "multi": lambda c, d, p, r: MultiPerception(
        [ConvPerception(c, p, 3, 1, d), ConvPerception(c, p, 5, r, d), SobelPerception(c, d)]
    ),
    "beside": lambda c, d, p, r: MultiPerception(
        [
            ResidualPerception(c, p, 3, 1, d),
            ConvPerception(c, p, 3, 2, d),
            DeformablePerception(c, p, 3, d),
            LocalAttention(c, p, 4, 3, d),
        ]
    ),
}


def automaton(
    name, channels=8, condition=0, features=12, dilation=1, resnet=False, seed=0, fixed=0, **masks
):
    """A float64 automaton with all its parameters at random, none left at zero."""
    torch.manual_seed(seed)
    perception = PERCEPTIONS[name](channels, condition, features, dilation)
    out = perception.out_channels
    written = channels - fixed
    update = ResNetUpdate(out, written, 10) if resnet else MLPUpdate(out, written, [10])
    layout = ChannelLayout(visible=4, hidden=channels - 4 - fixed, fixed=fixed)
    nca = NCA(layout, perception, update, **masks).double()
    for parameter in nca.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return nca


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


@pytest.mark.parametrize("name", PERCEPTIONS)
@settings(max_examples=12, deadline=None)
@given(
    height=st.integers(5, 9),
    width=st.integers(5, 9),
    channels=st.integers(4, 9),
    condition=st.integers(0, 3),
    spatial=st.booleans(),
    dilation=st.integers(1, 2),
    resnet=st.booleans(),
    living=st.sampled_from([None, 0.1]),
    seed=st.integers(0, 2**31),
)
def test_step_and_gradients_equal_the_textbook(
    name, height, width, channels, condition, spatial, dilation, resnet, living, seed
):
    """Protects folding, in-place activations and shifted views: float64, forward and backward."""
    nca = automaton(name, channels, condition, 12, dilation, resnet, seed, living_threshold=living)
    state = torch.rand(2, channels, height, width, dtype=torch.float64)
    given_condition = None
    if condition:
        shape = (2, condition, height, width) if spatial else (2, condition)
        given_condition = torch.rand(shape, dtype=torch.float64)
    fire = torch.rand(2, 1, height, width) < 0.5
    results = []
    for step in (nca.step, lambda s, c, fire: reference_step(nca, s, c, fire)):
        leaf = state.clone().requires_grad_()
        nca.zero_grad()
        after = step(leaf, given_condition, fire=fire)
        (after * torch.linspace(-1, 1, after.numel()).view_as(after)).sum().backward()
        results.append([after, leaf.grad, *(p.grad for p in nca.parameters())])
    for fast, textbook in zip(*results, strict=True):
        # Parameters that a random mask shut off have no gradient on either side.
        assert torch.allclose(fast, textbook, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", PERCEPTIONS)
def test_bfloat16_stays_close(name):
    """Without the living mask, whose threshold would turn a rounding error into a dead cell."""
    nca = automaton(name, channels=8, condition=2, living_threshold=None).float()
    state, condition = torch.rand(2, 8, 12, 12), torch.eye(2)
    with torch.autocast("cpu", torch.bfloat16):
        after = nca.step(state, condition, fire=torch.ones(1, 1, 12, 12, dtype=torch.bool))
    expected = reference_step(nca.double(), state.double(), condition.double())
    assert after.dtype == torch.float32
    assert relative(after, expected) < 1e-2


COUNTS = {
    "sobel": (5, lambda: SobelPerception(16, 5, laplacian=True), 8_096),
    "conv 3×3": (5, lambda: ConvPerception(16, 80, 3, 1, 5), 22_976),
    "conv 5×5": (5, lambda: ConvPerception(16, 80, 5, 1, 5), 49_856),
    "deformable": (5, lambda: DeformablePerception(16, 80, 3, 5), 28_026),
    "combined": (
        5,
        lambda: MultiPerception([ConvPerception(16, 80, 3, 1, 5), ConvPerception(16, 80, 5, 2, 5)]),
        71_456,
    ),
    "attention block": (5, lambda: AttentionBlock(16, 80, condition_channels=5), 79_876),
    "Table 6, conv": (0, lambda: ConvPerception(16, 80), 19_376),
    "Table 6, attention": (0, lambda: LocalAttention(16, 80), 18_132),
}


@pytest.mark.parametrize("row", COUNTS)
def test_parameter_counts_of_the_tables(row):
    condition, build, count = COUNTS[row]
    perception = build()
    nca = NCA(
        ChannelLayout(visible=4, hidden=12), perception, MLPUpdate(perception.out_channels, 16)
    )
    assert nca.parameter_count == count
    assert perception.condition_channels == condition


def test_deformable_starts_as_a_convolution_and_offsets_wrap():
    """A whole turn of the torus is no offset at all."""
    perception = DeformablePerception(4, 6).double()
    x = torch.rand(1, 4, 7, 9, dtype=torch.float64)
    plain = perception(x)
    conv = ConvPerception(4, 6).double()
    conv.conv.weight.data = perception.conv.weight.data
    conv.conv.bias.data.zero_()
    assert relative(plain, conv(x)) < 1e-12
    perception.offset.conv.bias.data[0::2] = 7.0
    perception.offset.conv.bias.data[1::2] = -9.0
    assert relative(perception(x), plain) < 1e-12
