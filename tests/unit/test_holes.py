"""Pictures with holes: what is missing, where pictures come from, and who may not be shown."""

import io
import tarfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ncabook import zoo
from ncabook.data import faces as faces_module
from ncabook.data import pictures as pictures_module
from ncabook.data import textures as textures_module
from ncabook.data.drawn_faces import drawn_faces
from ncabook.data.faces import FACES, FEATURES, faces
from ncabook.data.holes import FIELDS, erased, holes, random_holes
from ncabook.data.pictures import read_hole, read_pictures
from ncabook.data.registry import DataUnavailableError
from ncabook.data.textures import many_photographs, textures
from ncabook.evaluation.filling import Filling
from ncabook.files import CorruptFileError
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from
from ncabook.training.autoencoder import AutoencoderLearner
from tests.unit.test_autoencoder import content, learner


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(FIELDS)),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3),
    st.sampled_from([1, 4]),
)
def test_any_share_of_a_picture_can_be_missing(kind, shares, cell):
    """To half a pixel, or half a cell; cells are missing as a whole or not at all."""
    found = holes(torch.tensor(shares), kind, 24, 32, dice(), cell)
    assert found.shape == (len(shares), 1, 24, 32)
    assert set(found.unique().tolist()) <= {0.0, 1.0}
    missing = found.mean((1, 2, 3)) * 24 * 32 / cell**2
    wanted = torch.tensor(shares) * 24 * 32 / cell**2
    assert (missing - wanted).abs().max() <= 0.5 + 1e-4
    small = found[:, :, ::cell, ::cell]
    assert torch.equal(torch.nn.functional.interpolate(small, scale_factor=cell), found)


def test_holes_are_what_they_are_called():
    """A disc is convex and round, a half has a straight border, strokes are thin and long."""
    share = torch.full((8,), 0.2)
    disc, half, stroke = (holes(share, kind, 64, 64, dice()) for kind in ("disc", "half", "stroke"))

    def border(mask):
        return float((mask.diff(dim=2).abs().sum() + mask.diff(dim=3).abs().sum()) / len(mask))

    assert border(half) < border(disc) < border(stroke)
    assert len(holes(share, "cells", 64, 64, dice()).flatten(1).unique(dim=0)) == 8


def test_random_holes_are_of_all_kinds_and_sizes_and_the_same_again():
    found = random_holes(64, 24, 16, dice(), share=(0.1, 0.6))
    shares = found.mean((1, 2, 3))
    assert shares.min() < 0.2
    assert shares.max() > 0.5
    assert torch.equal(found, random_holes(64, 24, 16, dice(), share=(0.1, 0.6)))
    one = random_holes(4, 24, 16, dice(), kinds=["half"])
    assert one.any()


def test_what_is_erased_is_gray_or_nothing_and_the_rest_is_untouched():
    missing = random_holes(2, 8, 8, dice())
    for channels, empty in ((3, 0.5), (4, 0.0), (1, 0.0)):
        images = torch.rand(2, channels, 8, 8)
        hurt = erased(images, missing)
        inside = missing.expand_as(images) > 0
        assert (hurt[inside] == empty).all()
        assert torch.equal(hurt[~inside], images[~inside])


def test_holes_that_do_not_fit_are_one_line():
    images = torch.rand(2, 3, 8, 8)
    with pytest.raises(
        ValueError, match=r"shape \[2, 1, 8, 4\]; expected \[2, 1, 8, 8\], one chan"
    ):
        erased(images, torch.zeros(2, 1, 8, 4))
    with pytest.raises(ValueError, match=r"expected \[2, 1, 8, 8\]"):
        erased(images, torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="kind 'star'; expected one of disc, discs, stroke"):
        holes(torch.tensor([0.5]), "star", 8, 8, dice())
    with pytest.raises(ValueError, match="pictures of 10×8; expected sides divisible by 4"):
        holes(torch.tensor([0.5]), "disc", 10, 8, dice(), cell=4)


# --- pictures ------------------------------------------------------------------------------------


def archive_of(path, files):
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:xz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"celebA/{name}.jpg")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def jpeg(gray, size=(89, 109)):
    data = io.BytesIO()
    Image.new("RGB", size, (gray, gray, gray)).save(data, "JPEG", quality=95)
    return data.getvalue()


@pytest.fixture
def given_faces(tmp_path, monkeypatch):
    """Makes an archive of gray faces, by name, to be found in place of CelebA's."""
    path = tmp_path / FACES.files[0].path
    monkeypatch.setattr(type(FACES), "fetch", lambda self, _: path)
    monkeypatch.setattr(faces_module, "HELD_OUT", 2)
    return lambda files: archive_of(path, files)


def test_the_last_files_are_held_out_whatever_their_order(given_faces):
    given_faces({name: jpeg(gray) for name, gray in (("5", 50), ("1", 10), ("4", 40), ("2", 20))})
    train, test = faces("train"), faces("test")
    assert train.shape == test.shape == (2, 3, 104, 88)
    assert train[:, 0, 0, 0].tolist() == pytest.approx([10, 20], abs=2)
    assert test[:, 0, 0, 0].tolist() == pytest.approx([40, 50], abs=2)
    with pytest.raises(ValueError, match="split is 'all'; expected train or test"):
        faces("all")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"no picture", r"celebA/3.jpg of .* is no image that can be read"),
        (jpeg(3, (40, 40)), r"celebA/3.jpg of .* has 40×40 pixels; expected 88×104 at least"),
    ],
)
def test_files_that_are_no_faces_are_one_line(given_faces, file, message):
    given_faces({"1": jpeg(1), "2": jpeg(2), "3": file})
    with pytest.raises(CorruptFileError, match=message) as caught:
        faces("test")
    assert len(str(caught.value).splitlines()) == 1


def test_missing_faces_say_why_nobody_offers_them(monkeypatch, no_network):
    monkeypatch.delenv("NCABOOK_DATA", raising=False)
    with pytest.raises(DataUnavailableError, match=r"22 MB.*terms allow no copy.*`drawn-faces`"):
        faces("test")
    with pytest.raises(DataUnavailableError, match="of DTD .* is not here"):
        textures("test", 32, 32)


def test_drawn_faces_differ_and_have_features_where_photographs_do(no_network):
    """Between two, eyes are where pixels change most from what is beside them."""
    some = drawn_faces(6, 0)
    assert some.shape == (6, 3, 104, 88)
    assert some.dtype == torch.uint8
    assert torch.equal(some, drawn_faces(6, 0))
    assert len({x.numpy().tobytes() for x in (*some, *drawn_faces(6, 1))}) == 12
    gray = some.float().mean(1)
    for top, bottom, left, right in FEATURES.values():
        feature = gray[:, top:bottom, left:right].std((1, 2))
        cheek = gray[:, 63:68, 28:36].std((1, 2))
        assert (feature > 2 * cheek).all()
    assert drawn_faces(1, 0, 52, 44).shape == (1, 3, 52, 44)


def test_parts_of_textures_are_of_other_photographs_to_test_with(tmp_path, monkeypatch):
    """A photograph is gray here, with its number; the same parts come each time."""
    numbers = {file.path: at for at, file in enumerate(many_photographs().files)}
    for path, at in numbers.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (60, 50), 3 * at).save(tmp_path / path, "PNG")
    monkeypatch.setattr(type(many_photographs()), "fetch", lambda self, file: tmp_path / file.path)
    monkeypatch.setattr(textures_module, "PARTS", {"train": 2, "test": 3})
    train, test = textures("train", 32, 40), textures("test", 32, 40)
    assert train.shape == (128, 3, 32, 40)
    assert test.shape == (39, 3, 32, 40)
    assert not set(train.unique().tolist()) & set(test.unique().tolist())
    with pytest.raises(ValueError, match="has 60×50 pixels; parts of 64×32 need as many"):
        textures("test", 32, 64)


def test_pictures_of_ones_own_are_fitted_and_holes_are_white(tmp_path):
    """The middle of a wide one; names in order; what a system hides in folders is left out."""
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("blue", (30, 0, 60, 30))
    wide.save(tmp_path / "b.png")
    Image.new("L", (16, 40), 255).save(tmp_path / "a.png")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    found = read_pictures(tmp_path, 16, 16)
    assert found.shape == (2, 3, 16, 16)
    assert torch.allclose(found[0], torch.ones(3, 16, 16), atol=1e-5)
    assert found[1, :, 8, 8].tolist() == pytest.approx([0, 0, 1], abs=0.01)
    drawn = Image.new("L", (16, 24), 0)
    drawn.paste(255, (0, 0, 4, 4))
    (tmp_path / "holes").mkdir()
    drawn.save(tmp_path / "holes" / "h.png")
    hole = read_hole(tmp_path / "holes" / "h.png", 24, 16)
    assert hole.sum() == 16
    assert hole[0, 0, :4, :4].all()
    with pytest.raises(ValueError, match="h.png has 16×24 pixels; expected 16×16, as the picture"):
        read_hole(tmp_path / "holes" / "h.png", 16, 16)


def test_they_are_filled_as_the_module_says(tmp_path, monkeypatch):
    """Its example, word by word: it fills the hole, and leaves the rest much as it is."""
    (tmp_path / "faces").mkdir()
    face = drawn_faces(1, 0, 104, 88)[0]
    Image.fromarray(face.permute(1, 2, 0).numpy()).save(tmp_path / "faces" / "mine.png")
    hole = Image.new("L", (88, 104))
    hole.paste(255, (30, 40, 60, 70))
    hole.save(tmp_path / "hole.png")
    monkeypatch.chdir(tmp_path)
    example = "\n".join(
        line.removeprefix("    ") for line in pictures_module.__doc__.splitlines()[4:]
    )
    known = {"zoo": zoo, "Filling": Filling, "torch": torch} | vars(pictures_module)
    exec(example, known)
    found = known["filled"]
    assert found.shape == (1, 3, 104, 88)
    apart = (found[0] - face / 255).abs().mean(0)
    assert apart[:35].mean() < 0.1


def test_folders_without_pictures_are_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no folder; expected one with image files"):
        read_pictures(tmp_path / "none", 16, 16)
    with pytest.raises(FileNotFoundError, match="holds no files; expected at least one image"):
        read_pictures(tmp_path, 16, 16)
    (tmp_path / "list.txt").write_text("no picture")
    with pytest.raises(CorruptFileError, match="list.txt is not an image that can be read") as told:
        read_pictures(tmp_path, 16, 16)
    assert len(str(told.value).splitlines()) == 1
    with pytest.raises(CorruptFileError, match="list.txt is not an image"):
        read_hole(tmp_path / "list.txt", 16, 16)


# --- an autoencoder of them ----------------------------------------------------------------------


def test_pictures_need_not_be_square():
    raw = content(crop=None)
    raw["data"] = {"name": "drawn-faces", "side": 40, "height": 48}
    experiment = experiment_from(raw, "here")
    assert experiment.data.size == (48, 40)
    one = AutoencoderLearner(
        learner().vqvae, drawn_faces(4, 0, 48, 40), experiment.training, seed=0
    )
    assert one.batch().shape == (4, 3, 48, 40)
    assert one.step(1.0)["loss"] > 0


def test_some_pictures_of_a_batch_have_holes():
    """A quarter of four; it is asked for as it is, hole and all."""
    images = torch.full((2, 3, 32, 32), 255, dtype=torch.uint8)
    assert (learner(images, crop=None).batch() == 1).all()
    batch = learner(images, crop=None, holes=0.25).batch()
    assert (batch[0] == 0.5).any()
    assert (batch[1:] == 1).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "faces", "side": 96, "height": 104}, "faces of 96×104 pixels; expected at most"),
        ({"name": "outlines", "side": 32, "height": 40}, "outlines are square; leave it out"),
        ({"name": "faces", "part": "drawings", "side": 88}, "which faces have none of"),
        ({"name": "textures", "side": 32, "height": 20}, "height: Input should be a multiple"),
    ],
)
def test_pictures_that_cannot_be_are_one_line(data, message):
    with pytest.raises(ConfigError, match=message):
        experiment_from(content() | {"data": data}, "here")


def test_crops_fit_the_height_too():
    raw = content(crop=48)
    raw["data"] = {"name": "drawn-faces", "side": 56, "height": 40}
    with pytest.raises(ConfigError, match="crop is 48; expected a multiple of 4, at most data.hei"):
        experiment_from(raw, "here")
