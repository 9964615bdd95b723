"""The baselines of Table 6 and the VQ-VAE: sizes, shapes, and who learns from which loss."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import ncabook.networks
from ncabook.evaluation import paper
from ncabook.networks import VQVAE, PatchDiscriminator, Pix2Pix, SmallCNN, UNet


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


def test_the_small_cnn_is_as_large_as_an_automaton_and_takes_any_page():
    net = SmallCNN(10)
    assert count(net) == 24_058  # conv 3×3 that reads digits: 22,499
    assert net(torch.rand(2, 1, 28, 28)).shape == net(torch.rand(2, 1, 56, 31)).shape == (2, 10)


@pytest.fixture
def vqvae():
    torch.manual_seed(0)
    return VQVAE(image_channels=3, latent_channels=6, codes=32, base=8, stages=2)


def test_the_vqvae_is_as_large_as_the_authors():
    """Theirs has about 6.7 million numbers; another size would be another model."""
    assert 6.5e6 < count(VQVAE()) < 7e6
    assert VQVAE().decoder.scale == 8


def test_a_latent_becomes_its_nearest_code(vqvae):
    latent = torch.randn(2, 6, 4, 5)
    quantised = vqvae.quantise(latent)
    assert quantised.codes.shape == (2, 4, 5)
    for b, y, x in [(0, 0, 0), (1, 3, 4), (1, 2, 1)]:
        distances = (vqvae.codebook - latent[b, :, y, x]).square().sum(1)
        assert quantised.codes[b, y, x] == distances.argmin()
        nearest = vqvae.codebook[distances.argmin()]
        assert torch.allclose(quantised.latent[b, :, y, x], nearest, atol=1e-6)


def test_gradients_pass_the_codes_and_each_loss_moves_its_own_side(vqvae):
    """Straight through; the codebook's loss must not move the encoder, nor commitment the codes."""
    latent = torch.randn(1, 6, 4, 4, requires_grad=True)
    quantised = vqvae.quantise(latent)
    (gradient,) = torch.autograd.grad(quantised.latent.mul(3).sum(), latent, retain_graph=True)
    assert torch.equal(gradient, torch.full_like(latent, 3))
    to_latent, to_codes = torch.autograd.grad(quantised.loss, [latent, vqvae.codebook])
    nearest = vqvae.codebook[quantised.codes].movedim(-1, 1)
    apart = 2 * (latent - nearest) / latent.numel()
    assert torch.allclose(to_latent, 0.25 * apart, atol=1e-6)
    assert torch.allclose(to_codes.sum(0), -apart.sum((0, 2, 3)), atol=1e-5)


def test_the_vqvae_has_no_edges(vqvae):
    """A moved image has a moved latent, and that a moved picture."""
    images = torch.rand(1, 3, 16, 24)
    latent = vqvae.encode(images)
    assert latent.shape == (1, 6, 4, 6)
    moved = vqvae.encode(images.roll((4, -8), (2, 3)))
    assert torch.allclose(moved, latent.roll((1, -2), (2, 3)), atol=1e-5)
    decoded = vqvae.decoder(latent)
    assert decoded.shape == images.shape
    moved = vqvae.decoder(latent.roll((1, -2), (2, 3)))
    assert torch.allclose(moved, decoded.roll((4, -8), (2, 3)), atol=1e-5)


def test_the_vqvae_learns(vqvae):
    """All three parts get gradients, and together they bring the images nearer."""
    images = torch.rand(4, 3, 8, 8)
    optimizer = torch.optim.Adam(vqvae.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        pictures, quantised = vqvae(images)
        loss = (pictures - images).square().mean() + quantised.loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VQVAE(base=7), "base 7 and stages 3; expected an even width"),
        (lambda: VQVAE(stages=0), "stages 0; expected an even width ≥ 2 and at least one stage"),
        (lambda: VQVAE(base=20), r"base 20 makes widths of \[20, 40, 80, 160\]"),
        (lambda: VQVAE(base=4).encode(torch.zeros(1, 3, 20, 16)), "20×16; expected .* by 8"),
    ],
)
def test_sizes_that_the_vqvae_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_networks_know_nobody():
    """The room has no arrow to any other room of the package."""
    for path in Path(ncabook.networks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ncabook"):
                assert node.module.startswith("ncabook.networks"), path.name


@pytest.mark.parametrize("base", [4, 8])
def test_narrow_autoencoders_train_channels_last(base):
    """In a process of its own: where halving was a 1×1 convolution with a stride, it died of it."""
    code = (
        "import torch; from ncabook.networks import VQVAE\n"
        "torch.set_num_threads(1); torch.manual_seed(0)\n"
        f"v = VQVAE(1, 4, 512, {base}, 3).to(memory_format=torch.channels_last)\n"
        "x = torch.rand(16, 1, 64, 64).to(memory_format=torch.channels_last)\n"
        "for _ in range(3):\n"
        "    drawn, quantised = v(x)\n"
        "    ((drawn - x).square().mean() + quantised.loss).backward()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300)
    assert done.returncode == 0
