"""Holes filled otherwise each time: codes as classes, drawn or nearest, and noise that stays."""

import pytest
import torch
import torch.nn.functional as F

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data.drawn_faces import drawn_faces
from ncabook.evaluation import fillings
from ncabook.evaluation import inpainting as evaluation
from ncabook.evaluation.filling import Filling
from ncabook.evaluation.inpainting import evaluate_inpainting
from ncabook.evaluation.inpainting_chance import Chance, agree, apart, diversity, draw
from ncabook.experiments import runner
from ncabook.live import describe
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks.inpainting_report import at
from ncabook.training.codes import code_logits, codes_apart, drawn_codes, surest_codes
from ncabook.training.holed import filled
from ncabook.training.inpainting import InpaintingConfig, InpaintingLearner
from tests.unit.test_inpainting import (
    HEIGHT,
    QUICK,
    WIDTH,
    Still,
    a_hole,
    autoencoder,
    automaton,
    content,
    few,  # noqa: F401
    learner,
    trained,  # noqa: F401
)
from tests.unit.test_pairs import gone_on_with


def with_codes():
    """An autoencoder whose codes are as far apart as its latents."""
    vqvae = autoencoder()
    with torch.no_grad():
        vqvae.codebook.copy_(torch.randn(16, 3, generator=torch.Generator().manual_seed(3)))
    return vqvae


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


# --- codes ---------------------------------------------------------------------------------------


def test_the_likeliest_code_is_the_one_that_the_autoencoder_takes():
    """Whatever mean and spread latents have: nearest is the same in training and decoding."""
    vqvae, latents = with_codes(), torch.randn(2, 3, 12, 10)
    mean, spread = (x[None, :, None, None] for x in (vqvae.latent_mean, vqvae.latent_spread))
    nearest = vqvae.quantise(latents * spread + mean).codes
    for temperature in (0.1, 3.0):
        logits = code_logits(vqvae, latents.movedim(1, -1), temperature)
        assert torch.equal(logits.argmax(-1), nearest)
    unit = vqvae.latent_spread.square().mean()
    distances = torch.cdist((latents * spread + mean).movedim(1, -1).flatten(0, 2), vqvae.codebook)
    expected = (-distances.square() / unit / 0.5).softmax(1)
    found = code_logits(vqvae, latents.movedim(1, -1), 0.5).softmax(-1).flatten(0, 2)
    assert torch.allclose(found, expected, atol=1e-5)


def test_cross_entropy_looks_into_the_hole_only_and_at_each_sample_alike():
    vqvae, wanted = with_codes(), torch.randn(2, 3, 12, 10)
    share = torch.zeros(2, 1, 12, 10)
    share[0, :, 0, 0], share[1, :, 4:8] = 1, 0.5
    made = torch.randn(2, 3, 12, 10, requires_grad=True)
    found = codes_apart(vqvae, made, wanted, share, 0.5)
    found.backward()
    inside = (share > 0).expand_as(made)
    assert (made.grad[inside] != 0).any()
    assert not made.grad[~inside].any()
    assert vqvae.codebook.grad is None
    alone = [
        codes_apart(vqvae, made[i : i + 1], wanted[i : i + 1], share[i : i + 1], 0.5)
        for i in range(2)
    ]
    assert found.item() == pytest.approx(sum(alone).item() / 2, rel=1e-5)


def test_cross_entropy_reaches_the_automaton_and_falls():
    """Of all that is learned from: without it the loss is 0, and so is every gradient."""
    one = learner(
        vqvae=with_codes(),
        iterations=60,
        pixels=0.0,
        codes=1.0,
        temperature=0.5,
        inside=1.0,
        overflow=0.0,
        holes={"cells": 1.0},
        optimizer={"kind": "soap", "learning_rate": 0.01},
    )
    sample = one.fresh(4)
    share = F.avg_pool2d(sample["missing"], 4)
    film = one.nca.rollout(sample["state"], 3, generator=dice())[None]
    end = film[-1][:, one.nca.layout.visible_slice]
    codes = codes_apart(one.vqvae, end, one.latents(sample), share, 0.5)
    codes.backward()
    assert any(bool(p.grad.abs().sum() > 0) for p in one.nca.parameters() if p.grad is not None)
    without = learner(vqvae=with_codes(), pixels=0.0, inside=1.0, holes={"cells": 1.0})
    difference = one.loss(film, sample) - without.loss(film, sample)
    assert difference.item() == pytest.approx(codes.item(), rel=1e-4)

    def unlike():
        with torch.no_grad():
            end = one.nca.rollout(sample["state"], 3, generator=dice())
            end = end[:, one.nca.layout.visible_slice]
            return codes_apart(one.vqvae, end, one.latents(sample), share, 0.5).item()

    before = unlike()
    for _ in range(60):  # half as many fall short where products are float32
        one.step(1.0)
    assert unlike() < 0.9 * before


def test_pictures_and_codes_are_compared_at_once():
    one, other = (
        learner(vqvae=with_codes(), codes=codes, temperature=0.5, pixels=1.0)
        for codes in (2.0, 0.0)
    )
    sample = one.fresh(4)
    film = torch.randn(1, 4, 9, 12, 10)
    share = F.avg_pool2d(sample["missing"], 4)
    codes = codes_apart(one.vqvae, film[-1][:, 4:7], one.latents(sample), share, 0.5)
    same = torch.arange(4)
    one.some = other.some = lambda count: same
    expected = other.loss(film, sample) + 2 * codes
    assert one.loss(film, sample).item() == pytest.approx(expected.item(), rel=1e-5)


# --- drawing -------------------------------------------------------------------------------------


def test_draws_that_grow_cold_are_the_nearest_codes():
    vqvae, latents, share = with_codes(), torch.randn(1, 3, 12, 10), torch.ones(1, 1, 12, 10)
    which = code_logits(vqvae, latents.movedim(1, -1)).argmax(-1)
    nearest = vqvae.normal_codes()[which].movedim(-1, 1)
    for relative in (0.0, 1e-6):
        cold = drawn_codes(vqvae, latents, share, dice(), 0.5, relative)
        assert torch.equal(cold, nearest)
    assert not torch.equal(drawn_codes(vqvae, latents, share, dice(), 0.5), nearest)
    nca = automaton()
    filling = Filling(nca, vqvae, "fixed")
    state, map_ = filling.begin(torch.rand(1, 3, HEIGHT, WIDTH), a_hole())
    cold = draw(filling, state, map_, dice(), 0.5, percent=0)
    assert torch.allclose(cold, filling.show(state, snapped=True), atol=1e-5)


def test_draws_follow_their_seed_and_leave_what_is_known():
    vqvae, latents = with_codes(), torch.randn(2, 3, 12, 10)
    share = torch.zeros(2, 1, 12, 10)
    share[:, :, 4:8] = 0.5
    one, again, other = (drawn_codes(vqvae, latents, share, dice(n), 0.5) for n in (0, 0, 1))
    assert torch.equal(one, again)
    differ = (one != other).any(1, keepdim=True)
    assert differ[share > 0].float().mean() > 0.1
    assert not differ[share == 0].any()


def test_codes_are_drawn_as_often_as_they_are_likely():
    """Also at half the temperature, which is the softmax of logits twice as large."""
    vqvae, latent = with_codes(), torch.tensor([0.3, -0.2, 0.1])
    latents = latent[None, :, None, None].expand(1, 3, 100, 100)
    for relative in (1.0, 0.5):
        found = drawn_codes(vqvae, latents, torch.ones(1, 1, 100, 100), dice(), 2.0, relative)
        apart_ = torch.cdist(found[0].flatten(1).T, vqvae.normal_codes())
        shares = torch.bincount(apart_.argmin(1), minlength=16) / 10_000
        expected = (code_logits(vqvae, latent, 2.0) / relative).softmax(0)
        assert torch.allclose(shares, expected, atol=0.02)


def test_the_surest_cells_of_a_hole_are_those_whose_code_is_likeliest():
    """So many of each sample, however large its hole is, and none outside."""
    vqvae, latents = with_codes(), torch.randn(2, 3, 12, 10)
    share = torch.zeros(2, 1, 12, 10)
    share[0, :, 4:8], share[1, :, 0, :3] = 1, 0.5
    codes, surest = surest_codes(vqvae, latents, share, dice(), 0.25, 0.5, relative=0)
    assert surest.sum((1, 2, 3)).tolist() == [10, 1]
    assert not surest[share == 0].any()
    assert torch.equal(codes, drawn_codes(vqvae, latents, share, dice(), 0.5, 0))
    likely = code_logits(vqvae, latents.movedim(1, -1), 0.5).softmax(-1).amax(-1)[:, None]
    left = (share > 0) & ~surest
    for sample in range(2):
        assert likely[sample][surest[sample]].min() >= likely[sample][left[sample]].max()
    with pytest.raises(ValueError, match="a part of 0; expected one above 0"):
        surest_codes(vqvae, latents, share, dice(), 0.0)


@pytest.mark.parametrize("known", ["fixed", "condition", "kept"])
def test_codes_are_agreed_on_in_rounds(known):
    """One round draws each cell by itself; what was drawn earlier is known to the others."""
    nca = automaton(known)
    with torch.no_grad():
        for parameter in nca.update.parameters():
            parameter.normal_(0, 0.3, generator=dice())
    filling = Filling(nca, with_codes(), known)
    images, hole = torch.rand(2, 3, HEIGHT, WIDTH), a_hole(2)
    state, map_ = filling.begin(images, hole)
    before = state.clone(), map_.clone()
    at_once = agree(filling, state, map_, dice(), 0.5, rounds=1)
    assert torch.allclose(at_once, draw(filling, state, map_, dice(), 0.5), atol=1e-5)
    one, again, other = (
        agree(filling, state, map_, dice(n), 0.5, rounds=3, between=2) for n in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert not torch.equal(one, at_once)
    assert torch.equal(state, before[0])
    assert torch.equal(map_, before[1])
    told = filling.learn(state, map_ * 0 + 1, map_[:, -1:] > 0)
    layout = nca.layout
    assert (told[:, layout.visible_slice][(map_[:, -1:] > 0).expand(-1, 3, -1, -1)] == 1).all()
    if known != "condition":
        assert (told[:, :4] == 1).all()


def test_diversity_is_the_deviation_of_a_pixel_in_the_hole():
    missing = a_hole()
    pictures = [torch.zeros(1, 3, HEIGHT, WIDTH), torch.zeros(1, 3, HEIGHT, WIDTH)]
    pictures[1] += missing * 0.4
    pictures[0][:, :, 0] = 1  # outside of it nothing counts
    expected = torch.tensor([0.0, 0.4]).std().item()
    found = apart(pictures, missing)
    assert found["deviation"] == pytest.approx(expected)
    assert apart(pictures[:1] * 2, missing)["deviation"] == 0


def test_fillings_differ_by_what_is_drawn():
    """More, the warmer; by coins not at all while the automaton does nothing."""
    one = automaton()
    nca = Still(one.layout, one.perception, one.update, living_threshold=None)
    filling = Filling(nca, with_codes(), "fixed")
    truth = drawn_faces(2, 0, HEIGHT, WIDTH).float() / 255
    found = diversity(filling, truth, a_hole(2), 2, 0, Chance(temperature=2.0))
    assert (found["pictures"], found["seeds"]) == (2, 8)
    assert found["coins"]["deviation"] == 0
    assert 0 < found["drawn 30"]["deviation"] < found["drawn 100"]["deviation"]
    assert 0 < found["agreed 30"]["deviation"] < found["agreed 100"]["deviation"]
    assert found == diversity(filling, truth, a_hole(2), 2, 0, Chance(temperature=2.0))


# --- noise ---------------------------------------------------------------------------------------


def noisy(known="condition", noise=2):
    """An automaton with room for noise, and one that learns."""
    torch.manual_seed(1)
    told = 4 if known == "condition" else 0
    layout = ChannelLayout(3, 2, fixed=4 - told + noise)
    sees = ConvPerception(layout.channels, 8, condition_channels=told)
    return NCA(layout, sees, MLPUpdate(8, 5, (8,)), living_threshold=None)


def noisy_learner(known="condition"):
    config = InpaintingConfig(**content()["training"])
    images = drawn_faces(6, 0, HEIGHT, WIDTH)
    return InpaintingLearner(noisy(known), autoencoder(), images, known, config, 0, noise=2)


@pytest.mark.parametrize("known", ["fixed", "condition", "kept"])
def test_noise_lies_behind_what_is_known_and_no_step_writes_it(known):
    one = noisy_learner(known)
    sample = one.fresh(16)
    fixed = one.nca.layout.fixed
    noise = sample["state"][:, fixed - 2 : fixed]
    assert noise.mean().abs() < 0.1
    assert noise.std() == pytest.approx(1, abs=0.1)
    assert not torch.equal(noise[0], noise[1])
    share = F.avg_pool2d(sample["missing"], 4)
    map_ = sample["known"] if known == "condition" else sample["state"][:, :4]
    assert torch.equal(map_[:, 3:], share)
    end = one.nca.rollout(sample["state"], 2, one.condition(sample), generator=dice())
    assert torch.equal(end[:, fixed - 2 : fixed], noise)
    shown = filled(one.nca.layout, end, known)
    if known == "kept":
        whole = (share == 0).expand_as(shown)
        assert torch.equal(shown[whole], map_[:, :3][whole])
    else:
        assert torch.equal(shown, end[:, fixed : fixed + 3])


def test_noise_is_drawn_anew_for_another_hole_or_picture_only():
    one = noisy_learner()
    old = one.fresh(4)
    hurt = one.hurt({name: values.clone() for name, values in old.items()})
    assert not (hurt["state"][:, :2] == old["state"][:, :2]).any()
    fresh = one.fresh(4)
    new = one.mutate(old, fresh)
    assert torch.equal(new["state"][:, :2], fresh["state"][:, :2])
    assert torch.equal(new["state"][:, 2:], old["state"][:, 2:])
    again = noisy_learner().fresh(4)
    assert torch.equal(again["state"], old["state"])


def test_fillings_differ_by_their_noise():
    filling = Filling(noisy(), autoencoder(), "condition", noise=2)
    with torch.no_grad():
        for parameter in filling.nca.update.parameters():
            parameter.normal_(generator=dice())
    truth = drawn_faces(2, 0, HEIGHT, WIDTH).float() / 255
    missing = a_hole(2)
    one, again, other = (filling.begin(truth, missing, n)[0] for n in (0, 0, 1))
    assert torch.equal(one, again)
    assert torch.equal(one[:, 2:], other[:, 2:])
    assert not (one[:, :2] == other[:, :2]).any()
    found = diversity(filling, truth, missing, 4, 0, Chance(noise=2))
    assert set(found) == {"pictures", "seeds", "coins", "noise"}
    assert found["noise"]["deviation"] != found["coins"]["deviation"]


def test_channels_that_do_not_fit_are_one_line():
    expected = "4 of condition; expected 2 and 4: .* beside 2 of noise"
    with pytest.raises(ValueError, match="0 fixed channels and " + expected):
        Filling(automaton("condition"), autoencoder(), "condition", noise=2)
    with pytest.raises(ValueError, match="2 fixed channels and 4 of condition; expected 0 and 4"):
        Filling(noisy(), autoencoder(), "condition")


def test_a_live_figure_begins_with_its_noise(tmp_path, trained):  # noqa: F811
    """It lies in the start; where erasing would level it, there is one line, and no figure."""
    raw = content(trained, "condition", iterations=2)
    raw["model"]["noise"] = 2
    experiment = experiment_from(raw, "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    model = zoo.load(str(tmp_path / "run"))
    shown = model.live()
    assert shown["start"][0, :2].std() == pytest.approx(1, abs=0.2)
    assert torch.equal(shown["start"], model.live()["start"])
    described, _ = describe(model.nca, **shown)
    assert described["fixed"] == 2
    assert "erased" not in described
    raw["model"]["known"] = "kept"
    experiment = experiment_from(raw, "here")
    with pytest.raises(TypeError, match="2 channels of noise beside what is known.*: condition"):
        task_of(experiment).live(experiment, noisy("kept"), {"pictures": autoencoder()})


# --- as a whole ----------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Measuring without what takes long."""
    monkeypatch.setattr(fillings, "LARGEST", 10)
    monkeypatch.setattr(
        "ncabook.tasks.inpainting.evaluate_inpainting",
        lambda *arguments, aligned, **how: evaluate_inpainting(*arguments, QUICK, aligned, **how),
    )
    monkeypatch.setattr(
        "ncabook.evaluation.fillings.lpips_distance", lambda a, b: 0 * a[:, 0, 0, 0]
    )
    monkeypatch.setattr("ncabook.evaluation.fillings.lpips_map", lambda a, b: 0 * a[:, :1])
    monkeypatch.setattr(evaluation, "evaluate_further", lambda *_: {})


def test_codes_are_learned_measured_and_told_of(tmp_path, trained, quick):  # noqa: F811
    """A killed training goes on to the bit; drawn codes have rows beside the nearest ones."""
    raw = content(trained, "condition", codes=0.5)
    raw["model"]["noise"] = 1
    experiment = experiment_from(raw, "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    metrics = runner.evaluate_model(str(tmp_path / "straight"), save=True)
    assert zoo.read_card(tmp_path / "straight").metrics == metrics
    assert set(metrics["rows"]["drawn"]) == set(metrics["rows"]["agreed"]) == {"30", "100"}
    drawings = {f"{way} {percent}" for way in ("drawn", "agreed") for percent in (30, 100)}
    differing = {"coins", "noise", *drawings}
    assert set(metrics["diversity"]) == {"pictures", "seeds", *differing}
    report = task_of(experiment).report(metrics)
    for each in report.measured:
        assert at(metrics, each.key) == each.value
    for words in ("step 4, codes drawn at 30 %", "8 fillings, other noise"):
        assert words in report.text()


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {"codes": -1.0}}, "training.codes: Input should be greater than or equal"),
        ({"model": {"noise": -1}}, "model.noise: Input should be greater than or equal to 0"),
        ({"training": {"temperature": 0.0}}, "training.temperature: Input should be greater"),
    ],
    ids=str,
)
def test_experiments_that_cannot_be_are_one_line(change, message):
    raw = content()
    for part, fields in change.items():
        raw[part] = {**raw[part], **fields}
    with pytest.raises(ConfigError) as caught:
        experiment_from(raw, "here")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_temperatures_that_cannot_be_are_one_line():
    vqvae, latents, share = with_codes(), torch.randn(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    with pytest.raises(ValueError, match="a temperature of 0; expected one above 0"):
        code_logits(vqvae, latents.movedim(1, -1), 0.0)
    with pytest.raises(ValueError, match="relative temperature of -1; expected 0 or more"):
        drawn_codes(vqvae, latents, share, dice(), relative=-1.0)
