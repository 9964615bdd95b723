"""Image files: every kind becomes the pixels that a person sees, or is refused in one line."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook.data.images import read_image
from ncabook.data.texture import texture
from ncabook.files import CorruptFileError

GRAY, COLOUR, GRAY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6  # kinds of PNG


def painted():
    """A picture of 40 × 24 with a different colour in each corner."""
    picture = np.zeros((24, 40, 3), np.uint8)
    picture[:12, :20], picture[:12, 20:] = (255, 0, 0), (0, 255, 0)
    picture[12:, :20], picture[12:, 20:] = (0, 0, 255), (250, 250, 250)
    return Image.fromarray(picture)


def saved(image, tmp_path, kind, **options):
    path = tmp_path / f"picture.{kind}"
    image.save(path, **options)
    return path


def test_files_of_every_kind(tmp_path):
    """Gray, palette, CMYK, transparent and turned files come out as a person sees them."""
    wanted = torch.from_numpy(np.array(painted())).permute(2, 0, 1) / 255
    assert torch.equal(read_image(saved(painted(), tmp_path, "png")), wanted)
    gray = read_image(saved(painted().convert("L"), tmp_path, "png"))
    assert gray.shape == (3, 24, 40)
    assert torch.equal(gray[0], gray[2])
    palette = read_image(saved(painted().quantize(8), tmp_path, "png"))
    assert (palette - wanted).abs().max() < 0.02
    cmyk = read_image(saved(painted().convert("CMYK"), tmp_path, "jpg", quality=100))
    assert (cmyk - wanted).abs().mean() < 0.05
    half = painted().convert("RGBA")
    half.putalpha(0)
    assert (read_image(saved(half, tmp_path, "png")) == 1).all()  # nothing, on white
    frames = saved(painted(), tmp_path, "gif", save_all=True, append_images=[painted().rotate(180)])
    assert (read_image(frames) - wanted).abs().max() < 0.02  # the first one
    turned = painted().rotate(90, expand=True)  # as a camera that was held the other way wrote it
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = read_image(saved(turned, tmp_path, "png", exif=exif))
    assert torch.equal(upright, wanted)


def test_sixteen_bits_are_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    wanted = torch.from_numpy(values / 65535).float()
    image = read_image(saved(Image.fromarray(values), tmp_path, "png"))
    assert torch.allclose(image[1], wanted)
    swapped = tmp_path / "swapped.tif"
    Image.frombytes("I;16B", (64, 64), values.astype(">u2").tobytes()).save(swapped)
    assert torch.allclose(read_image(swapped)[2], wanted)


def test_turned_files_are_turned_whatever_their_kind(tmp_path):
    """Pillow maps plain TIFFs from the disk, and would turn rows of the wrong length."""
    stored = np.arange(56, dtype=np.uint8).reshape(7, 8)
    for kind in ("L", "I;16"):
        wide = stored if kind == "L" else stored.astype(np.uint16) * 257
        Image.fromarray(wide).save(tmp_path / "turned.tif", exif={0x112: 6})  # a quarter clockwise
        found = read_image(tmp_path / "turned.tif")[0]
        assert torch.allclose(found, torch.from_numpy(np.rot90(stored, -1).copy()) / 255, atol=1e-6)


def test_a_tiff_whose_white_is_zero_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "x.tif", tiffinfo={262: 0})
    with pytest.raises(ValueError, match="holds white as zero; save it with 8 or 16 bits"):
        read_image(tmp_path / "x.tif")


def png(tmp_path, pixels, depth, kind, transparent=b""):
    """A PNG of one row ``[width, channels]`` with any depth; Pillow writes few of them."""
    row = np.asarray(pixels)
    bits = "".join(format(n, f"0{depth}b") for n in row.ravel())
    bits += "0" * (-len(bits) % 8)
    header = struct.pack(">IIBBBBB", len(row), 1, depth, kind, 0, 0, 0)
    data = zlib.compress(b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big"))
    chunks = [(b"IHDR", header), (b"tRNS", transparent), (b"IDAT", data), (b"IEND", b"")]
    path = tmp_path / "row.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
            if body or name != b"tRNS"
        )
    )
    return path


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_gray_that_is_transparent_is_white(tmp_path, depth):
    """The one that the file names, and no other."""
    most = 2**depth - 1
    path = png(tmp_path, [[0], [most // 3], [most]], depth, GRAY, struct.pack(">H", most // 3))
    expected = [1.0, 1.0, 1.0] if depth == 1 else [0.0, 1.0, 1.0]  # of one bit, 0 is named
    assert read_image(path)[1, 0].tolist() == expected
    path = png(tmp_path, [[0], [most // 3], [most]], depth, GRAY)
    assert read_image(path)[1, 0].tolist() == pytest.approx([0, most // 3 / most, 1])


def test_sixteen_bits_with_alpha_lie_on_white(tmp_path):
    half, most = 0x8000, 0xFFFF
    path = png(tmp_path, [[0, 0], [0, half], [half, most]], 16, GRAY_ALPHA)
    assert read_image(path)[2, 0].tolist() == pytest.approx([1, 0.5, 0.5], abs=1 / 255)
    red = [[most, 0, 0, 0], [most, 0, 0, half], [most, 0, 0, most]]
    found = read_image(png(tmp_path, red, 16, COLOUR_ALPHA))[:, 0]
    assert found[0].tolist() == [1, 1, 1]
    assert found[1].tolist() == pytest.approx([1, 0.5, 0], abs=1 / 255)


def test_a_colour_that_is_transparent(tmp_path):
    """Of 8 bits it is white; of 16, Pillow keeps too few to know which pixels have it."""
    pixels = np.array([[1, 2, 3], [3, 2, 1]])
    found = read_image(png(tmp_path, pixels, 8, COLOUR, struct.pack(">HHH", 1, 2, 3)))
    assert torch.equal(found[:, 0].T, torch.tensor([[255, 255, 255], [3, 2, 1]]) / 255)
    path = png(tmp_path, pixels, 16, COLOUR, struct.pack(">HHH", 1, 2, 3))
    with pytest.raises(ValueError, match="row.png names one of its 16-bit colours as transparent"):
        read_image(path)
    assert read_image(png(tmp_path, 257 * pixels, 16, COLOUR))[0, 0, 1] == 3 / 255


@pytest.mark.parametrize("most", [1, 100, 255, 1023, 65535])
@pytest.mark.parametrize("kind", ["P2", "P5", "P3", "P6"])
def test_the_largest_number_of_a_pnm_is_white(tmp_path, most, kind):
    """Written in digits or in bytes, gray or coloured."""
    channels = 3 if kind in ("P3", "P6") else 1
    values = np.linspace(0, most, 6).astype(int)
    if kind in ("P2", "P3"):
        body = " ".join(map(str, values)).encode()
    else:
        body = values.astype(">u2" if most > 255 else "u1").tobytes()
    path = tmp_path / "row.pnm"
    path.write_bytes(f"{kind} {6 // channels} 1 {most}\n".encode() + body)
    wanted = torch.from_numpy(values / most).reshape(-1, channels).T.expand(3, -1)
    assert torch.allclose(read_image(path)[:, 0].double(), wanted, atol=0.51 / 255)
    if kind in ("P2", "P5") and most > 255:  # gray keeps its 16 bits
        assert torch.allclose(read_image(path)[:, 0].double(), wanted, atol=0.51 / 65535)


def test_what_is_no_image(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no more of it")
    with pytest.raises(CorruptFileError, match="broken.jpg is not an image that can be read"):
        texture(str(broken), 64)
    for mode, words in (("I", "32-bit numbers"), ("F", "fractions")):
        odd = saved(painted().convert("L").convert(mode), tmp_path, "tif")
        with pytest.raises(ValueError, match=f"holds {words}, of which nothing says"):
            read_image(odd)
    for body in (b"P6 no numbers", b"P5 4 1 1023\n\0", b"P2 1 1 70000\n1", b"P2 1 1 9\n10"):
        (tmp_path / "text.ppm").write_bytes(body)
        with pytest.raises(CorruptFileError, match=r"text.ppm is not an image"):
            read_image(tmp_path / "text.ppm")
