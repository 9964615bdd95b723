"""Emoji targets and the data registry: right pixels, checked bytes, honest errors."""

import errno
import hashlib
import http.server
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook.data import SHIPPED, emoji, emoji_sets, registry, rgba_target
from ncabook.data.emoji import glyph_file
from ncabook.files import CorruptFileError, sha256, write_atomically


@pytest.mark.parametrize("glyph", SHIPPED)
def test_shipped_emojis_are_premultiplied_targets(glyph, no_network):
    target = emoji(glyph, 32, 8)
    assert target.shape == (4, 48, 48)
    assert float(target.min()) >= 0
    assert float(target.max()) <= 1
    assert bool((target[:3] <= target[3:]).all())
    assert float(target[3].mean()) > 0.05
    border = torch.ones(48, 48, dtype=torch.bool)
    border[8:-8, 8:-8] = False
    assert float(target[:, border].abs().max()) == 0


def test_colour_of_invisible_pixels_does_not_bleed():
    """A red square on transparent green keeps a red rim: multiply first, then scale."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 1] = 255
    pixels[16:48, 16:48] = (255, 0, 0, 255)
    target = rgba_target(Image.fromarray(pixels), 16)
    assert float(target[1].max()) == 0
    assert float(target[0].max()) > 0.99


def corners(kind, tmp_path):
    """The picture of red, green, blue and white corners, 60 × 30, in a file of some kind."""
    pixels = np.zeros((30, 60, 4), np.uint8)
    pixels[:15, :30], pixels[:15, 30:] = (255, 0, 0, 255), (0, 255, 0, 255)
    pixels[15:, :30], pixels[15:, 30:] = (0, 0, 255, 255), (255, 255, 255, 255)
    image, path = Image.fromarray(pixels), tmp_path / f"picture.{kind.split()[-1]}"
    options = {}
    if kind == "turned jpg":
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6
        image = image.rotate(90, expand=True)
    mode = {"palette": "P", "CMYK": "CMYK", "transparent": "RGBA", "gray-alpha": "LA"}
    image = image.convert(mode.get(kind.split()[0], "RGB"))
    if kind == "sixteen-bit png":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    image.save(path, **options, **({"quality": 100} if path.suffix == ".jpg" else {}))
    return path


KINDS = (
    *("RGB png", "palette png", "transparent png", "moving gif", "CMYK jpg", "turned jpg"),
    *("gray-alpha png", "sixteen-bit png", "plain webp"),
)


@pytest.mark.parametrize("opened", [False, True], ids=["file", "opened"])
@pytest.mark.parametrize("kind", KINDS)
def test_targets_of_pictures_of_every_kind(kind, opened, tmp_path):
    """As a person sees them, in the middle of the square: no error, no zeros, not stretched."""
    path = corners(kind, tmp_path)
    target = rgba_target(Image.open(path) if opened else path, 20, 2)
    assert target.shape == (4, 24, 24)
    assert bool((target[3, 7:17, 2:22] == 1).all())
    assert float(target[3].sum()) == 200  # and nothing beside it
    found = target[:3, [9, 9, 14, 14], [6, 17, 6, 17]].T
    wanted = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    if kind in ("gray-alpha png", "sixteen-bit png"):
        wanted = (wanted @ torch.tensor([0.299, 0.587, 0.114]))[:, None].expand(-1, 3)
    assert torch.allclose(found, wanted, atol=0.06)


def test_a_tall_picture_and_a_thin_one():
    tall = rgba_target(Image.new("RGB", (10, 30), "red"), 15)
    assert tall[3].sum(0).tolist() == [0] * 5 + [15] * 5 + [0] * 5
    thin = rgba_target(Image.new("L", (1, 1000), 255), 16)
    assert float(thin[3].sum()) == 16


def test_transparency_that_a_palette_or_a_gray_names(tmp_path):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (4, 0, 8, 8))
    image.save(tmp_path / "x.png", transparency=0)
    assert rgba_target(tmp_path / "x.png", 8)[:, 3, [0, 7]].T.tolist() == [[0] * 4, [0, 0, 1, 1]]
    values = np.zeros((8, 8), np.uint16)
    values[:, 4:] = 65535
    Image.fromarray(values).save(tmp_path / "y.png", transparency=0)
    assert rgba_target(tmp_path / "y.png", 8)[:, 3, [0, 7]].T.tolist() == [[0] * 4, [1] * 4]


def test_what_is_no_picture(tmp_path):
    (tmp_path / "x.svg").write_text("<svg/>")
    with pytest.raises(CorruptFileError, match="x.svg is not an image that can be read"):
        rgba_target(tmp_path / "x.svg", 8)
    with pytest.raises(ValueError, match="the image holds fractions"):
        rgba_target(Image.new("F", (8, 8)), 8)


def test_the_variation_selector_does_not_matter():
    assert torch.equal(emoji("🕸"), emoji("🕸️"))


@pytest.mark.parametrize("glyph", ["©", "®", "🍀", "❤️"])
def test_any_single_emoji_of_the_manifest_is_known(glyph, no_network):
    """Known, and so looked for; that it cannot be downloaded here is another matter."""
    with pytest.raises(registry.DataUnavailableError):
        emoji(glyph)


def test_what_is_not_an_emoji_is_refused():
    with pytest.raises(ValueError, match="U\\+0041.*is not an emoji"):
        emoji("A")
    with pytest.raises(ValueError, match="is not an emoji that Noto draws"):
        emoji("🦎🦎")
    with pytest.raises(ValueError, match="size 0"):
        emoji("🦎", size=0)


def test_offline_an_unshipped_emoji_says_what_to_do(no_network):
    with pytest.raises(registry.DataUnavailableError, match="1f340.png is not here.*NCABOOK_DATA"):
        emoji("🍀")


def test_a_file_in_ncabook_data_is_found_and_checked(no_network, monkeypatch):
    monkeypatch.setenv("NCABOOK_DATA", str(no_network))
    path = no_network / "emoji-noto" / "1f340.png"
    write_atomically(path, b"not the clover")
    with pytest.raises(CorruptFileError, match="expected sha256 [0-9a-f]{64}, found"):
        emoji("🍀")
    assert path.read_bytes() == b"not the clover"  # reported, not overwritten


def test_a_wrong_download_never_reaches_the_cache(no_network, monkeypatch):
    """pooch checks the hash of what it fetched; a local file stands in for the network."""
    monkeypatch.undo()
    monkeypatch.setenv("NCABOOK_CACHE", str(no_network / "cache"))
    fake = no_network / "fake.png"
    fake.write_bytes(b"something else")
    file = registry.DataFile("emoji-noto/x.png", "0" * 64, url=str(fake))

    def fetch(url, output_file, _pooch):
        write_atomically(type(fake)(output_file), fake.read_bytes())

    monkeypatch.setattr(registry.pooch.core, "choose_downloader", lambda *_a, **_k: fetch)
    with pytest.raises(CorruptFileError, match="not the expected file"):
        registry.get(file)
    assert not (no_network / "cache" / "emoji-noto" / "x.png").exists()


def test_every_shipped_file_has_the_recorded_digest_and_size():
    for file in emoji_sets.EMOJI_DEFAULT.files:
        path = registry.PACKAGE_DATA / file.path
        assert (sha256(path), path.stat().st_size) == (file.sha256, file.size)
    assert {glyph_file(g).name for g in SHIPPED} == {
        p.name for p in (registry.PACKAGE_DATA / "glyphs").glob("*.png")
    }


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


class Halting(http.server.BaseHTTPRequestHandler):
    """Sends half of a file, then breaks off; goes on where it is asked to, if it can."""

    content = bytes(range(256)) * 2048
    ranges, said = True, None
    asked: ClassVar[list] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        self.send_response(206 if start else 200)
        if self.said != "nothing":
            self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        half = len(self.content) if len(self.asked) > 1 else len(self.content) // 2
        self.wfile.write(self.content[start:half])

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A file of ``Halting``, not in the cache yet."""
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path))
    monkeypatch.delenv("NCABOOK_DATA", raising=False)
    Halting.ranges, Halting.asked, Halting.said = True, [], None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Halting)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield registry.DataFile(
        "big/file.bin",
        hashlib.sha256(Halting.content).hexdigest(),
        len(Halting.content),
        f"http://127.0.0.1:{server.server_port}/file.bin",
    )
    server.shutdown()


@pytest.mark.parametrize("ranges", [True, False], ids=["goes on", "starts again"])
def test_a_download_that_breaks_off(served, tmp_path, ranges):
    Halting.ranges = ranges
    with pytest.raises(
        registry.DataUnavailableError, match=r"big/file.bin \(0.5 MB\) is not here.*data get big`"
    ):
        registry.get(served)
    path = registry.get(served)
    assert path.read_bytes() == Halting.content
    assert Halting.asked == [None, f"bytes={len(Halting.content) // 2}-"]
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("said", ["it is larger", "nothing"])
def test_a_download_that_is_too_long_is_cut_off(served, tmp_path, said):
    """Whether the server says so beforehand or not; nothing is left of it."""
    Halting.asked = ["before"]  # so that all of it is sent
    Halting.said = said
    small = replace(served, size=1000)
    with pytest.raises(CorruptFileError, match="sends more than the 1,000 bytes of the expected"):
        registry.get(small)
    assert not list((tmp_path / "big").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_not_the_network(served, tmp_path):
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "file.bin.part").symlink_to("/dev/full")
    with pytest.raises(registry.DataUnavailableError) as caught:
        registry.get(served)
    assert str(caught.value) == (
        f"big/file.bin (0.5 MB) is not here, and there is no room for it in {tmp_path / 'big'}; "
        "make some, or name another folder in NCABOOK_CACHE"
    )


@pytest.mark.parametrize("name", ["big", "big/file.bin.part", "big/file.bin", ""])
def test_what_is_in_the_way_is_named(served, tmp_path, monkeypatch, name):
    """A file where a folder has to be, and the other way round."""
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / name
    if "." in name:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(
        registry.DataUnavailableError,
        match=re.escape(f"big/file.bin (0.5 MB) is not here, and {path} is in its way; move that"),
    ):
        registry.get(served)


@pytest.mark.parametrize("there", [False, True])
def test_a_cache_that_cannot_be_written(served, tmp_path, monkeypatch, there):
    """Its folder cannot be made, or nothing in it; raised, since for root all can be written."""
    if there:
        (tmp_path / "big").mkdir()

    def refuse(*_, **options):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(*(("tempfile.NamedTemporaryFile",) if there else (Path, "mkdir")), refuse)
    with pytest.raises(
        registry.DataUnavailableError, match=r"big cannot be written \(Permission denied\); allow"
    ):
        registry.get(served)
