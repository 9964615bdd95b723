"""A picture of one's own, from the command line to a page; and films of what grows."""

from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from ncabook import cli, zoo

films, growing = (import_module(f"ncabook.cli.{name}") for name in ("film", "grow"))
run = CliRunner()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a drawing on white, as a camera or a child gives it."""
    monkeypatch.chdir(tmp_path)
    image = Image.new("RGB", (90, 60), "white")
    ImageDraw.Draw(image).ellipse((10, 20, 70, 50), fill="green")
    image.save("My Cat.jpg", quality=95)
    image.save("film.gif", save_all=True, append_images=[Image.new("RGB", (90, 60), "blue")])
    return tmp_path


def grow(*words):
    return run.invoke(cli.app, ["grow", *words, "--device", "cpu"])


def test_one_command_makes_a_model_a_page_and_says_how_to_go_on(here):
    done = grow("My Cat.jpg", "--size", "12", "--iterations", "3")
    assert done.exit_code == 0, done.output
    assert "My Cat.jpg: the white around it is taken as no part of it" in done.output
    folder = here / "runs/my-cat"
    assert "<html" in (folder / "my-cat.html").read_text("utf-8")
    longer = "'My Cat.jpg' --iterations 15 --size 12 --output runs/my-cat-longer"
    assert f"ncabook grow {longer}" in done.output  # as large as this one
    (here / "My Cat.jpg").unlink()
    model = zoo.load(str(folder))  # the picture is in the card
    data = model.card.experiment.data
    assert data.box == (6, 12), "cut to what is seen, twice as wide as high"
    assert model.targets[0, 3].sum() > 0.6 * 6 * 12


def test_while_it_is_trained_it_can_be_looked_at(here):
    """In a file and, in a terminal, as blocks of colour; training is not disturbed by it."""
    seen = []

    class Twice(growing.Looks):
        def __call__(self, loop):
            before = torch.get_rng_state()
            self.since = -1e9
            super().__call__(loop)
            assert torch.equal(before, torch.get_rng_state())
            seen.append(growing.grown(loop))

    weights = []
    for look in (growing.Looks, Twice):
        growing.Looks, kept = look, growing.Looks
        try:
            folder = f"out{len(weights)}"
            done = grow("My Cat.jpg", "--size", "12", "--iterations", "3", "--output", folder)
        finally:
            growing.Looks = kept
        assert done.exit_code == 0, done.output
        weights.append(zoo.load(folder).card.weights_sha256)
    assert weights[0] == weights[1]
    assert len(seen) == 3
    assert seen[0].shape == (14, 20, 3)
    assert (here / "out1/now.png").exists()
    assert growing.blocks(seen[0]).count(growing.BLOCK) == 7 * 20


def test_bad_pictures_are_one_line_and_leave_nothing(here):
    (here / "words.png").write_text("no picture")
    Image.new("RGB", (20, 20), "white").save("white.png")
    for words, said in (
        (["nothing.png"], "nothing.png: no such file"),
        (["words.png"], "not an image that can be read"),
        (["white.png"], "white.png is all background"),
        (["My Cat.jpg"] * 200, "200 pictures for one automaton; expected 20 or fewer"),
        (["My Cat.jpg", "--background", "blue"], "expected transparent or white"),
    ):
        done = grow(*words)
        assert done.exit_code != 0
        assert said in str(done.exception)
    assert not (here / "runs").exists()


def test_a_picture_is_decoded_once(here, monkeypatch):
    """A photograph of a telephone takes a second each time, and half a gigabyte."""
    images = import_module("ncabook.data.images")
    decode, seen = images._decoded, []
    monkeypatch.setattr(images, "_decoded", lambda s: seen.append(s) or decode(s))
    for background in (None, "white"):
        growing.experiment([here / "My Cat.jpg"], "cat", 12, background, 1, 0)
        assert len(seen) == 1
        seen.clear()


@pytest.mark.parametrize(("count", "size", "kept"), [(1, 128, 256), (2, 128, 256), (20, 64, 64)])
def test_large_pictures_fit_into_an_experiment_file(here, count, size, kept):
    """The worst that there is, noise: less of it is kept, and no more than a file may hold."""
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    files = [here / f"{number}.png" for number in range(count)]
    for file in files:
        Image.fromarray(noise).save(file)
    made = growing.experiment(files, "noise", size, None, 1, 0)
    assert sum(map(len, made["data"]["images"].values())) < 10**6
    found = growing.experiments.experiment_from(made, "here")
    assert found.data.box == (size, size)
    first = import_module("ncabook.tasks.picture_data")._inside("0", made["data"]["images"]["0"])
    assert first.size == (kept, kept)


def test_what_fits_into_no_experiment_file_is_refused(here):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    Image.fromarray(noise).save("noise.png")
    done = grow(*["noise.png"] * 20, "--size", "128")
    assert "20 pictures of 128 cells are too much for one experiment file" in str(done.exception)


def test_a_file_of_a_long_name(here):
    long = here / f"{'a photograph ' * 15}.jpg"
    (here / "My Cat.jpg").rename(long)
    made = growing.experiment([long, long], growing.plain_name(long.stem), 12, None, 1, 0)
    found = growing.experiments.experiment_from(made, "here")
    assert found.name == "a-photograph-a-photograph-a-photograph-a-photograph-a-photog"
    assert len(found.data.classes) == 2


def test_a_folder_with_a_run_is_left_alone(here):
    assert grow("My Cat.jpg", "--size", "12", "--iterations", "2").exit_code == 0
    card = (here / "runs/my-cat/card.json").read_bytes()
    done = grow("My Cat.jpg", "--size", "16", "--iterations", "2")
    assert "runs/my-cat already holds a run; name another folder" in str(done.exception)
    assert (here / "runs/my-cat/card.json").read_bytes() == card


def test_of_several_frames_the_first_is_taken_and_said(here):
    done = grow("film.gif", "--size", "12", "--iterations", "1")
    assert "film.gif: of its 2 frames the first is taken" in done.output


def test_a_film_grows_is_hurt_and_heals(here):
    file = here / "fish.gif"
    words = ["film", "emoji-conv3", str(file), "--class", "🐠", "--steps", "80", "--pixels", "2"]
    done = run.invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    with Image.open(file) as film:
        count = film.n_frames
        ink = []
        for number in (0, 19, 20, count - 1):
            film.seek(number)
            ink.append(float((255 - np.asarray(film.convert("L"), float)).mean()))
    assert count == 41
    seed, whole, half, last = ink
    assert seed < 0.05 * whole
    assert half < 0.75 * whole
    assert last > 0.9 * whole


def test_films_that_cannot_be_are_refused(here, monkeypatch):
    monkeypatch.setattr(films.shutil, "which", lambda _: None)
    (here / "there.gif").write_text("x")
    for words, said in (
        (["emoji-conv3", "a.txt"], "ends in .gif"),
        (["emoji-conv3", "a.mp4"], "ffmpeg is not installed"),
        (["emoji-conv3", "there.gif"], "exists; add --force"),
        (["emoji-conv3", "a.gif", "--class", "cat"], "--class cat: expected one of 😀"),
        (["mnist-mse", "a.gif"], "grows no picture"),
    ):
        done = run.invoke(cli.app, ["film", *words])
        assert done.exit_code != 0
        assert said in str(done.exception), done.output
