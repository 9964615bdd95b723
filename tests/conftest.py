"""Shared by all tests: where the data lie, and models small enough to run in a moment."""

import os
from pathlib import Path

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate

ROOT = Path(__file__).parents[1]
DATA = os.environ.get("NCABOOK_DATA")

needs_data = pytest.mark.skipif(
    DATA is None, reason="needs NCABOOK_DATA, a folder with pretrained weights"
)


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
