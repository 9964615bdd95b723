"""Denormal numbers are zero while automata run, in all threads, and nowhere else."""

import os
import signal
import sys
import time
import warnings

import numpy as np
import pytest
import torch

from ncabook.automaton.denormals import are_flushed, flushed_denormals
from ncabook.automaton.memory import run_in_segments

DENORMALS = torch.full((2**17,), 1e-40)  # so many that several threads share them


def kept():
    """The share of denormal numbers that a product of PyTorch's keeps."""
    bits = (DENORMALS * 1.0).view(torch.int32)  # compared as floats, they would be zeros
    return float((bits != 0).float().mean())


@pytest.fixture(
    params=[1, pytest.param(2, marks=pytest.mark.skipif(sys.platform != "linux", reason="OpenMP"))]
)
def threads(request):
    """So many threads, all at work before anything is flushed, and denormals kept."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    assert kept() == 1
    yield
    torch.set_num_threads(before)


def test_the_package_leaves_denormals_alone(threads):
    """NumPy used to warn of it, and with ``-W error`` to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.finfo(np.float32).smallest_subnormal > 0
    assert not are_flushed()


def test_a_rollout_flushes_in_all_threads_and_tidies_up(threads, make_nca):
    nca, state, seen = make_nca(), torch.rand(1, 8, 8, 8), []

    def fire(_):
        seen.append(kept())
        return torch.ones(1, 1, 1, 1, dtype=torch.bool)

    nca.rollout(state, 2, fire=fire)
    assert seen == [0, 0]
    assert kept() == 1
    with pytest.raises(ZeroDivisionError):
        nca.rollout(state, 2, fire=lambda _: 1 / 0)
    assert kept() == 1
    nca.update.register_forward_hook(lambda *_: seen.append(kept()))
    nca.step(state)
    assert seen == [0, 0, 0]
    assert kept() == 1


def test_blocks_can_be_nested(threads):
    with flushed_denormals():
        with flushed_denormals():
            assert kept() == 0
        assert kept() == 0
    assert kept() == 1


def test_who_flushes_all_along_goes_on(threads):
    torch.set_flush_denormal(True)
    try:
        with flushed_denormals():
            assert kept() == 0
        assert are_flushed()
        assert kept() == 0
    finally:
        torch.set_flush_denormal(False)
        with flushed_denormals():
            pass  # afterwards the others are as this thread
    assert kept() == 1


def test_what_a_backward_pass_computes_again_is_flushed_too():
    seen = []

    def step(state, _):
        seen.append(are_flushed())
        return state * state

    start = torch.ones(1, requires_grad=True)
    run_in_segments(step, start, 4, 2, lambda _: torch.ones(1)).sum().backward()
    assert seen == [True] * 8


def test_a_forked_process_does_not_wait_for_threads_it_lacks(threads):
    child = os.fork()
    if child == 0:
        with flushed_denormals():
            os._exit(0 if are_flushed() else 1)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the forked process hangs")
    assert status == 0
