"""Image files of any kind, as a person sees them."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ncabook.files import CorruptFileError

SIXTEEN_BIT = 65535
BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262  # TIFF's tags
PNG_DEPTH = 24  # where a PNG's header holds its bits per number
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
    try:
        content = path.read_bytes()
        # Through memory: Pillow maps some files, and turns their rows before they are turned.
        with Image.open(io.BytesIO(content)) as file:
            kind, tags = file.format, dict(getattr(file, "tag_v2", {}))
            image = ImageOps.exif_transpose(file)
            image.load()
    except UNREADABLE as error:
        raise CorruptFileError(f"{path} is not an image that can be read: {error}") from None
    # Pillow spreads a PGM's gray over 16 bits, whatever its largest number.
    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM"))
    if image.mode in ("I", "F") and not sixteen:
        raise ValueError(
            f"{path} holds {'32-bit numbers' if image.mode == 'I' else 'fractions'}, of which "
            "nothing says how large white is; save it with 8 or 16 bits"
        )
    if sixteen and tags:
        bits, white_is_zero = tags.get(BITS_PER_SAMPLE, (16,))[0], tags.get(PHOTOMETRIC) == 0
        if bits != 16 or white_is_zero:
            what = "white as zero" if white_is_zero else f"{bits}-bit numbers"
            raise ValueError(f"{path} holds {what}; save it with 8 or 16 bits, black as zero")
    transparent = image.info.get("transparency")
    if sixteen:  # convert("RGB") would clip them
        values = np.asarray(image).astype(np.int64)
        gray = torch.from_numpy(np.where(values == transparent, SIXTEEN_BIT, values))
        return (gray.float() / SIXTEEN_BIT).expand(3, -1, -1).clone()
    if kind == "PNG" and image.mode in ("L", "RGB") and transparent is not None:
        image.info["transparency"] = _in_eight_bits(transparent, content[PNG_DEPTH], path)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255


def _in_eight_bits(
    transparent: int | tuple[int, ...], depth: int, path: Path
) -> int | tuple[int, ...]:
    """A PNG's transparent gray or colour, scaled as Pillow scales its pixels but not this."""
    if depth < 8:
        return transparent * 255 // (2**depth - 1)
    if depth > 8:
        raise ValueError(
            f"{path} names one of its 16-bit colours as transparent, and of colours 8 bits are "
            "kept; save it with an alpha channel, or with 8 bits"
        )
    return transparent
