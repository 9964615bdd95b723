"""The compiled CPU step, and rollouts in bounded memory: the same numbers by other ways."""

import logging

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ncabook.automaton import ConvPerception, LocalAttention, MultiPerception
from ncabook.automaton import nca as nca_module
from ncabook.automaton.cpu import listed
from ncabook.automaton.cpu import step as fused
from ncabook.automaton.memory import kept_bytes, segment_length
from ncabook.evaluation.reference import reference_rollout
from tests.unit.test_reference import PERCEPTIONS, automaton, relative

COVERED = {
    **{name: PERCEPTIONS[name] for name in ("sobel", "conv3", "conv5")},
    "multi": lambda c, d, p, r: MultiPerception(
        [ConvPerception(c, p, 3, 1, d), ConvPerception(c, p, 5, r, d)]
    ),
}


LISTED = ("local attention", "attention block", "deformable", "residual", "conv5", "beside")


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """On two threads, which add up gradients; `make test` gives all others one."""
    if not fused.available():
        pytest.skip("no C++ compiler here")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def always_fused(monkeypatch):
    monkeypatch.setattr(nca_module, "FUSED_FROM", 0)


def covered_automaton(name, channels, condition, dilation, seed, living, fixed=0):
    size = (channels, condition, 12)
    nca = automaton("conv3", *size, 1, False, seed, fixed, living_threshold=living)
    other = automaton("sobel", *size, dilation, False, seed, fixed)
    if name == "sobel":
        other.living_threshold = living
        return other
    torch.manual_seed(seed)
    perception = COVERED[name](channels, condition, 12, dilation).double()
    update = type(nca.update)(perception.out_channels, channels - fixed, [10, 7]).double()
    result = nca_module.NCA(nca.layout, perception, update, living_threshold=living)
    for parameter in result.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return result


def patchy_state(batch, channels, height, width, dtype=torch.float64, fixed=0):
    """Living patches in dead surroundings, so that there is something to skip; input anywhere."""
    patches = (torch.rand(batch, 1, height, width) < 0.15).to(dtype)
    state = torch.rand(batch, channels, height, width, dtype=dtype)
    state[:, fixed:] *= patches
    return state


@pytest.mark.parametrize("name", COVERED)
@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(5, 40),
    width=st.integers(5, 40),
    channels=st.integers(4, 9),
    condition=st.integers(0, 3),
    fixed=st.integers(0, 2),
    spatial=st.booleans(),
    dilation=st.integers(1, 2),
    living=st.sampled_from([None, 0.1]),
    shared_fire=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_two_fused_steps_and_gradients_equal_the_textbook(
    name,
    batch,
    height,
    width,
    channels,
    condition,
    fixed,
    spatial,
    dilation,
    living,
    shared_fire,
    seed,
):
    """Float64, forward and backward; two steps, so that the state's own gradient counts."""
    nca = covered_automaton(name, channels + fixed, condition, dilation, seed, living, fixed)
    state = patchy_state(batch, channels + fixed, height, width, fixed=fixed)
    shape = (batch, condition, height, width) if spatial else (batch, condition)
    c = torch.rand(shape, dtype=torch.float64) if condition else None
    fires = [torch.rand(1 if shared_fire else batch, 1, height, width) < 0.5 for _ in range(2)]

    def by_plan(leaf):
        plan = fused.plan(nca, nca.perception.encode(c), torch.float64)
        return plan.step(plan.step(leaf, fires[0]), fires[1])

    results = []
    for way in (by_plan, lambda leaf: reference_rollout(nca, leaf, fires, c)):
        leaf = state.clone().requires_grad_()
        nca.zero_grad()
        after = way(leaf)
        (after * torch.linspace(-1, 1, after.numel()).view_as(after)).sum().backward()
        results.append([after, leaf.grad, *(p.grad for p in nca.parameters())])
    for fast, textbook in zip(*results, strict=True):
        assert torch.allclose(fast, textbook, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LISTED)
@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(3, 20),
    width=st.integers(3, 20),
    condition=st.integers(0, 3),
    fixed=st.integers(0, 2),
    resnet=st.booleans(),
    living=st.sampled_from([None, 0.1]),
    shared_fire=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_two_listed_steps_and_gradients_equal_the_textbook(
    name, batch, height, width, condition, fixed, resnet, living, shared_fire, seed
):
    """Attention folded, taps moved, dead cells left out: float64, forward and backward."""
    nca = automaton(name, 8, condition, 12, 1, resnet, seed, fixed, living_threshold=living)
    state = patchy_state(batch, 8, height, width, fixed=fixed)
    c = torch.rand(batch, condition, dtype=torch.float64) if condition else None
    fires = [torch.rand(1 if shared_fire else batch, 1, height, width) < 0.5 for _ in range(2)]
    assert listed.covers(nca, nca.perception.encode(c), torch.float64)

    def by_list(leaf):
        step = listed.plan(nca, nca.perception.encode(c), torch.float64)
        return step(step(leaf, fires[0]), fires[1])

    results = []
    for way in (by_list, lambda leaf: reference_rollout(nca, leaf, fires, c)):
        leaf = state.clone().requires_grad_()
        nca.zero_grad()
        after = way(leaf)
        (after * torch.linspace(-1, 1, after.numel()).view_as(after)).sum().backward()
        results.append([after, leaf.grad, *(p.grad for p in nca.parameters())])
    for fast, textbook in zip(*results, strict=True):
        assert torch.allclose(fast, textbook, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LISTED)
def test_listed_steps_in_float32_are_as_exact_as_float32(name, always_fused):
    """Protects the fast exponential; 5×5 patches do not fit one group of lanes."""
    nca = automaton(name, 16, 2, 80, living_threshold=None)
    if name == "local attention":
        nca.perception = LocalAttention(16, 80, 4, 5, 2).double()
    state, c = torch.randn(2, 16, 24, 24), torch.eye(2)
    fire = torch.rand(2, 1, 24, 24) < 0.5
    expected = reference_rollout(nca, state.double(), [fire], c.double())
    after = nca.float().rollout(state, 1, c, fire=lambda t: fire)
    assert relative(after, expected) < 1e-5


@pytest.mark.parametrize("name", LISTED)
def test_listed_steps_under_autocast_stay_close(name, always_fused):
    nca = automaton(name, 16, 2, 80, living_threshold=None)
    state, c = torch.rand(2, 16, 24, 24), torch.eye(2)
    fire = torch.rand(2, 1, 24, 24) < 0.5
    expected = reference_rollout(nca, state.double(), [fire], c.double())
    with torch.autocast("cpu", torch.bfloat16):
        after = nca.float().rollout(state, 1, c, fire=lambda t: fire)
    assert after.dtype == torch.float32
    assert relative(after, expected) < 1e-2


def test_a_condition_that_differs_between_cells_is_not_folded():
    nca = automaton("local attention", condition=2)
    encoded = nca.perception.encode(torch.rand(1, 2, 8, 8, dtype=torch.float64))
    assert not listed.covers(nca, encoded, torch.float64)


@pytest.mark.parametrize("name", COVERED)
def test_bfloat16_networks_stay_close(name):
    nca = covered_automaton(name, 16, 2, 1, 0, None).float()
    state, c = torch.rand(2, 16, 24, 24), torch.eye(2)
    fire = torch.rand(2, 1, 24, 24) < 0.5
    after = fused.plan(nca, nca.perception.encode(c), torch.bfloat16).step(state, fire)
    expected = reference_rollout(nca.double(), state.double(), [fire], c.double())
    assert after.dtype == torch.float32
    assert relative(after, expected) < 1e-2


def test_rollout_uses_the_fused_step_and_the_same_random_numbers(make_nca, always_fused):
    nca = make_nca(condition=2)
    state, c = patchy_state(2, 8, 12, 12, torch.float32), torch.eye(2)
    results = []
    for threshold in (0, 10**12):
        nca_module.FUSED_FROM = threshold
        generator = torch.Generator().manual_seed(3)
        results.append(nca.rollout(state, 6, c, generator=generator, record_every=2))
    assert torch.allclose(*results, atol=1e-5)
    nca_module.FUSED_FROM = 0
    step = nca.step_function(state, nca.perception.encode(c), 1)
    assert step.__qualname__ == "Plan.step"


def test_no_compiler_means_a_warning_and_the_plain_step(
    make_nca, always_fused, monkeypatch, caplog, tmp_path
):
    def broken(*_args, **_options):
        raise RuntimeError("Ninja is required to load C++ extensions")

    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))  # where nothing is compiled yet
    monkeypatch.setattr("torch.utils.cpp_extension.load", broken)
    fused.available.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            after = make_nca().rollout(torch.rand(1, 8, 8, 8), 2)
        assert after.shape == (1, 8, 8, 8)
        assert "Ninja is required" in caplog.text
        assert "C++ compiler" in caplog.text
    finally:
        fused.available.cache_clear()


@pytest.mark.parametrize("fused_from", [0, 10**12])
def test_less_memory_same_gradients(make_nca, monkeypatch, fused_from):
    """Segments recompute with the same fire masks: bit for bit the same result and gradients."""
    monkeypatch.setattr(nca_module, "FUSED_FROM", fused_from)
    nca = make_nca(condition=2)
    state, c = patchy_state(2, 8, 16, 16, torch.float32), torch.eye(2)
    step = nca.step_function(state, nca.perception.encode(c), 12)
    one_step = kept_bytes(step, state, nca.parameters())
    cells = 2 * 16 * 16
    results = []
    # Room for four steps and three of the states between them: cut; and for everything: not.
    for memory in (None, 5 * one_step + 4 * cells * 8 * 4 + 12 * cells, 100 * one_step):
        nca.zero_grad()
        generator = torch.Generator().manual_seed(3)
        after = nca.rollout(state, 12, c, generator=generator, memory=memory)
        after[:, :4].square().sum().backward()
        results.append([after, *(p.grad for p in nca.parameters())])
    for others in results[1:]:
        for kept, recomputed in zip(results[0], others, strict=True):
            assert torch.equal(kept, recomputed)


def test_segment_length():
    """Longest segment that fits; none if all fits; one line if nothing does."""
    assert (
        segment_length(steps=10, budget=10**6, state_bytes=10, kept_bytes=100, fire_bytes=1) == 10
    )
    # 4 segments of 3: 4 states + (3 + 1) steps + 10 masks = 40 + 400 + 10.
    assert segment_length(10, 450, 10, 100, 1) == 3
    with pytest.raises(ValueError, match=r"0.0001 MB given, this rollout of 10 steps takes"):
        segment_length(10, 100, 10, 100, 1)


def test_the_fused_step_keeps_little(make_nca):
    """Peak floats per cell-step: the state's channels and a list of cells, no activations."""
    nca = make_nca(hidden=12)
    state = torch.rand(1, 16, 32, 32)
    plan = fused.plan(nca, None, torch.float32)
    kept = kept_bytes(plan.step, state, nca.parameters())
    assert kept / (4 * 32 * 32) < 16 + 2


@pytest.mark.parametrize("size", [(16, 12), (6, 8), (24, 16), (1, 16)])
def test_a_condition_map_of_another_size_is_refused(make_nca, always_fused, size):
    """Such a map once ran, scrambled."""
    nca = make_nca(condition=1)
    with pytest.raises(ValueError, match=r"condition map of \d+×\d+ on a grid of 12×16"):
        nca.rollout(torch.rand(1, 8, 12, 16), 2, torch.rand(1, 1, *size))


def test_parts_that_somebody_changed_run_their_own_code(make_nca, always_fused):
    class Tanh(ConvPerception):
        def forward(self, state, encoded=None):
            return torch.tanh(self.linear(state, encoded))

    nca, state = make_nca(), torch.rand(1, 8, 12, 12)
    assert nca.step_function(state, None, 1).__qualname__ == "Plan.step"
    handle = nca.update.register_forward_hook(lambda _m, _i, output: output * 0)
    assert nca.step_function(state, None, 1).__qualname__ != "Plan.step"
    handle.remove()
    nca.perception = Tanh(8, 12)
    assert nca.step_function(state, None, 1).__qualname__ != "Plan.step"


def test_gradients_that_would_be_wrong_are_refused(make_nca, always_fused):
    """Of weights that have changed since the rollout, and of second order."""
    nca, state = make_nca(), torch.rand(1, 8, 12, 12, requires_grad=True)
    loss = nca.rollout(state, 2).square().sum()
    with torch.no_grad():
        nca.update.layers[0].weight.mul_(2)
    with pytest.raises(RuntimeError, match="weights changed between this rollout and its backward"):
        loss.backward()
    after = nca.rollout(state, 2).square().sum()
    (gradient,) = torch.autograd.grad(after, state, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()


def test_what_is_not_finite_does_not_look_dead(make_nca, always_fused):
    nca = make_nca()
    with torch.no_grad():
        nca.update.layers[-1].bias.fill_(float("inf"))
        after = nca.rollout(torch.rand(1, 8, 12, 12), 3)
    assert not after.isfinite().all()
