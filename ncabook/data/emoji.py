"""Emoji as targets: six glyphs come with the package, any other is downloaded and checked."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ncabook.data.emoji_sets import EMOJI_DEFAULT, emoji_noto
from ncabook.data.images import read_rgba
from ncabook.data.registry import get

VARIATION_SELECTOR = "\ufe0f"
SMALL = 128  # pixels of the smaller shipped files
SHIPPED = ("😀", "🦎", "🕸", "🐠", "🦋", "🎄")


def emoji(glyph: str, size: int = 32, padding: int = 8) -> Tensor:
    """One emoji, ready to be grown.

    Args:
        glyph: the character; one of :data:`SHIPPED` needs no network.
        size: side of the drawn glyph, in cells.
        padding: empty cells on every side.

    Returns:
        ``[4, size + 2·padding, size + 2·padding]``, float32, premultiplied RGBA in [0, 1].

    """
    return rgba_target(glyph_file(glyph, size), size, padding)


def rgba_target(image: Path | Image.Image, size: int, padding: int = 0) -> Tensor:
    """Scales a picture to a target ``[4, side, side]``, premultiplied.

    A picture that is not square is fitted into the square, in its middle. Colours are multiplied
    by alpha before scaling: scaling first would let the colour of invisible pixels bleed into the
    outline.

    Args:
        image: a file or an image of Pillow's, of any kind that :func:`read_image` knows.
        size: of the picture's longer side, in cells.
        padding: empty cells on every side.

    Raises:
        CorruptFileError, ValueError: it is no picture; as :func:`read_image`.

    """
    if size < 1 or padding < 0:
        raise ValueError(f"size {size} must be ≥ 1 and padding {padding} ≥ 0")
    pixels = read_rgba(image)
    pixels[:3] *= pixels[3:]
    longer = max(pixels.shape[1:])
    height, width = (max(1, round(size * n / longer)) for n in pixels.shape[1:])
    scaled = [
        np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.LANCZOS))
        for values in pixels.numpy()
    ]
    target = torch.from_numpy(np.stack(scaled)).clamp(0, 1)
    target[:3] = torch.minimum(target[:3], target[3:])  # Lanczos overshoots at sharp edges
    top, left = (size - height) // 2, (size - width) // 2
    margins = (left, size - width - left, top, size - height - top)
    return torch.nn.functional.pad(target, [margin + padding for margin in margins])


def glyph_file(glyph: str, size: int = SMALL) -> Path:
    """The PNG of ``glyph``: a shipped one of 128×128 or, for more, 512×512; or a 64×64 download."""
    bare = glyph.replace(VARIATION_SELECTOR, "")
    if len(bare) != 1:
        raise ValueError(f"expected one emoji, got {glyph!r}; joined emojis are not supported")
    code = f"{ord(bare):04x}"
    if bare in SHIPPED:
        files = EMOJI_DEFAULT.files
        wanted = {f"glyphs/{'512/' if size > SMALL else ''}emoji_u{code}.png"}
    else:
        files = emoji_noto().files
        wanted = {f"emoji-noto/{code}.png", f"emoji-noto/{code}-fe0f.png"}
    for file in files:
        if file.path in wanted:
            return get(file)
    raise ValueError(f"{glyph!r} (U+{code.upper()}) is not an emoji that Noto draws")
