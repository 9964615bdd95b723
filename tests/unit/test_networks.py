"""The baselines of Table 6: sizes, shapes, and who learns from which loss."""

import ast
from pathlib import Path

import pytest
import torch

import ncabook.networks
from ncabook.evaluation import paper
from ncabook.networks import PatchDiscriminator, Pix2Pix, UNet


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_unet_is_about_as_large_as_the_printed_one():
    """A baseline of another size would make Table 6 another comparison."""
    printed = paper.TABLE_6["U-Net"].parameters
    assert count(UNet()) == 2_716_966
    assert abs(count(UNet()) / printed - 1) < 0.02
    assert count(Pix2Pix().generator) == count(UNet())


def test_the_unet_keeps_the_size_and_sees_the_whole_image():
    """Skip connections of the wrong size would fail or blur; a lost path would not be seen."""
    torch.manual_seed(0)
    net = UNet(base=16).eval()  # narrower, and every path may end in a ReLU that is off
    image = torch.randn(1, 4, 16, 24, requires_grad=True)
    out = net(image)
    assert out.shape == (1, 4, 16, 24)
    (gradient,) = torch.autograd.grad(out[0, :, 8, 12].sum(), image)
    assert (gradient.abs().sum((0, 1)) > 0).float().mean() > 0.9


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="divisible by 8"):
        UNet(base=4)(torch.zeros(1, 4, 20, 16))


def test_a_patch_sees_seventy_pixels():
    """The name PatchGAN promises a receptive field; it follows from the strides."""
    critic = PatchDiscriminator(base=4).eval()
    image = torch.randn(1, 4, 128, 128, requires_grad=True)
    logits = critic(torch.zeros(1, 4, 128, 128), image)
    assert logits.shape == (1, 1, 14, 14)
    (gradient,) = torch.autograd.grad(logits[0, 0, 7, 7], image)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_each_loss_teaches_its_own_network():
    """The critic's loss must not reach the generator; the generator's has to."""
    net = Pix2Pix()
    source, target = torch.rand(2, 2, 4, 32, 32)
    net.discriminator_loss(source, target, net(source)).backward()
    assert all(p.grad is None for p in net.generator.parameters())
    assert all(p.grad is not None for p in net.discriminator.parameters())
    net.generator_loss(source, target, net(source)).backward()
    assert all(p.grad is not None for p in net.generator.parameters())


def test_networks_know_nobody():
    """The room has no arrow to any other room of the package."""
    for path in Path(ncabook.networks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ncabook"):
                assert node.module.startswith("ncabook.networks"), path.name
