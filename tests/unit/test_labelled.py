"""MNIST, CIFAR-10 and their stand-in: the right pixels with the right labels, honest errors."""

import gzip
import io
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook.data import Labelled, cifar10, labelled, mnist, registry, rendered_digits
from ncabook.data.registry import DataFile, DataUnavailableError
from ncabook.files import CorruptFileError, sha256


@pytest.fixture
def real_data(pytestconfig):
    """The folder of real data sets; where there is none, these tests have nothing to look at."""
    folder = registry.os.environ.get("NCABOOK_DATA")
    if not folder or not Path(folder, "mnist").is_dir():
        pytest.skip("NCABOOK_DATA names no folder with mnist and cifar10 in it")
    return Path(folder)


def test_mnist_is_the_known_one(real_data):
    train, test = mnist("train"), mnist("test")
    assert train.images.shape == (60000, 1, 28, 28)
    assert train.labels.bincount().tolist() == [
        *(5923, 6742, 5958, 6131, 5842),
        *(5421, 5918, 6265, 5851, 5949),
    ]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert train.images.float().mean().item() == pytest.approx(33.3184, abs=1e-3)
    assert train.note == test.note == ""


def test_cifar10_is_the_known_one(real_data):
    train = cifar10("train")
    assert train.images.float().mean((0, 2, 3)).tolist() == pytest.approx(
        [125.30691805, 122.95039414, 113.86538318], abs=1e-2
    )
    assert train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert train.labels.bincount().tolist() == [5000] * 10
    first = cifar10("test", lossless=True)
    assert first.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert "1,000" in first.note


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small archive as the original is wrapped: label, red, green, blue, row by row."""
    monkeypatch.setattr(labelled, "_CIFAR_BATCH", 3)
    records = {}
    target = tmp_path / "cifar10" / "cifar-10-binary.tar.gz"
    target.parent.mkdir()
    with tarfile.open(target, "w:gz") as tar:
        for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
            rows = np.random.default_rng(len(records)).integers(0, 256, (3, 3073), np.uint8)
            rows[:, 0] %= 10
            records[name] = rows
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            info.size = rows.nbytes
            tar.addfile(info, io.BytesIO(rows.tobytes()))
    file = DataFile("cifar10/cifar-10-binary.tar.gz", sha256(target), url="https://x.example/c")
    monkeypatch.setattr(labelled, "CIFAR", replace(registry.CIFAR, files=(file,)))
    return tmp_path, records


def test_the_original_archive_of_cifar10(archive, no_network):
    folder, records = archive
    test = cifar10("test", folder)
    rows = records["test_batch"]
    assert test.labels.tolist() == rows[:, 0].tolist()
    assert test.images[1, 2, 31, 30] == rows[1, 1 + 2 * 1024 + 31 * 32 + 30]
    train = cifar10("train", folder)
    assert len(train) == 15
    assert train.labels[3:6].tolist() == records["data_batch_2"][:, 0].tolist()


def test_a_sheet_is_cut_into_its_tiles(tmp_path):
    tiles = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    sheet = tiles.reshape(2, 3, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(64, 96, 3)
    Image.fromarray(sheet).save(tmp_path / "sheet.png")
    cut = labelled._tiles(tmp_path / "sheet.png")
    assert torch.equal(cut, torch.from_numpy(tiles).permute(0, 3, 1, 2))


@pytest.mark.parametrize("load", [mnist, cifar10])
def test_offline_and_absent_says_what_to_do(load, no_network):
    with pytest.raises(DataUnavailableError, match=r"MB\) is not here and https.*ncabook data get"):
        load("test")
    with pytest.raises(ValueError, match="split is 'valid'; expected 'train' or 'test'"):
        load("valid")


def test_a_folder_that_is_given_comes_first(real_data, tmp_path, no_network):
    (tmp_path / "mnist").mkdir()
    for file in (real_data / "mnist").glob("t10k*"):
        shutil.copyfile(file, tmp_path / "mnist" / file.name)
    assert len(mnist("test", tmp_path)) == 10000
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(CorruptFileError, match="t10k-labels-idx1-ubyte.gz is corrupt"):
        mnist("test", tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no gzip", "is not a zipped IDX file"),
        (gzip.compress(b"\0\0\x08", mtime=0), "is not a zipped IDX file"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abc", mtime=0), "is not a zipped IDX file"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\x01a", mtime=0), "numbers of kind 13; expected bytes"),
    ],
)
def test_what_is_no_idx_file(tmp_path, content, complaint):
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(CorruptFileError, match=complaint):
        labelled._idx(tmp_path / "x.gz")


def test_rendered_digits_can_be_told_apart_and_repeat():
    digits, again = rendered_digits(600, 7), rendered_digits(600, 7)
    assert torch.equal(digits.images, again.images)
    assert not torch.equal(digits.images[:600], rendered_digits(600, 8).images)
    assert "not MNIST" in digits.note
    x = digits.images.flatten(1).float()
    ink = (x > 100).float().mean(1)
    assert ink.min() > 0.02
    assert ink.max() < 0.6
    # Whole digits: nothing touches the rim. And readable: the nearest of 500 others tells most.
    assert (digits.images[..., [0, -1], :].amax((1, 2, 3)) < 40).float().mean() > 0.95
    nearest = torch.cdist(x[500:], x[:500]).argmin(1)
    assert (digits.labels[:500][nearest] == digits.labels[500:]).float().mean() > 0.5
    with pytest.raises(ValueError, match="count is 0"):
        rendered_digits(0, 0)


def test_images_and_labels_that_do_not_fit():
    images, labels = torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1, 2])
    with pytest.raises(ValueError, match="label 2 of image 2; expected 0 to 1, for 2 classes"):
        Labelled(images, labels, ("a", "b"))
    with pytest.raises(ValueError, match=r"expected torch.int64, \[3\], one for each image"):
        Labelled(images, labels[:2], ("a", "b", "c"))
    with pytest.raises(ValueError, match="expected torch.uint8"):
        Labelled(images.float(), labels, ("a", "b", "c"))
