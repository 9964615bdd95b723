"""The step: against an independent float64 reference, and by the properties it must have."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve, maximum_filter

from ncabook import experiments
from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    ResidualPerception,
    SobelPerception,
    centre_seed,
    empty_state,
    hashed_fire,
    plant_seed,
)
from ncabook.tasks import build_network


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def reference_step(nca, state, condition, fire):
    """Eq. 2 in NumPy, float64: condition concatenated, no folding, SciPy's own convolution."""
    weights = {k: v.detach().double().numpy() for k, v in nca.named_parameters()}
    kernel, dilation = weights["perception.conv.weight"], nca.perception.dilation
    result = []
    for s, c in zip(state.double().numpy(), condition.double().numpy(), strict=True):
        x = np.concatenate([s, np.broadcast_to(c[:, None, None], (len(c), *s.shape[1:]))])
        side = (kernel.shape[-1] - 1) * dilation + 1
        spread = np.zeros((*kernel.shape[:2], side, side))
        spread[:, :, ::dilation, ::dilation] = kernel
        p = np.stack(
            [
                sum(convolve(x[i], k[i, ::-1, ::-1], mode="wrap") for i in range(len(x)))
                for k in spread
            ]
        )
        p = leaky(p + weights["perception.conv.bias"][:, None, None])
        for i in range(len(nca.update.layers)):
            p = np.einsum("oi,ihw->ohw", weights[f"update.layers.{i}.weight"], p)
            p = p + weights[f"update.layers.{i}.bias"][:, None, None]
            if i < len(nca.update.layers) - 1:
                p = leaky(p)
        after = s + p * fire.numpy()[0, 0]
        alive = [maximum_filter(y[3], 3, mode="wrap") > 0.1 for y in (s, after)]
        result.append(after * (alive[0] & alive[1]))
    return np.stack(result)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(5, 12),
    width=st.integers(5, 12),
    shape=st.sampled_from([(1, 1), (3, 1), (5, 1), (3, 2), (5, 2)]),
    classes=st.integers(1, 4),
    seed=st.integers(0, 10_000),
)
def test_step_equals_the_textbook_step(height, width, shape, classes, seed):
    """Folding, layout tricks and in-place activations change nothing: float64, 1e-10."""
    torch.manual_seed(seed)
    layout = ChannelLayout(visible=4, hidden=3)
    nca = NCA(layout, ConvPerception(7, 6, *shape, classes), MLPUpdate(6, 7, [5])).double()
    torch.nn.init.normal_(nca.update.layers[-1].weight, std=0.3)
    state = torch.rand(2, 7, height, width, dtype=torch.float64)
    state[:, 3] -= 0.6  # so that some cells are dead
    condition = torch.randn(2, classes, dtype=torch.float64)
    fire = torch.rand(1, 1, height, width) < 0.5
    ours = nca.step(state, condition, fire=fire).detach().numpy()
    assert np.abs(ours - reference_step(nca, state, condition, fire)).max() < 1e-10


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConvPerception(6, 9, 3, 1, 4),
        lambda: ConvPerception(6, 9, 5, 2, 4),
        lambda: SobelPerception(6, 4),
        lambda: SobelPerception(6, 4, laplacian=True),
    ],
)
def test_a_vector_condition_equals_the_same_map(make):
    """A constant condition is a bias on a torus: forward and gradient, float64."""
    perception = make().double()
    state = torch.randn(2, 6, 11, 9, dtype=torch.float64)
    vector = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    as_map = vector[:, :, None, None].expand(-1, -1, 11, 9)
    a = perception(state, perception.encode(vector))
    b = perception(state, perception.encode(as_map))
    assert torch.allclose(a, b, atol=1e-12)
    weight = torch.randn_like(a)
    ga, gb = (torch.autograd.grad((x * weight).sum(), vector)[0] for x in (a, b))
    assert torch.allclose(ga, gb, atol=1e-11)


def test_the_conditional_emoji_model_has_the_papers_size():
    """Table 1's conv 3×3 row: 23k, exactly 22,976 parameters."""
    assert build_network(experiments.find("emoji-conv3")).parameter_count == 22_976


def test_sobel_of_a_ramp_by_hand():
    """∂x of a ramp of slope 1 is 1 (Sobel/8), ∂y is 0; the Laplacian of a flat field is 0."""
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    out = SobelPerception(1, laplacian=True)(ramp)[0]
    assert torch.equal(out[0], ramp[0, 0])
    assert torch.allclose(out[1][:, 1:-1], torch.ones(8, 6))
    assert torch.allclose(out[2], torch.zeros(8, 8))
    flat = SobelPerception(1, laplacian=True)(torch.full((1, 1, 5, 5), 3.0))[0]
    assert torch.allclose(flat[3], torch.zeros(5, 5), atol=1e-6)


def test_last_layer_starts_small_but_not_at_zero():
    """Zeros were seen to learn several times more slowly."""
    torch.manual_seed(0)
    last = MLPUpdate(80, 16).layers[-1]
    assert 5e-4 < float(last.weight.detach().std()) < 2e-3
    assert float(last.bias.detach().abs().max()) == 0


def test_step_is_pure_and_rollout_is_steps_in_a_row(make_nca):
    nca = make_nca(condition=2)
    state = centre_seed(nca.layout, 9, 9, 2)
    before, condition = state.clone(), torch.eye(2)
    masks = [torch.rand(1, 1, 9, 9) < 0.5 for _ in range(4)]
    by_steps = state
    for mask in masks:
        by_steps = nca.step(by_steps, condition, fire=mask)
    film = nca.rollout(state, 4, condition, record_every=2, fire=lambda t: masks[t])
    assert torch.equal(state, before)
    assert film.shape == (3, 2, 8, 9, 9)
    assert torch.equal(film[0], state)
    assert torch.equal(film[2], by_steps)


def test_same_generator_same_rollout(make_nca):
    nca = make_nca()
    state = centre_seed(nca.layout, 9, 9)
    a, b = (nca.rollout(state, 20, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a, b)


def test_dead_space_stays_dead_and_growth_is_one_cell_per_step(make_nca):
    """The living mask: nothing can appear farther from a living cell than one cell per step."""
    nca = make_nca(fire_rate=1.0)
    state = empty_state(nca.layout, 15, 15)
    assert torch.equal(nca.step(state), state)
    state = centre_seed(nca.layout, 15, 15)
    for t in range(1, 5):
        state = nca.step(state)
        occupied = state[0].abs().sum(0).nonzero() - 7
        assert occupied.numel() == 0 or int(occupied.abs().max()) <= t


def test_without_a_living_mask_nothing_is_zeroed(make_nca):
    nca = make_nca(living_threshold=None)
    state = torch.randn(1, 8, 6, 6) - 5
    assert bool((nca.step(state) != 0).all())


def test_fixed_channels_are_never_written():
    layout = ChannelLayout(visible=0, hidden=3, fixed=2, classes=2)
    nca = NCA(layout, ConvPerception(7, 5), MLPUpdate(5, 5, [4]), living_threshold=None)
    state = torch.randn(1, 7, 6, 6)
    after = nca.rollout(state, 3)
    assert torch.equal(after[:, :2], state[:, :2])
    assert not torch.equal(after[:, 2:], state[:, 2:])


def test_an_input_outlives_its_dead_cell():
    """A drawing is there before the pattern comes, and after it is gone."""
    layout = ChannelLayout(visible=4, hidden=2, fixed=1)
    nca = NCA(layout, ConvPerception(7, 5), MLPUpdate(5, 6, [4]))
    state = torch.rand(1, 7, 9, 9)
    state[:, layout.alpha] = 0.0
    after = nca.step(state)
    assert torch.equal(after[:, :1], state[:, :1])
    assert not after[:, 1:].any()


def test_layout_slices_cover_all_channels_in_order():
    layout = ChannelLayout(visible=4, hidden=3, fixed=2, classes=5)
    assert (layout.channels, layout.alpha) == (14, 5)
    assert layout.visible_slice == slice(2, 6)
    assert layout.class_slice == slice(9, 14)


def test_planting_a_seed_wraps_and_clears_the_cell():
    layout = ChannelLayout(visible=4, hidden=2)
    state = torch.full((1, 6, 5, 5), 0.3)
    planted = plant_seed(state, layout, -1, 7)
    assert planted[0, :, 4, 2].tolist() == [1, 1, 1, 1, 0, 0]
    assert float(state.max()) < 0.5  # the original is untouched


def test_hashed_fire_is_the_documented_hash():
    """One cell by hand with Python's integers: what the page's engine computes too."""
    x, y, t, seed = 13, 7, 42, 99
    m = 0xFFFFFFFF
    h = (x * 0x8DA6B343 & m) ^ (y * 0xD8163841 & m) ^ (t * 0xCB1AB31F & m) ^ seed
    h ^= h >> 16
    h = h * 0x7FEB352D & m
    h ^= h >> 15
    h = h * 0x846CA68B & m
    h ^= h >> 16
    for rate in (0.1, 0.5, 0.9):
        expected = (h >> 8) < int(rate * 2**24)
        assert bool(hashed_fire(20, 20, t, seed, rate)[0, 0, y, x]) == expected


def test_hashed_fire_has_the_rate_and_no_pattern():
    masks = torch.stack([hashed_fire(64, 64, t, 1, 0.5)[0, 0] for t in range(64)]).float()
    assert abs(float(masks.mean()) - 0.5) < 0.005
    centred = masks - 0.5
    for axis in range(3):  # neighbours in time, rows and columns are uncorrelated
        assert abs(float((centred * centred.roll(1, axis)).mean())) < 0.005


def test_gradients_reach_every_parameter(make_nca):
    """An automaton of which some part never learns would still look plausible."""
    nca = make_nca(condition=3)
    state = centre_seed(nca.layout, 9, 9, 3)
    nca.rollout(state, 6, torch.eye(3))[:, :4].square().mean().backward()
    for name, parameter in nca.named_parameters():
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: ChannelLayout(visible=-1, hidden=2), "visible is -1; expected a whole number"),
        (lambda: ChannelLayout(visible=0, hidden=0), "at least one channel"),
        (lambda: ChannelLayout(visible=3, hidden=1).alpha, "only RGBA"),
        (lambda: ConvPerception(4, 8, kernel_size=4), "kernel_size is 4; expected an odd"),
        (lambda: ConvPerception(4, 8, dilation=0), "dilation is 0"),
        (
            lambda: ConvPerception(4, 8, 5, 3)(torch.zeros(1, 4, 5, 9)),
            "5×9 cells is smaller than the perception's reach of 6",
        ),
        (
            lambda: ConvPerception(4, 8, condition_channels=3).encode(torch.zeros(2, 4)),
            r"shape \[2, 4\], expected \[batch, 3\]",
        ),
        (
            lambda: ConvPerception(4, 8).encode(torch.zeros(2, 4)),
            "expected none",
        ),
        (
            lambda: ConvPerception(4, 8, condition_channels=3).encode(None),
            "given none, expected",
        ),
        (lambda: empty_state(ChannelLayout(4, 1), 0, 5), "all three must be"),
    ],
)
def test_bad_input_says_what_was_given_and_expected(action, message):
    with pytest.raises(ValueError, match=message):
        action()


def test_a_state_of_the_wrong_shape_is_refused(make_nca):
    nca = make_nca()
    with pytest.raises(ValueError, match=r"shape \[1, 7, 5, 5\]; expected \[batch, 8"):
        nca.step(torch.zeros(1, 7, 5, 5))
    with pytest.raises(ValueError, match="steps -1"):
        nca.rollout(torch.zeros(1, 8, 5, 5), -1)
    with pytest.raises(ValueError, match="fire_rate is 0"):
        make_nca(fire_rate=0.0)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda nca, s, c: nca.step(s.numpy(), c), "state"),
        (lambda nca, s, c: nca.rollout(s.numpy(), 1, c), "state"),
        (lambda nca, s, c: nca.rollout(s, 1, c.numpy()), "condition"),
        (lambda nca, s, c: nca.step(s, c, fire=np.ones((1, 1, 5, 5), bool)), "the fire mask"),
        (lambda nca, s, c: nca.rollout(s, 1, c, fire=lambda t: np.bool_(True)), "the fire mask"),
        (lambda nca, s, c: plant_seed(s.numpy(), nca.layout, 0, 0), "state"),
    ],
)
def test_arrays_are_told_to_become_tensors(make_nca, call, name):
    nca = make_nca(condition=2)
    state, condition = torch.zeros(1, 8, 5, 5), torch.zeros(1, 2)
    with pytest.raises(TypeError, match=f"^{name} is of type .*; expected a tensor: convert it"):
        call(nca, state, condition)


def test_batches_that_do_not_match_are_not_broadcast(make_nca):
    nca = make_nca(condition=2)
    state = torch.zeros(2, 8, 5, 5)
    with pytest.raises(ValueError, match="2 states with 3 conditions"):
        nca.step(state, torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"fire mask of shape \[5, 1, 5, 5\]"):
        nca.step(state, torch.zeros(2, 2), fire=torch.ones(5, 1, 5, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"int64; expected a float tensor: add \.float\(\)"):
        nca.step(state, torch.zeros(2, 2, dtype=torch.int64))


def test_parts_that_do_not_fit_are_refused_at_once():
    layout = ChannelLayout(visible=4, hidden=4)
    with pytest.raises(ValueError, match="update of 8 → 1; expected .* 12 → 8"):
        NCA(layout, ConvPerception(8, 12), MLPUpdate(8, 1))


def test_one_hot_conditions_select_columns_of_the_folded_kernel():
    """What the live engine exports: a bias per class."""
    perception = ConvPerception(4, 6, condition_channels=3)
    table = perception.conv.weight[:, 4:].sum((2, 3)).T
    encoded = perception.encode(F.one_hot(torch.arange(3), 3).float())[:, :, 0, 0]
    assert torch.allclose(encoded, table)


EVEN = {
    "conv": lambda k: ConvPerception(8, 8, k),
    "residual": lambda k: ResidualPerception(8, 8, k),
    "deformable": lambda k: DeformablePerception(8, 8, k),
    "local attention": lambda k: LocalAttention(8, 8, 4, k),
    "attention block": lambda k: AttentionBlock(8, 8, 8, 4, k),
}


@pytest.mark.parametrize("kind", EVEN)
def test_windows_have_a_middle_and_fit_the_grid(kind):
    """An even window has no middle; a grid smaller than the reach would be wrapped twice."""
    with pytest.raises(ValueError, match="kernel_size is 4; expected an odd number"):
        EVEN[kind](4)
    perception = EVEN[kind](9)
    with pytest.raises(ValueError, match="a grid of 3×3 cells is smaller than the .*reach of 4"):
        perception(torch.rand(1, 8, 3, 3))


@pytest.mark.parametrize("kind", [LocalAttention, AttentionBlock])
def test_heads_divide_the_embedding(kind):
    sizes = {"out_channels": 10} if kind is LocalAttention else {"out_channels": 8, "embedding": 10}
    with pytest.raises(ValueError, match="embedding 10 does not divide into 4 heads"):
        kind(8, heads=4, **sizes)


@pytest.mark.parametrize("kind", [LocalAttention, AttentionBlock])
def test_positions_alone_tell_attention_its_directions(kind):
    """With b zero, a mirrored state is perceived as the mirrored perception; else it is not."""
    perception, state = kind(8, 8), torch.randn(2, 8, 6, 6)

    def mirrored():
        return perception(state.flip(3)).flip(3)

    assert not torch.allclose(perception(state), mirrored(), atol=1e-2)
    torch.nn.init.zeros_(perception.attention.position)
    assert torch.allclose(perception(state), mirrored(), atol=1e-5)


def test_heads_of_attention_start_with_the_cell_its_left_and_its_upper_neighbour():
    """Without keys, the first three heads hear that cell's value by e³ to 1; the fourth, all."""
    attention = LocalAttention(4, 4, heads=4).attention
    torch.nn.init.zeros_(attention.qkv.weight)
    attention.qkv.weight.data[8:] = torch.eye(4)  # values: channel i for head i
    state = torch.zeros(1, 4, 5, 5)
    state[..., 2, 2] = 1
    (heard,) = attention(state)
    near, far = math.e**3 / (math.e**3 + 8), 1 / (math.e**3 + 8)
    for head, (row, column) in enumerate(((2, 2), (2, 3), (3, 2))):
        expected = torch.zeros(5, 5)
        expected[1:4, 1:4] = far
        expected[row, column] = near  # whose own, left or upper neighbour is marked
        assert torch.allclose(heard[head], expected)
    assert torch.allclose(heard[3, 1:4, 1:4], torch.tensor(1 / 9))
