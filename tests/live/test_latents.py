"""Latents in colours, and the codes that are nearest to them."""

import colorsys
from typing import Any, cast

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import describe, to_html
from tests.live import test_decoder as latent
from tests.live.test_timeline import act

GOLDEN_ANGLE, LIGHTNESS, SATURATION = 137.508, 0.55, 0.6


def described(codes=None, **options):
    nca, decoder, start = latent.latent_automaton(fixed=1)
    model = describe(
        nca, latent.HEIGHT, latent.WIDTH, decoder=decoder, start=start, codes=codes, **options
    )
    return model, start[0, nca.layout.visible_slice]


def shown(node, model, what, **job):
    """The pixels ``[H, W, 4]`` of the first frame."""
    report = node(*model, messages=[{"kind": "show", "shown": what}], **job)
    assert report["size"] == [latent.HEIGHT, latent.WIDTH]
    return torch.tensor(report["pixels"]).view(latent.HEIGHT, latent.WIDTH, 4)


def color(code):
    rgb = colorsys.hls_to_rgb(code * GOLDEN_ANGLE / 360 % 1, LIGHTNESS, SATURATION)
    return [255 * part for part in rgb]


@pytest.mark.node
@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_each_cell_has_the_colour_of_its_nearest_code(node, wasm):
    """Seven codes: the last vector of scores is not whole, and what fills it is never nearest."""
    torch.manual_seed(2)
    codes = torch.randn(7, 5).half().float()
    model, latents = described(codes)
    nearest = torch.cdist(latents.flatten(1).T, codes).argmin(1)
    assert len(nearest.unique()) > 3
    wanted = torch.tensor([color(int(code)) for code in nearest])
    actual = shown(node, model, "codes", wasm=wasm)[..., :3].reshape(-1, 3)
    assert (actual - wanted).abs().max() <= 0.51


@pytest.mark.node
def test_latents_are_red_green_and_blue(node):
    model, latents = described()
    wanted = (255 * (latents[:3] + 2.5) / 5).clamp(0, 255).permute(1, 2, 0)
    assert (shown(node, model, "latents")[..., :3] - wanted).abs().max() <= 0.51


@pytest.mark.node
def test_what_a_description_cannot_say(node):
    (description, weights), _ = described(torch.zeros(3, 5), beside=True)
    with pytest.raises(RuntimeError, match="codes is .*; expected nothing, or an offset"):
        node({**description, "codes": {"offset": 0, "count": 10**6}}, weights, actions=[])
    with pytest.raises(RuntimeError, match="beside is 1; expected nothing, or true or false"):
        node({**description, "beside": 1}, weights, actions=[])


def test_what_does_not_fit_together():
    nca, decoder, start = latent.latent_automaton()
    grid = (nca, latent.HEIGHT, latent.WIDTH)
    with pytest.raises(ValueError, match=r"codes of shape \[3, 4\]; expected \[K, 5\]"):
        describe(*grid, decoder=decoder, start=start, codes=torch.zeros(3, 4))
    with pytest.raises(TypeError, match="codes is of type list; expected a tensor"):
        describe(*grid, decoder=decoder, start=start, codes=cast(Any, [[0.0] * 5]))
    with pytest.raises(ValueError, match="beside is 'yes'; expected True or False"):
        describe(*grid, decoder=decoder, start=start, beside=cast(Any, "yes"))
    nca, _, start = latent.latent_automaton(latent=3)
    with pytest.raises(ValueError, match="beside is for latents, and there is no decoder"):
        describe(nca, latent.HEIGHT, latent.WIDTH, start=start, beside=True)
    with pytest.raises(ValueError, match="codes is for latents, and there is no decoder"):
        describe(nca, latent.HEIGHT, latent.WIDTH, start=start, codes=torch.zeros(3, 3))


def test_the_picture_in_the_figures_place_shows_both():
    """As wide as both, so that what comes alive takes its place."""
    nca, decoder, start = latent.latent_automaton()
    html = to_html(nca, latent.HEIGHT, latent.WIDTH, decoder=decoder, start=start, beside=True)
    assert '<img class="nca-poster"' in html
    assert 'width="700"' in html


@pytest.mark.node
def test_an_erased_cell_is_told_that_nothing_is_known(simulate):
    """What is written is 0, what is only read is as given; a reset knows everything again."""
    (description, weights), _ = described(erased=torch.tensor([0.25]))
    assert description["erased"] == [0.25]
    disc = {"kind": "erase", "shape": "circle", "x": 3, "y": 2, "size": 1}
    before = simulate(description, weights)["state"][0]
    assert not (before[0] == 0.25).any()
    erased = simulate(description, weights, act(**disc))["state"][0]
    gone = erased[0] == 0.25
    assert gone.sum() == 5  # a disc of radius 1
    assert (erased[1:, gone] == 0).all()
    assert torch.equal(erased[:, ~gone], before[:, ~gone])
    again = simulate(description, weights, act(**disc), {"kind": "reset"})["state"][0]
    assert torch.equal(again, before)
    with pytest.raises(RuntimeError, match="erased is .*; expected nothing, or what each fixed"):
        simulate({**description, "erased": []}, weights)


def test_erased_is_for_fixed_channels():
    nca, decoder, start = latent.latent_automaton()
    grid = (nca, latent.HEIGHT, latent.WIDTH)
    with pytest.raises(ValueError, match="erased is for fixed channels, and this automaton has"):
        describe(*grid, decoder=decoder, start=start, erased=torch.zeros(1))
    nca, decoder, start = latent.latent_automaton(fixed=1)
    with pytest.raises(ValueError, match=r"erased of shape \[2\]; expected \[1\]"):
        describe(nca, *grid[1:], decoder=decoder, start=start, erased=torch.zeros(2))


@pytest.mark.node
def test_what_is_known_is_no_ink(node):
    """The picture of a cell is as bright, known or not."""
    layout = ChannelLayout(visible=3, hidden=0, fixed=1)
    nca = NCA(layout, ConvPerception(4, 4), MLPUpdate(4, 3, [4]), 1.0, None)
    start = torch.full((1, 4, 3, 5), 0.5)
    start[:, 0] = torch.rand(3, 5)
    told = describe(nca, 3, 5, start=start, erased=torch.ones(1))
    pixels = torch.tensor(node(*told, messages=[])["pixels"]).view(3, 5, 4)
    assert (pixels[..., :3] - 127.5).abs().max() <= 0.5
