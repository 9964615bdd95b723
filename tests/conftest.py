"""Shared by all tests: their order, their dice, where the data lie, and a small model."""

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate

ROOT = Path(__file__).parents[1]
DATA = os.environ.get("NCABOOK_DATA")

needs_data = pytest.mark.skipif(
    DATA is None, reason="needs NCABOOK_DATA, a folder with pretrained weights"
)

# Every run tries the same examples, however slow the machine is; `explore` looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# What takes long, the longest first; the rest follows in pytest's order. Side by side, tests are
# handed out in this order, so that the workers end together.
APART = (
    "tests/book/test_chapters.py::test_a_chapter_runs_from_scratch",
    "tests/browser/test_book.py::test_a_page_is_whole",
)
LONG = (
    "tests/browser/test_book.py::test_a_table",  # and the others but `APART`: they build the book
    APART[0],  # meanwhile
    "tests/browser/test_f",
    "tests/browser/test_p",
    "tests/browser/test_u",
    "tests/browser/test_w",
    "tests/unit/test_sweep.py",
    "tests/unit/test_processes.py",
    "tests/unit/test_gpu.py",
    "tests/unit/test_resume.py",
    "tests/unit/test_onnx.py",
    "tests/unit/test_experiments.py",
    APART[1],
)


def pytest_collection_modifyitems(items):
    """The longest first."""

    def turn(item):
        return next((i for i, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=turn)  # stable


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests of a file share pages and models: they go to one worker. Chapters go to any.

    A scheduler of our own: with pytest 9.2, xdist 3.8 does not see the marks of groups.
    """
    from xdist.scheduler import LoadScopeScheduling

    class InTurn(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid if nodeid.startswith(APART) else nodeid.split("::")[0]

    config.option.loadscopereorder = False
    return InTurn(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """No test depends on how often those before it threw dice, nor on which these were."""
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)


@pytest.fixture
def ctrl_c():
    """It works, also where a shell started the tests in the background, which ignore it then."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def make_nca():
    """Builds a small automaton whose update is large enough to be seen."""

    def build(condition=0, seed=0, kernel_size=3, dilation=1, hidden=4, **options):
        torch.manual_seed(seed)
        layout = ChannelLayout(visible=4, hidden=hidden)
        perception = ConvPerception(layout.channels, 12, kernel_size, dilation, condition)
        update = MLPUpdate(12, layout.channels, [10])
        torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
        return NCA(layout, perception, update, **options)

    return build
