"""Renders the default glyphs from the Noto Color Emoji font into ``ncabook/data/glyphs``.

Debian: ``apt install fonts-noto-color-emoji``, then ``python scripts/render_emoji.py``.
The font stores colour bitmaps of one size only, 109 pixels per em, in cells of 136×128.
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
OUTPUT = Path(__file__).parents[1] / "ncabook" / "data" / "glyphs"
GLYPHS = "😀🦎🕸🐠🦋🎄"
EM, CELL, SIDE = 109, (136, 128), 128


def render(glyph: str) -> Image.Image:
    """The glyph as 128×128 RGBA, its drawn part in the middle: automata grow from there."""
    image = Image.new("RGBA", CELL, (0, 0, 0, 0))
    font = ImageFont.truetype(str(FONT), EM)
    ImageDraw.Draw(image).text((0, 0), glyph, font=font, embedded_color=True, anchor="lt")
    box = image.getbbox()
    content = image.crop(box)
    square = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    square.paste(content, ((SIDE - content.width) // 2, (SIDE - content.height) // 2))
    return square


if __name__ == "__main__":
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for glyph in GLYPHS:
        path = OUTPUT / f"emoji_u{ord(glyph):x}.png"
        render(glyph).save(path, optimize=True)
        print(f"{glyph}  {path.relative_to(OUTPUT.parents[2])}")
