"""Several rules on one canvas: each cell obeys its own, and sees them all."""

import pytest
import torch

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    MultiPerception,
    Patchwork,
    hashed_fire,
)

HEIGHT, WIDTH, STEPS = 20, 40, 3


def rule(seed, dilation=1, channels=6, fire_rate=0.5, threshold=None):
    torch.manual_seed(seed)
    layout = ChannelLayout(visible=3, hidden=channels - 3)
    perception = MultiPerception(
        [ConvPerception(channels, 8), ConvPerception(channels, 8, 3, dilation)]
    )
    update = MLPUpdate(16, channels, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
    return NCA(layout, perception, update, fire_rate, threshold).requires_grad_(False)


def coins(t):
    return hashed_fire(HEIGHT, WIDTH, t, 9, 0.5)


@pytest.mark.parametrize("fused", [False, True])
def test_away_from_the_border_each_rule_is_as_if_alone(fused, monkeypatch):
    """News travels `reach` cells a step: beyond, the states are the same, bit for bit.

    Where cells that fire are gathered, a cell's place in the product decides in which order some
    processors add; then the states are the same to float32's rounding.
    """
    monkeypatch.setattr("ncabook.automaton.nca.FUSED_FROM", 0 if fused else 10**9)
    automata = rule(0), rule(1, dilation=2)
    state = torch.rand(2, 6, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    rules = torch.zeros(HEIGHT, WIDTH, dtype=torch.int64)
    rules[:, WIDTH // 2 :] = 1
    together = Patchwork(automata).rollout(state, STEPS, rules, fire=coins)
    far = 2 * STEPS
    middles = slice(far, WIDTH // 2 - far), slice(WIDTH // 2 + far, WIDTH - far)
    for automaton, middle in zip(automata, middles, strict=True):
        alone = automaton.rollout(state, STEPS, fire=coins)
        difference = (together[..., middle] - alone[..., middle]).abs().max()
        assert difference <= (1e-6 if fused else 0)
        assert not torch.equal(together, alone)


def test_at_the_border_rules_see_each_other():
    """One step, by hand: each cell takes its own rule's answer to the common state."""
    automata = rule(0), rule(1)
    state = torch.rand(1, 6, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    rules = torch.randint(0, 2, (HEIGHT, WIDTH), generator=torch.Generator().manual_seed(2))
    found = Patchwork(automata).rollout(state, 1, rules, fire=coins)
    first, second = (a.rollout(state, 1, fire=coins) for a in automata)
    assert torch.equal(found, torch.where(rules == 0, first, second))


def test_each_rule_keeps_its_clock():
    """Coins are common; a rule that fires always does so in its cells only."""
    automata = rule(0, fire_rate=1.0), rule(1, fire_rate=0.25)
    state = torch.rand(1, 6, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3))
    rules = torch.arange(WIDTH).expand(HEIGHT, WIDTH) % 2
    after = Patchwork(automata).rollout(state, 1, rules, generator=torch.Generator().manual_seed(4))
    changed = (after != state).any(1)[0]
    assert changed[:, ::2].all()
    assert 0.15 < changed[:, 1::2].float().mean() < 0.35


def test_maps_may_differ_in_a_batch():
    automata = rule(0), rule(1)
    state = torch.rand(2, 6, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(5))
    rules = torch.stack([torch.zeros(HEIGHT, WIDTH), torch.ones(HEIGHT, WIDTH)]).long()
    found = Patchwork(automata).rollout(state, 2, rules, fire=coins)
    for i, automaton in enumerate(automata):
        alone = automaton.rollout(state[i : i + 1], 2, fire=coins)
        assert torch.allclose(found[i : i + 1], alone, atol=1e-6)


def test_what_cannot_share_a_canvas():
    with pytest.raises(ValueError, match="no automaton is given"):
        Patchwork([])
    with pytest.raises(ValueError, match=r"need the same channels; .*hidden=3.* and .*hidden=5"):
        Patchwork([rule(0), rule(1, channels=8)])
    mortal = NCA(ChannelLayout(visible=4, hidden=2), ConvPerception(6, 4), MLPUpdate(4, 6, [4]))
    with pytest.raises(ValueError, match="expected automata with living_threshold None"):
        Patchwork([mortal])
    told = rule(0)
    told.perception.branches[0].condition_channels = 2
    told.perception.condition_channels = 2
    with pytest.raises(ValueError, match="expected automata without a condition"):
        Patchwork([told])
    both = Patchwork(rule(i) for i in range(2))
    state = torch.zeros(1, 6, HEIGHT, WIDTH)
    for rules, message in (
        (torch.zeros(HEIGHT, 3, dtype=torch.int64), r"map of shape \[20, 3\].*\[20, 40\] or \[1,"),
        (torch.zeros(HEIGHT, WIDTH), "torch.float32; expected whole numbers"),
        (torch.full((HEIGHT, WIDTH), 2), "names automata 2 to 2; there are 2, counted from 0"),
    ):
        with pytest.raises(ValueError, match=message):
            both.rollout(state, 1, rules)
    rules = torch.zeros(HEIGHT, WIDTH, dtype=torch.int64)
    for given in (rules.numpy(), rules.tolist()):
        with pytest.raises(TypeError, match="map of rules is of type .*; expected a tensor"):
            both.rollout(state, 1, given)
    with pytest.raises(TypeError, match="^state is of type ndarray; expected a tensor"):
        both.rollout(state.numpy(), 1, rules)
    with pytest.raises(ValueError, match="steps is -1"):
        both.rollout(state, -1, rules)
    with pytest.raises(ValueError, match=r"expected \[batch, 6, height, width\]"):
        both.rollout(state[:, :5], 1, rules)
    with pytest.raises(ValueError, match="fire mask of shape .*torch.float32; expected"):
        both.rollout(state, 1, rules, fire=lambda t: torch.ones(1, 1, HEIGHT, WIDTH))
