"""Emoji as targets: six glyphs come with the package, any other is downloaded and checked."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ncabook.data.registry import EMOJI_DEFAULT, emoji_noto, get

VARIATION_SELECTOR = "\ufe0f"
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
    with Image.open(glyph_file(glyph)) as image:
        return rgba_target(image.convert("RGBA"), size, padding)


def rgba_target(image: Image.Image, size: int, padding: int = 0) -> Tensor:
    """Scales an RGBA image down to a target ``[4, side, side]``, premultiplied.

    Colours are multiplied by alpha before scaling: scaling first would let the colour of
    invisible pixels bleed into the outline.
    """
    if size < 1 or padding < 0:
        raise ValueError(f"size {size} must be ≥ 1 and padding {padding} ≥ 0")
    pixels = np.asarray(image, dtype=np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    scaled = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(pixels[..., i])).resize(
                (size, size), Image.Resampling.LANCZOS
            )
        )
        for i in range(4)
    ]
    target = torch.from_numpy(np.stack(scaled)).clamp(0, 1)
    target[:3] = torch.minimum(target[:3], target[3:])  # Lanczos overshoots at sharp edges
    return torch.nn.functional.pad(target, (padding,) * 4)


def glyph_file(glyph: str) -> Path:
    """The PNG of ``glyph``: the shipped 128×128 one, or a downloaded 64×64 one."""
    bare = glyph.replace(VARIATION_SELECTOR, "")
    if len(bare) != 1:
        raise ValueError(f"expected one emoji, got {glyph!r}; joined emojis are not supported")
    code = f"{ord(bare):04x}"
    if bare in SHIPPED:
        files = EMOJI_DEFAULT.files
        wanted = {f"glyphs/emoji_u{code}.png"}
    else:
        files = emoji_noto().files
        wanted = {f"emoji-noto/{code}.png", f"emoji-noto/{code}-fe0f.png"}
    for file in files:
        if file.path in wanted:
            return get(file)
    raise ValueError(f"{glyph!r} (U+{code.upper()}) is not an emoji that Noto draws")
