"""One's own pictures as classes: of any shape, fitted and never stretched, never all nothing."""

from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ncabook import experiments
from ncabook.data import images
from ncabook.data.emoji import emoji, glyph_file
from ncabook.data.emoji_sets import emoji_noto
from ncabook.data.images import MOST_PIXELS, frames_of, has_white_around, read_rgba
from ncabook.files import CorruptFileError
from ncabook.reading import ConfigError, parse
from ncabook.tasks.growth import GrowthExperiment
from ncabook.tasks.picture_data import PictureData, as_source


def disc(side=60, ground=(255, 255, 255), mode="RGB"):
    """A red disc with a white hole in its middle, as people draw it: on white."""
    image = Image.new(mode, (side, 2 * side), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, side // 2, side - 4, 3 * side // 2 - 8), fill="red")
    draw.ellipse((22, side - 12, side - 22, side + 4), fill="white")
    return image


@pytest.fixture
def files(tmp_path):
    for name, image in (
        ("cat.png", disc()),
        ("dog.png", disc(ground=(0, 0, 0, 0), mode="RGBA")),
        ("blank.png", Image.new("RGB", (30, 30), "white")),
    ):
        image.save(tmp_path / name)
    return tmp_path


def data(files, **changes):
    given = {"images": [str(files / "cat.png")], "size": 20, "padding": 3} | changes
    return parse(PictureData, given, "here")


def test_pictures_are_fitted_and_centred_and_never_stretched(files):
    """Twice as high as wide: of 20 cells it has 20 in height and 10 in width, whatever the box."""
    (square,) = data(files).build()
    assert square.shape == (4, 26, 26)
    rows, columns = square[3].amax(1) > 0, square[3].amax(0) > 0
    assert rows.nonzero()[[0, -1], 0].tolist() == [3, 22]
    assert columns.nonzero()[[0, -1], 0].tolist() == [8, 17]
    (high,) = data(files, size=[20, 10]).build()
    assert torch.equal(high, square[:, :, 5:21])


def test_white_around_a_picture_is_no_part_of_it_and_white_inside_is(files):
    (whole,) = data(files).build()
    (cut,) = data(files, background="white").build()
    assert whole[3, 4, 8] == 1
    assert cut[3, 4, 8] == 0
    row, column = 3 + 10 - 1, 3 + 10
    assert cut[3, row, column] > 0.9, "the hole in the middle is white, and joined to no edge"
    (own,) = data(files, images=[str(files / "dog.png")]).build()
    assert (own - cut).abs().mean() < 0.02


def test_classes_are_glyphs_then_images_by_name(files):
    both = data(files, glyphs=["🦎"], images={"Minka": str(files / "cat.png")}, size=[12, 16])
    assert both.classes == ["🦎", "Minka"]
    assert both.build().shape == (2, 4, 18, 22)
    assert torch.equal(both.build()[0], emoji("🦎", (12, 16), 3))


def test_a_picture_inside_the_file_needs_no_other(files):
    inside = data(files, images={"cat": as_source(disc())})
    assert torch.equal(inside.build(), data(files).build())


def test_an_experiment_on_a_grid_that_is_no_square(files, tmp_path):
    path = tmp_path / "cat.yaml"
    text = (experiments.FOLDER / "emoji/emoji-conv3.yaml").read_text("utf-8")
    start, end = text.index("data:"), text.index("model:")
    own = f"data: {{images: [{files / 'cat.png'}], size: [20, 10], padding: 4}}\n"
    path.write_text(
        text[:start] + own + text[end:].replace("mutation: 0.34", "mutation: 0.0"), "utf-8"
    )
    found = experiments.load_experiment(path)
    assert isinstance(found, GrowthExperiment)
    assert (found.data.height, found.data.width) == (28, 18)


def refused(files, **changes):
    with pytest.raises((ConfigError, CorruptFileError, ValueError, OSError)) as caught:
        data(files, **changes).build()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_pictures_are_refused_in_one_line(files, tmp_path):
    assert "blank.png is all background" in refused(
        files, images=[str(files / "blank.png")], background="white"
    )
    (tmp_path / "words.png").write_text("no picture")
    assert "not an image that can be read" in refused(files, images=[str(tmp_path / "words.png")])
    assert "nothing.png" in refused(files, images=[str(tmp_path / "nothing.png")])
    assert "neither glyphs nor images" in refused(files, images=[])
    assert "two files are named cat" in refused(files, images=["a/cat.png", "b/cat.jpg"])
    assert "is a glyph and names an image" in refused(files, glyphs=["🦎"], images={"🦎": "a.png"})
    assert "expected data:image/png;base64" in refused(files, images={"a": "data:image/png,zz"})
    for size in (0, [1, 2, 3], [4], "large", 10**6, True):
        assert "or two: [height, width]" in refused(files, size=size)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path):
    side = int((MOST_PIXELS * 1.25) ** 0.5)
    Image.fromarray(np.zeros((side, side), np.uint8)).save(tmp_path / "huge.png")
    message = refused(tmp_path, images=[str(tmp_path / "huge.png")])
    assert "50 megapixels; expected 40 or fewer: scale it down first" in message


def test_a_photograph_of_too_many_pixels_is_decoded_with_halved_sides(tmp_path, monkeypatch):
    """As telephones make them, of 50 megapixels: what a JPEG's decoder never makes is free."""
    photo = Image.new("RGB", (120, 80), "blue")
    photo.paste("red", (0, 0, 60, 80))
    photo.save(tmp_path / "photo.jpg", quality=95)
    for most, size in ((9600, (80, 120)), (9599, (40, 60)), (2399, (20, 30)), (200, (10, 15))):
        monkeypatch.setattr(images, "MOST_PIXELS", most)
        pixels = read_rgba(tmp_path / "photo.jpg")
        assert tuple(pixels.shape[1:]) == size
        assert pixels[:3, 5, 2].tolist() == pytest.approx([1, 0, 0], abs=0.1)
        assert pixels[:3, 5, -3].tolist() == pytest.approx([0, 0, 1], abs=0.1)
    monkeypatch.setattr(images, "MOST_PIXELS", 100)  # an eighth of its sides is as far as it goes
    with pytest.raises(ValueError, match="photo.jpg has 0 megapixels; expected 0 or fewer"):
        read_rgba(tmp_path / "photo.jpg")


def test_of_an_animation_the_first_frame(tmp_path):
    frames = [disc(), Image.new("RGB", (60, 120), "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    assert frames_of(tmp_path / "film.gif") == 2
    (film,) = data(tmp_path, images=[str(tmp_path / "film.gif")]).build()
    disc().save(tmp_path / "still.gif")
    (still,) = data(tmp_path, images=[str(tmp_path / "still.gif")]).build()
    assert torch.equal(film, still)


def test_what_stands_on_white_is_seen():
    assert has_white_around(disc())
    assert has_white_around(read_rgba(disc()))
    assert not has_white_around(disc(ground=(0, 0, 0, 0), mode="RGBA"))
    assert not has_white_around(disc(ground=(90, 120, 40)))


@pytest.mark.parametrize("glyph", ["👨‍👩‍👧", "🇦🇹", "👋🏽", "1️⃣", "❤️", "❤", "🐈‍⬛", "🏳️‍🌈"])
def test_joined_emojis_flags_skin_tones_and_keycaps_are_known(glyph, monkeypatch):
    asked = []
    monkeypatch.setattr(import_module("ncabook.data.emoji"), "get", asked.append)
    glyph_file(glyph)
    assert asked[0] in emoji_noto().files


def test_what_noto_does_not_draw_is_refused():
    with pytest.raises(ValueError, match=r"'ab' \(U\+0061 U\+0062\) is not an emoji that Noto"):
        glyph_file("ab")
