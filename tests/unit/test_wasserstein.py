"""WGAN-GP: its penalty, who learns when, whom gradients reach, and that it goes on to the bit."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ncabook.networks.critic import PatchCritic
from ncabook.training.adversarial_config import CriticConfig
from ncabook.training.learner import TrainingDivergedError
from ncabook.training.wasserstein import WassersteinCritic, gradient_penalty


class LinearCritic(nn.Module):
    """D(x) = Σ w x, whose slope is ‖w‖ everywhere."""

    def __init__(self, slope):
        super().__init__()
        weight = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
        self.weight = nn.Parameter(slope * weight / weight.norm())

    def forward(self, picture, context=None):
        return (picture * self.weight).sum((1, 2, 3))[:, None, None, None]


class BentCritic(nn.Module):
    """D(x) = Σ x², whose slope at x is 2 ‖x‖."""

    def forward(self, picture, context=None):
        return picture.square().sum((1, 2, 3))[:, None, None, None]


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 8))
def test_the_penalty_of_a_linear_critic_is_that_of_its_slope(slope):
    """By hand: (‖w‖ − 1)², whatever the pictures are."""
    real, made = torch.rand(2, 5, 3, 4, 4)
    found = gradient_penalty(LinearCritic(slope), real, made, None, torch.rand(5))
    assert float(found.detach()) == pytest.approx((slope - 1) ** 2, rel=1e-4, abs=1e-6)


def test_the_slope_is_looked_at_between_the_two_and_over_a_whole_picture():
    """By hand, for D = Σ x²: x̂ = ε real + (1 − ε) made, and the norm is over all its numbers."""
    generator = torch.Generator().manual_seed(0)
    real, made = torch.rand(2, 4, 2, 3, 3, generator=generator)
    epsilon = torch.tensor([0.0, 1.0, 0.25, 0.5])
    wanted = 0.0
    for a, b, e in zip(real, made, epsilon, strict=True):
        between = e * a + (1 - e) * b
        wanted += (2 * math.sqrt(float(between.square().sum())) - 1) ** 2 / 4
    found = gradient_penalty(BentCritic(), real, made, None, epsilon)
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-5)


def test_the_penalty_is_computed_in_float32_under_autocast():
    """In half precision the norm of a norm's gradient overflows."""
    critic = PatchCritic(4, 0, [8, 8])
    real, made = torch.rand(2, 3, 4, 8, 8)
    epsilon = torch.rand(3)
    plain = gradient_penalty(critic, real, made, None, epsilon)
    with torch.autocast("cpu", torch.bfloat16):
        low = gradient_penalty(critic, real, made, None, epsilon)
    assert low.dtype == torch.float32
    assert torch.equal(plain, low)


@pytest.mark.parametrize("flat", [True, False])
def test_a_critic_scores_patches_and_hears_what_is_known(flat):
    """A context of classes is the same on every pixel; without it the answer is another one."""
    critic = PatchCritic(4, 10, [8, 16])
    picture = torch.rand(2, 4, 16, 16)
    context = torch.eye(10)[[3, 4]] if flat else torch.rand(2, 10, 16, 16)
    assert critic(picture, context).shape == (2, 1, 4, 4)
    assert not torch.equal(critic(picture, context), critic(picture, context.flip(0)))
    with pytest.raises(ValueError, match="a context of 0 channels; expected 10"):
        critic(picture)
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in critic.modules())


def learner(**config):
    torch.manual_seed(0)
    critic = PatchCritic(3, 0, [16, 16])
    generator = torch.Generator().manual_seed(1)
    return WassersteinCritic(critic, CriticConfig(widths=[16, 16], **config), generator)


def test_the_distance_grows_towards_that_of_two_distributions():
    """Between pictures of 0.2 and of 0.6, W = 0.4 √n apart, by hand.

    A slope s earns s W and costs λ (s − 1)²: the best is 1 + W / 2λ.
    """
    one = learner(learning_rate=3e-3)
    noise = torch.Generator().manual_seed(0)
    found = {}
    for _ in range(300):
        real, made = (
            shade + 0.01 * torch.randn(8, 3, 8, 8, generator=noise) for shade in (0.6, 0.2)
        )
        found = one.learn(real, made, None, 1.0)
    earth_mover = 0.4 * math.sqrt(3 * 8 * 8)
    slope = 1 + earth_mover / 20
    assert found["distance"] == pytest.approx(slope * earth_mover, rel=0.08)
    assert 0 < found["penalty"] < 3 * (slope - 1) ** 2


def test_who_made_the_picture_hears_and_the_critic_does_not():
    """Gradients of the automaton's loss reach the picture, and no weight of the critic."""
    one = learner()
    made = torch.rand(2, 3, 8, 8, requires_grad=True)
    one.judge(made, None).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert all(p.grad is None for p in one.critic.parameters())
    assert all(p.requires_grad for p in one.critic.parameters())
    before = made.grad.clone()
    one.learn(torch.rand(2, 3, 8, 8), made, None, 1.0)  # nor does its own step reach the picture
    assert torch.equal(made.grad, before)


def test_a_critic_that_diverges_says_so_in_a_line():
    """Instead of filling the automaton with NaN."""
    with pytest.raises(TrainingDivergedError, match="critic: .*nan"):
        learner().learn(torch.full((2, 3, 8, 8), math.nan), torch.rand(2, 3, 8, 8), None, 1.0)


def test_it_is_heard_after_its_delay_and_its_time_alone():
    config = CriticConfig(widths=[8], delay=10, ahead=5)
    assert [config.heard(i) for i in (0, 10, 14, 15)] == [False, False, False, True]
