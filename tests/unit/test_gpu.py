"""The fused step: interpreted on the CPU, compiled for a GPU that need not be there, and on one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, LocalAttention, MLPUpdate
from ncabook.automaton.gpu import supports
from ncabook.evaluation.reference import reference_step

ROOT = Path(__file__).parents[2]
INTERPRETED = "tests/unit/gpu_interpreted.py"
TRITON = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(not TRITON, reason="Triton is not installed: no fused step here")
needs_gpu = pytest.mark.skipif(
    not (TRITON and torch.cuda.is_available()),
    reason="no CUDA device: compiled kernels and CUDA graphs are not run here",
)


@needs_triton
@pytest.mark.slow
def test_kernels_are_right_in_the_interpreter():
    """All of gpu_interpreted.py, in the process of its own that it needs."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", INTERPRETED],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_triton
@pytest.mark.slow
def test_kernels_compile_for_an_h100(tmp_path):
    """Triton's compiler needs no GPU; its shared memory has to fit into the H100's 227 KiB."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.gpu_compile", "bf16"],
        cwd=ROOT,
        env={**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "TRITON_INTERPRET": "0"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    used = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(used) == 12
    assert max(map(int, used.values())) <= 227 * 1024, used


def test_on_a_cpu_the_plain_step_is_the_way():
    nca, state, _ = workload(ConvPerception(16, 80), "cpu")
    assert os.environ.get("TRITON_INTERPRET") == "1" or not supports(nca, state, None)


def workload(perception, device, batch=2, size=24):
    """Table 6's automaton with parameters at random, a living state and eight fire masks."""
    torch.manual_seed(0)
    nca = NCA(ChannelLayout(visible=4, hidden=12), perception, MLPUpdate(80, 16, [80]))
    for parameter in nca.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    state = torch.rand(batch, 16, size, size)
    fires = torch.rand(8, batch, 1, size, size) < 0.5
    return nca.to(device), state.to(device), fires.to(device)


def gradients(after, nca, state):
    """Of a loss that weighs all numbers differently."""
    weights = torch.linspace(-1, 1, after.numel(), device=after.device).view(after.shape)
    return torch.autograd.grad((after * weights).sum(), [state, *nca.parameters()])


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


PERCEPTIONS = {
    "conv": lambda: ConvPerception(16, 80),
    "dilated": lambda: ConvPerception(16, 80, 5, 2),
    "attention": lambda: LocalAttention(16, 80),
}


@needs_gpu
@pytest.mark.parametrize("name", PERCEPTIONS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)], ids=["fp32", "bf16"]
)
def test_on_the_device_it_equals_the_textbook(name, dtype, tolerance):
    from ncabook.automaton.gpu.step import FusedStep

    nca, state, fires = workload(PERCEPTIONS[name](), "cuda")
    nca.living_threshold = None  # one rounding error could turn a cell dead
    state.requires_grad_()
    assert supports(nca, state, None)
    after = FusedStep(nca, None, dtype)(state, fires[0])
    got = torch.cat([g.double().flatten() for g in gradients(after, nca, state)])
    nca, wide = nca.double(), state.detach().double().requires_grad_()
    expected = reference_step(nca, wide, None, fires[0])
    wanted = torch.cat([g.flatten() for g in gradients(expected, nca, wide)])
    assert relative(after.double(), expected) < tolerance
    assert relative(got, wanted) < tolerance


@needs_gpu
@pytest.mark.parametrize("name", PERCEPTIONS)
def test_graphs_do_what_single_steps_do(name):
    """Bit by bit, at the second and third replay too, with parameters changed in between."""
    from ncabook.automaton.graphs import GraphedRollouts, one_by_one

    nca, state, fires = workload(PERCEPTIONS[name](), "cuda")
    rollouts = GraphedRollouts(nca)
    for turn in range(3):
        leaf = (state + 0.1 * turn).requires_grad_()
        after = rollouts(leaf, 8, fires=fires)
        got = gradients(after, nca, leaf)
        expected = one_by_one(nca, leaf, fires, None, torch.bfloat16)
        assert torch.equal(after, expected)
        wanted = gradients(expected, nca, leaf)
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
        with torch.no_grad():
            assert torch.equal(rollouts(state, 8, fires=fires), after) == (turn == 0)
            for parameter in nca.parameters():
                parameter.mul_(0.9)


@needs_gpu
def test_a_graph_refuses_the_backward_pass_of_a_replay_that_it_overwrote():
    from ncabook.automaton.graphs import GraphedRollouts

    nca, state, fires = workload(ConvPerception(16, 80), "cuda")
    rollouts = GraphedRollouts(nca)
    first = rollouts(state, 8, fires=fires)
    rollouts(state, 8, fires=fires)
    with pytest.raises(RuntimeError, match="replayed again before its backward pass"):
        first.sum().backward()
