"""The contract of perceptions and updates: a new one is one class, and works as it is."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    Perception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
    Update,
)
from ncabook.automaton.perception import window
from ncabook.evaluation.counts import flops_per_cell

LAYOUT = ChannelLayout(visible=4, hidden=4)


class Plus(Perception):
    """A new perception: the cell and its four neighbours; a condition is one more input."""

    def __init__(self, state_channels, out_channels, condition_channels=0):
        super().__init__(
            state_channels, out_channels, reach=1, condition_channels=condition_channels
        )
        self.mix = nn.Linear(5 * state_channels + condition_channels, out_channels)

    def forward(self, state, encoded=None):
        arms = [state.roll(s, d) for s, d in ((1, 2), (-1, 2), (1, 3), (-1, 3))]
        seen = torch.cat([state, *arms], dim=1)
        if encoded is not None:
            wide = encoded[:, :, None, None].expand(-1, -1, *state.shape[2:])
            seen = torch.cat([seen, wide], dim=1)
        return self.mix(seen.permute(0, 2, 3, 1)).relu().permute(0, 3, 1, 2)


class Direct(Update):
    """A new update: one linear layer."""

    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)
        self.layer = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, features):
        return 0.1 * self.layer(features)


def grow(perception, update, condition=None):
    """An automaton of these parts, and its state after eight steps, large enough for fused ones."""
    nca = NCA(LAYOUT, perception, update)
    state = torch.rand(2, 8, 12, 12, generator=torch.Generator().manual_seed(1))
    after = nca.rollout(state, 8, condition, generator=torch.Generator().manual_seed(2))
    return nca, state, after


@pytest.mark.parametrize("where", ["alone", "beside another"])
def test_a_new_perception_and_update_are_a_class_each(tmp_path, monkeypatch, where):
    """Rolled out, trained, saved and loaded: no other file has to be told of them."""
    monkeypatch.setattr("ncabook.automaton.nca.FUSED_FROM", 0)

    def parts():
        plus = Plus(8, 6, condition_channels=3)
        if where == "alone":
            return plus, Direct(6, 8)
        return MultiPerception([plus, ConvPerception(8, 5, condition_channels=3)]), Direct(11, 8)

    condition = torch.eye(3)[:2]
    nca, state, after = grow(*parts(), condition)
    coins = torch.Generator().manual_seed(2)
    expected = state
    for _ in range(8):
        expected = nca.step(expected, condition, generator=coins)
    assert torch.equal(after, expected)
    after.square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in nca.parameters())
    save_file(nca.state_dict(), tmp_path / "x.safetensors")
    other, _, different = grow(*parts(), condition)
    assert not torch.equal(different, after)
    other.load_state_dict(load_file(tmp_path / "x.safetensors"))
    again = other.rollout(state, 8, condition, generator=torch.Generator().manual_seed(2))
    assert torch.equal(again, after)


def test_what_knows_kinds_refuses_a_new_one_by_name():
    nca, *_ = grow(Plus(8, 6), Direct(6, 8))
    with pytest.raises(TypeError, match="flops_per_cell does not know perception, a Plus"):
        flops_per_cell(nca)


def test_a_condition_goes_where_the_perception_says():
    """Who writes no ``encode`` is given the condition as it is, checked."""
    plus = Plus(8, 6, condition_channels=3)
    condition = torch.rand(2, 3)
    assert plus.encode(condition) is condition
    with pytest.raises(ValueError, match=r"condition: given none, expected \[batch, 3\]"):
        plus.encode(None)
    with pytest.raises(ValueError, match="expected none"):
        Plus(8, 6).encode(condition)


def test_what_derives_from_neither_is_refused_at_once():
    class Alike(nn.Module):
        state_channels = out_channels = in_channels = 8
        condition_channels = reach = 0

    with pytest.raises(TypeError, match="perception is of type Alike; .*automaton.Perception$"):
        NCA(LAYOUT, Alike(), MLPUpdate(8, 8))
    with pytest.raises(TypeError, match="update is of type Alike; .*automaton.Update$"):
        NCA(LAYOUT, ConvPerception(8, 8), Alike())
    with pytest.raises(TypeError, match="perception is of type type"):
        NCA(LAYOUT, ConvPerception, MLPUpdate(8, 8))
    with pytest.raises(TypeError, match="branch is of type Alike; .*automaton.Perception$"):
        MultiPerception([Alike()])


@pytest.mark.parametrize(
    ("name", "value"), [("state_channels", 0), ("out_channels", 2.5), ("reach", -1)]
)
def test_sizes_are_checked_where_they_are_given(name, value):
    sizes = {"state_channels": 8, "out_channels": 6, "reach": 0} | {name: value}
    with pytest.raises(ValueError, match=f"{name} is {value!r}; expected a whole number"):
        Perception(**sizes)


def test_a_class_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Perception has no forward\(state, encoded\)"):
        grow(Perception(8, 8, reach=0), MLPUpdate(8, 8))
    with pytest.raises(NotImplementedError, match=r"Update has no forward\(features\)"):
        grow(ConvPerception(8, 6), Update(6, 8))


def test_several_are_branches_and_one_is_its_own():
    one, two = ConvPerception(8, 6, condition_channels=3), SobelPerception(8, 3)
    both = MultiPerception([one, two])
    assert list(both.branches) == [one, two]
    assert list(one.branches) == [one]
    assert list(both.state_dict()) == ["branches.0.conv.weight", "branches.0.conv.bias"]
    condition = torch.rand(2, 3)
    state = torch.rand(2, 8, 5, 5)
    for perception in (one, two, both):
        encoded = perception.encode(condition)
        parts = zip(perception.branches, perception.shares(encoded), strict=True)
        features = torch.cat([branch(state, share) for branch, share in parts], dim=1)
        assert torch.equal(features, perception(state, encoded))
    assert MultiPerception([ConvPerception(8, 6)]).shares(None) == [None]


@pytest.mark.parametrize(
    "part",
    [
        ConvPerception(8, 6, 5, 2),
        SobelPerception(8, laplacian=True),
        ResidualPerception(8, 6, 3, 2),
        DeformablePerception(8, 6),
        LocalAttention(8, 8),
        AttentionBlock(8, 8),
        MultiPerception([ConvPerception(8, 6), SobelPerception(8)]),
        MLPUpdate(8, 6),
        ResNetUpdate(8, 6),
    ],
    ids=lambda part: type(part).__name__,
)
def test_all_kinds_are_what_they_say(part):
    """Their numbers are those of the tensors that go in and come out, and of the farthest cell."""
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.uniform_(0.1, 0.2)
    size = 13
    inputs = part.state_channels if isinstance(part, Perception) else part.in_channels
    x = torch.zeros(1, inputs, size, size)
    base = part(x)
    assert base.shape == (1, part.out_channels, size, size)
    if not isinstance(part, Perception) or isinstance(part, DeformablePerception):
        return  # whose taps go anywhere
    x[0, 0, 0, 0] = 1.0
    changed = (part(x) - base).abs().sum((0, 1)).nonzero()
    assert int(torch.minimum(changed, size - changed).max()) == part.reach


@pytest.mark.parametrize(("size", "dilation"), [(1, 1), (3, 1), (5, 3)])
def test_a_window_lists_taps_as_a_kernel_does(size, dilation):
    """The element of a kernel at a tap's place weighs the cell at its offset."""
    image = torch.rand(1, 1, 20, 20)
    reach = dilation * (size // 2)
    padded = F.pad(image, (reach,) * 4, mode="circular")
    for tap, (dy, dx) in enumerate(window(size, dilation)):
        kernel = torch.zeros(size * size)
        kernel[tap] = 1
        seen = F.conv2d(padded, kernel.view(1, 1, size, size), dilation=dilation)
        assert torch.equal(seen, image.roll((-dy, -dx), (2, 3)))
