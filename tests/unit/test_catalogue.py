"""``ncabook data``: one list of everything that is fetched, whoever fetches it."""

import errno
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from ncabook import cli
from ncabook.data import weights
from ncabook.data.catalogue import data_sets
from ncabook.data.registry import DataUnavailableError, cache_folder
from ncabook.data.texture import PHOTOGRAPHS
from ncabook.data.weights import VGG16, vgg16_features
from ncabook.files import sha256

cli_data = import_module("ncabook.cli.data")  # the command of that name hides it


def data(*arguments):
    return CliRunner().invoke(cli.app, ["data", *arguments])


@pytest.fixture
def nothing_here(no_network, monkeypatch):
    """No data but the package's own, and no server of torchvision's."""
    monkeypatch.setenv("TORCH_HOME", str(no_network / "torch"))

    def refuse(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr("torchvision.datasets.DTD", refuse)
    return no_network


@pytest.fixture
def small_vgg(nothing_here, monkeypatch):
    """VGG16 as torchvision serves it, but small; returns the addresses that were asked for."""
    made = nothing_here / "made.pth"
    torch.save(
        {"features.0.weight": torch.ones(2).half(), "classifier.0.bias": torch.ones(1)}, made
    )
    begins = sha256(made)[:8]
    file = replace(*VGG16.files, url=f"https://x.example/models/vgg16-{begins}.pth")
    small = replace(VGG16, files=(file,))
    asked = []

    def download(url, target, hash_prefix):
        assert hash_prefix == begins
        Path(target).write_bytes(made.read_bytes())
        asked.append(url)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(weights, "VGG16", small)
    monkeypatch.setattr(cli_data, "data_sets", lambda: {"vgg16": small})
    return asked


def test_the_list_says_of_everything_what_it_is(nothing_here):
    shown = data("list").output
    names = ("emoji-default", "emoji-noto", "mnist", "cifar10", "dtd", "edges2handbags")
    for name in (*names, "alexnet", "vgg16"):
        entry = data_sets()[name]
        assert all((entry.description, entry.size, entry.source, entry.licence, entry.files))
        assert f"{name}: {entry.description}\n" in shown
        assert f"    {entry.size}; {entry.source}; {entry.licence}\n" in shown
    assert "12 of 12 files are here" in shown
    assert "0 of 5 files are here" in shown
    assert len(data_sets()) == shown.count("files are here")


def test_sizes_are_those_of_the_files():
    """Where all are known; a download of another wrapping states its own."""
    for entry in data_sets().values():
        sizes = [file.size for file in entry.files]
        if None not in sizes:
            unit = "kB" if sum(sizes) < 10**6 else "MB"
            total = round(sum(sizes) / {"kB": 10**3, "MB": 10**6}[unit])
            assert entry.size.startswith(f"{total} {unit}")


def test_names_are_those_that_errors_tell_to_get(nothing_here):
    """The registry's own errors take the name from the path."""
    for name in ("emoji-noto", "mnist", "cifar10"):
        with pytest.raises(DataUnavailableError, match=f"call `ncabook data get {name}`"):
            data_sets()[name].fetch(data_sets()[name].files[0])


def test_what_is_absent_is_counted_and_no_error(nothing_here):
    result = data("verify")
    assert result.exit_code == 0
    for line in ("dtd: 0 of 5", "alexnet: 0 of 1", "vgg16: 0 of 1", "emoji-default: 12 of 12"):
        assert f"{line} files here and correct\n" in result.output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dtd", r"bubbly_0101 of DTD \(600 MB, all of it\) is not here.*no route to host"),
        ("edges2handbags", r"edges2handbags_1000train_200val.tar \(29 MB, .*`read_pairs`"),
        ("vgg16", r"vgg16's weights \(528 MB, .*no route to host.*weights/vgg16_features_fp16"),
        ("alexnet", r"alexnet's weights \(233 MB, .*connect to the network"),
    ],
)
def test_what_cannot_be_fetched_says_so(nothing_here, name, message):
    with pytest.raises(DataUnavailableError, match=message):
        cli_data.data_get(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "dtd",
            r"^DTD \(600 MB, all of it\) is not here, and there is no room for it in .*dtd;",
        ),
        ("vgg16", r"^vgg16-.*pth \(528 MB\) is not here, and there is no room.*in TORCH_HOME$"),
    ],
)
def test_a_full_disk_is_not_the_network(nothing_here, monkeypatch, name, message):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch.hub, "download_url_to_file", full)
    monkeypatch.setattr("torchvision.datasets.DTD", full)
    with pytest.raises(DataUnavailableError, match=message):
        cli_data.data_get(name)


def test_weights_are_fetched_once_checked_and_used(small_vgg):
    path = Path(data("get", "vgg16").output.strip())
    assert path.parts[-3:-1] == ("hub", "checkpoints")
    assert data("get", "vgg16").exit_code == 0
    features = vgg16_features()
    assert len(small_vgg) == 1
    assert features.keys() == {"0.weight"}
    assert features["0.weight"].dtype == torch.float32
    assert "vgg16: 1 of 1 files here and correct" in data("verify", "vgg16").output
    path.write_bytes(path.read_bytes()[:-1])
    result = data("verify", "vgg16")
    assert result.exit_code == 1
    assert f"error: {path} is not torchvision's file" in result.output
    assert "vgg16: 0 of 1 files here and correct" in result.output
    assert "0 of 1 files are here, 1 damaged: ncabook data verify vgg16" in data("list").output


def test_photographs_are_found_where_torchvision_puts_them(nothing_here, monkeypatch):
    made = nothing_here / "made.jpg"
    made.write_bytes(b"a photograph")
    files = tuple(replace(file, sha256=sha256(made)) for file in PHOTOGRAPHS.files)
    small = replace(PHOTOGRAPHS, files=files)
    monkeypatch.setattr(cli_data, "data_sets", lambda: {"dtd": small})
    asked = []

    def download(folder, download):
        assert download
        asked.append(folder)
        for file in files:
            path = folder / "dtd" / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.read_bytes())

    monkeypatch.setattr("torchvision.datasets.DTD", download)
    paths = data("get", "dtd").output.split()
    assert paths == [str(cache_folder() / "dtd" / file.path) for file in files]
    assert asked == [cache_folder()]  # once for all
    Path(paths[0]).write_bytes(b"half of it")
    result = data("verify")
    assert result.exit_code == 1
    assert "dtd: 4 of 5 files here and correct" in result.output
    assert f"error: {paths[0]} is corrupt" in result.output
