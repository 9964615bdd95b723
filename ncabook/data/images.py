"""Image files of any kind, as a person sees them."""

import io
import re
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage
from torch import Tensor

from ncabook.files import CorruptFileError

Background = Literal["transparent", "white"]
SIXTEEN_BIT = 65535
MOST_PIXELS = 40 * 10**6
SEEN = 0.05  # alpha of what a person sees
WHITE = 0.94  # of what passes for white, as photographs and JPEG have it
BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262  # TIFF's tags
# What Pillow raises on damaged files; the last two are its own slips.
UNREADABLE = (
    *(OSError, ValueError, EOFError, SyntaxError, Image.DecompressionBombError),
    *(TypeError, NotImplementedError),
)


def read_image(path: Path) -> Tensor:
    """An image file as a person sees it: RGB in [0, 1], ``[3, H, W]``.

    Gray, CMYK, palette and 16-bit images are converted (16 bits to 8 where they are coloured or
    have an alpha channel), transparent ones laid on white, and a camera's note that it was turned
    (EXIF) is heeded. Of several frames, the first.

    Raises:
        CorruptFileError: it is no image that Pillow can read.
        ValueError: its numbers are of a kind without a known white (12 or 32 bits, fractions), or
            it names a transparent colour in more bits than Pillow keeps of it.

    """
    image = _decoded(path)
    if _is_sixteen(image):
        gray, seen = _gray(image)
        return torch.where(seen, gray, 1.0).expand(3, -1, -1).clone()
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return _bytes(image.convert("RGB"))


def read_rgba(source: Path | Image.Image, background: Background = "transparent") -> Tensor:
    """The same with what is transparent: RGBA in [0, 1], ``[4, H, W]``, not premultiplied.

    Args:
        source: a file, or an image of Pillow's, of any of its kinds.
        background: ``white`` makes transparent, too, what is white and joined to an edge.

    Raises:
        CorruptFileError, ValueError: as :func:`read_image`.

    """
    pixels = _rgba(_decoded(source))
    return without_white(pixels) if background == "white" else pixels


def without_white(pixels: Tensor) -> Tensor:
    """RGBA ``[4, H, W]`` in which what is white and joined to an edge is transparent; in place."""
    pixels[3] *= ~_white_around(pixels)
    return pixels


def fitted(pixels: Tensor, height: int, width: int) -> Tensor:
    """A picture scaled into a box, whole and in its middle, with zeros where it does not reach.

    Args:
        pixels: ``[C, H, W]`` in [0, 1], of any shape.
        height: of the box, in pixels.
        width: likewise.

    Returns:
        ``[C, height, width]`` in [0, 1].

    """
    rows, columns = pixels.shape[1:]
    limit, longer = (height, rows) if rows * width >= columns * height else (width, columns)
    high, wide = (max(1, round(limit * n / longer)) for n in (rows, columns))
    scaled = [
        np.asarray(Image.fromarray(values).resize((wide, high), Image.Resampling.LANCZOS))
        for values in pixels.numpy()
    ]
    top, left = (height - high) // 2, (width - wide) // 2
    margins = (left, width - wide - left, top, height - high - top)
    return F.pad(torch.from_numpy(np.stack(scaled)).clamp(0, 1), margins)


def check_seen(alpha: Tensor, name: object, background: Background = "transparent") -> None:
    """Refuses a picture of which nothing is to be seen, given its alpha."""
    if not bool((alpha > SEEN).any()):
        what = "transparent" if background == "transparent" else "white or transparent"
        raise ValueError(f"{name} is all background: every pixel is {what}")


def _white_around(pixels: Tensor) -> Tensor:
    """Which pixels are white, and joined to an edge by such: bool ``[H, W]``."""
    light = (pixels[:3].amin(0) >= WHITE) | (pixels[3] <= SEEN)
    rim = F.pad(light.float()[None, None], (1, 1, 1, 1), value=1.0)[0, 0] > 0
    regions = np.zeros(rim.shape, np.int32)
    ndimage.label(rim.numpy(), structure=np.ones((3, 3)), output=regions)
    return torch.from_numpy(regions == regions[0, 0])[1:-1, 1:-1]


def has_white_around(source: Path | Image.Image | Tensor) -> bool:
    """Whether a picture without transparency stands on white: most of its rim is white.

    Args:
        source: a file, an image of Pillow's, or what :func:`read_rgba` made of it.

    """
    pixels = source if isinstance(source, Tensor) else read_rgba(source)
    if float(pixels[3].min()) < 1:
        return False
    rim = torch.cat([pixels[:3, 0], pixels[:3, -1], pixels[:3, :, 0], pixels[:3, :, -1]], 1)
    return float((rim.amin(0) >= WHITE).float().mean()) > 0.9


def frames_of(path: Path) -> int:
    """How many frames a file has; of several, the first is read."""
    with _opened(path) as opened:
        return getattr(opened, "n_frames", 1)


def name_of(source: Path | Image.Image) -> str:
    """A file's name, or what an image of Pillow's says of its own."""
    if isinstance(source, Image.Image):
        return getattr(source, "filename", "") or "the image"
    return str(source)


def _rgba(image: Image.Image) -> Tensor:
    if _is_sixteen(image):
        gray, seen = _gray(image)
        return torch.cat([gray.expand(3, -1, -1), seen[None].float()])
    if image.has_transparency_data:
        return _bytes(image.convert("RGBA"))
    colours = _bytes(image.convert("RGB"))
    return torch.cat([colours, torch.ones_like(colours[:1])])


def _opened(file: Path | io.BytesIO) -> Image.Image:
    """A file that is not decoded yet; how large it may be is decided here, not by a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(file)


def _halved(opened: Image.Image) -> None:
    """Lets a JPEG of too many pixels be decoded with shorter sides; of other kinds, none can be."""
    for part in (2, 4, 8):
        if opened.width * opened.height <= MOST_PIXELS * part**2:
            opened.draft(opened.mode, (opened.width // part, opened.height // part))
            return


def _decoded(source: Path | Image.Image) -> Image.Image:
    """The first frame, upright, in 8 bits of whatever kind, or a gray of 16 bits.

    A JPEG of more than :data:`MOST_PIXELS` comes with its sides halved, or halved again.
    """
    name = name_of(source)
    try:
        # Through memory: Pillow maps some files, and turns their rows before they are turned.
        given = isinstance(source, Image.Image)
        opened = source if given else _opened(io.BytesIO(source.read_bytes()))
        if not given and opened.width * opened.height > MOST_PIXELS:
            _halved(opened)
        pixels = opened.width * opened.height
        kind, tags = opened.format, dict(getattr(opened, "tag_v2", {}))
        depth = _png_depth(opened)
        if pixels <= MOST_PIXELS:  # else it is not decoded at all
            opened = ImageOps.exif_transpose(opened)
            opened.load()
    except UNREADABLE as error:
        unknown = isinstance(error, UnidentifiedImageError)  # says where the bytes were kept
        reason = "of no kind that Pillow knows" if unknown else error
        raise CorruptFileError(f"{name} is not an image that can be read: {reason}") from None
    if pixels > MOST_PIXELS:
        raise ValueError(
            f"{name} has {pixels / 1e6:.0f} megapixels; expected {MOST_PIXELS // 10**6} or fewer: "
            "scale it down first"
        )
    image = opened
    # Pillow spreads a PGM's gray over 16 bits, whatever its largest number.
    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM"))
    if image.mode in ("I", "F") and not sixteen:
        raise ValueError(
            f"{name} holds {'32-bit numbers' if image.mode == 'I' else 'fractions'}, of which "
            "nothing says how large white is; save it with 8 or 16 bits"
        )
    if sixteen and tags:
        bits, white_is_zero = tags.get(BITS_PER_SAMPLE, (16,))[0], tags.get(PHOTOMETRIC) == 0
        if bits != 16 or white_is_zero:
            what = "white as zero" if white_is_zero else f"{bits}-bit numbers"
            raise ValueError(f"{name} holds {what}; save it with 8 or 16 bits, black as zero")
    transparent = image.info.get("transparency")
    if kind == "PNG" and image.mode in ("L", "RGB") and transparent is not None:
        image.info["transparency"] = _in_eight_bits(transparent, depth, name)
    return image


def _is_sixteen(image: Image.Image) -> bool:
    """Whether it is a decoded gray of 16 bits, which ``convert("RGB")`` would clip."""
    return image.mode.startswith("I")


def _gray(image: Image.Image) -> tuple[Tensor, Tensor]:
    """A gray of 16 bits as numbers in [0, 1] and what is not transparent, both ``[H, W]``."""
    values = np.asarray(image).astype(np.int64)
    seen = values != image.info.get("transparency")
    return torch.from_numpy(values).float() / SIXTEEN_BIT, torch.from_numpy(seen)


def _bytes(image: Image.Image) -> Tensor:
    """Values in [0, 1], ``[channels, H, W]``."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def _png_depth(image: Image.Image) -> int:
    """Bits per number of an opened file, by the name of Pillow's decoder: ``L;4``, ``RGB;16B``."""
    tiles = getattr(image, "tile", None)
    arguments = str(tiles[0][3]) if tiles else ""
    found = re.search(r";(\d+)", arguments)
    return int(found[1]) if found else 8


def _in_eight_bits(
    transparent: int | tuple[int, ...], depth: int, name: Path | str
) -> int | tuple[int, ...]:
    """A PNG's transparent gray or colour, scaled as Pillow scales its pixels but not this."""
    if depth < 8:
        return transparent * 255 // (2**depth - 1)
    if depth > 8:
        raise ValueError(
            f"{name} names one of its 16-bit colours as transparent, and of colours 8 bits are "
            "kept; save it with an alpha channel, or with 8 bits"
        )
    return transparent
