"""Emoji as targets: six glyphs come with the package, any other is downloaded and checked."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ncabook.data.emoji_sets import EMOJI_DEFAULT, emoji_noto
from ncabook.data.images import Background, fitted, read_rgba
from ncabook.data.registry import get

VARIATION_SELECTOR = "\ufe0f"
SMALL = 128  # pixels of the smaller shipped files
SHIPPED = ("😀", "🦎", "🕸", "🐠", "🦋", "🎄")


def emoji(glyph: str, size: int | tuple[int, int] = 32, padding: int = 8) -> Tensor:
    """One emoji, ready to be grown.

    Args:
        glyph: the character, or the characters of a joined one; those of :data:`SHIPPED` need no
            network.
        size: side of the drawn glyph, in cells; or height and width, into which it is fitted.
        padding: empty cells on every side.

    Returns:
        ``[4, size + 2·padding, size + 2·padding]``, float32, premultiplied RGBA in [0, 1].

    """
    side = size if isinstance(size, int) else min(size)
    return rgba_target(glyph_file(glyph, side), size, padding)


def rgba_target(
    image: Path | Image.Image,
    size: int | tuple[int, int],
    padding: int = 0,
    background: Background = "transparent",
) -> Tensor:
    """Scales a picture to a target ``[4, height, width]``, premultiplied.

    A picture of another shape is fitted in, and put in the middle. Colours are multiplied
    by alpha before scaling: scaling first would let the colour of invisible pixels bleed into the
    outline.

    Args:
        image: a file or an image of Pillow's, of any kind that :func:`read_image` knows.
        size: side of a square, in cells, or height and width.
        padding: empty cells on every side.
        background: what is no part of the picture: what is transparent, or what is white and
            joined to an edge.

    Raises:
        CorruptFileError, ValueError: it is no picture; as :func:`read_image`.

    """
    high, wide = (size, size) if isinstance(size, int) else size
    if min(high, wide) < 1 or padding < 0:
        raise ValueError(f"size {size} must be ≥ 1 and padding {padding} ≥ 0")
    pixels = read_rgba(image, background)
    pixels[:3] *= pixels[3:]
    target = fitted(pixels, high, wide)
    target[:3] = torch.minimum(target[:3], target[3:])  # Lanczos overshoots at sharp edges
    return torch.nn.functional.pad(target, [padding] * 4)


def glyph_file(glyph: str, size: int = SMALL) -> Path:
    """The PNG of a glyph, joined ones too.

    A shipped one has 128×128 pixels or, where more are asked for, 512×512; a downloaded one 64×64.
    """
    bare = glyph.replace(VARIATION_SELECTOR, "")
    code = "-".join(f"{ord(character):04x}" for character in bare)
    if bare in SHIPPED:
        files = EMOJI_DEFAULT.files
        wanted = f"glyphs/{'512/' if size > SMALL else ''}emoji_u{code}.png"
    else:
        files = emoji_noto().files
        wanted = f"emoji-noto/{code}.png"
    for file in files:
        if file.path.replace("-fe0f", "") == wanted:
            return get(file)
    points = " ".join(f"U+{ord(character):04X}" for character in bare)
    raise ValueError(f"{glyph!r} ({points}) is not an emoji that Noto draws")
