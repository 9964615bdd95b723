"""Shared by all tests: their order, their dice, where the data lie, and a small model."""

import os
import random
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
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# What takes long, the longest first; the rest follows in pytest's order. `make test` hands tests
# out in this order, so that its workers end together.
LONG = (
    "tests/browser/test_book.py",
    "tests/book/test_chapters.py::test_a_chapter_runs_from_scratch",
)
# Files whose tests share something dear: they stay together, in one worker.
TOGETHER = ("tests/browser/test_book.py",)


def _file(item):
    return item.nodeid.split("::")[0]


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks
def pytest_collection_modifyitems(items):
    def turn(item):
        return next((i for i, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=turn)  # stable
    for item in items:
        if _file(item) in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(_file(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """No test depends on how often those before it threw dice, nor on which these were."""
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)


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
