"""Pictures as an experiment file names them: emojis, one's own files, or pictures inside the file.

::

    data:
      images: {cat: cat.png, dog: photos/dog.jpg}   # or a list of files
      glyphs: ["🦎"]                                # beside them, or alone
      size: [24, 40]                                # height and width; or one number for both
      padding: 6
      background: white                             # white around the pictures is no part of them

A picture inside the file is an address of the kind ``data:image/png;base64,…``: such a file, and
the card of what was trained from it, need no other.
"""

import base64
import binascii
import io
from pathlib import Path
from typing import Annotated, Any

import torch
from PIL import Image
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from ncabook.data.emoji import VARIATION_SELECTOR, emoji, rgba_target
from ncabook.data.images import Background, check_seen, name_of
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, LARGEST

Glyph = Annotated[str, Field(min_length=1, max_length=40)]  # a family is a row of characters
Label = Annotated[str, Field(min_length=1, max_length=80)]
Source = Annotated[str, Field(min_length=1, max_length=10**6)]
MOST_GLYPHS = 4096  # more than there are
INSIDE = "data:image/"


class PictureData(Strict):
    """Which pictures are the classes, and how large they are drawn.

    Attributes:
        glyphs: one emoji per class.
        images: one picture per class, after the emojis: files or pictures inside this one, by the
            names of their classes; in an experiment file a list will do, named by its files.
        size: of a picture, in cells: one number for height and width, or both. Whatever its shape,
            it is fitted into that and put in its middle.
        padding: empty cells on every side.
        background: of images: what is ``transparent`` is no part of the picture, or what is
            ``white`` and joined to an edge.

    """

    glyphs: list[Glyph] = Field(default=[], max_length=MOST_GLYPHS)
    images: dict[Label, Source] = Field(default={}, max_length=MOST_GLYPHS)
    size: int | list[int]
    padding: Annotated[int, Field(ge=0, le=LARGEST)]
    background: Background = "transparent"

    @field_validator("size", mode="before")
    @classmethod
    def _sides(cls, size: Any) -> Any:
        sides = size if isinstance(size, list) else [size]
        fits = all(type(side) is int and 1 <= side <= LARGEST for side in sides)
        if not fits or (isinstance(size, list) and len(size) != 2):
            raise ValueError(f"expected a number of cells, 1 to {LARGEST}, or two: [height, width]")
        return size

    @field_validator("images", mode="before")
    @classmethod
    def _named(cls, images: Any) -> Any:
        if not isinstance(images, list) or not all(isinstance(i, str) for i in images):
            return images
        names = [Path(i).stem if not i.startswith(INSIDE) else str(n) for n, i in enumerate(images)]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ValueError(
                    f"two files are named {name}; expected different names, or a mapping from a "
                    "name of its own to each file"
                )
        return dict(zip(names, images, strict=True))

    @field_validator("glyphs")
    @classmethod
    def _different(cls, glyphs: list[str]) -> list[str]:
        pictures = [glyph.replace(VARIATION_SELECTOR, "") for glyph in glyphs]
        for place, picture in enumerate(pictures):
            if picture in pictures[:place]:
                raise ValueError(f"{glyphs[place]} stands twice; expected different glyphs")
        return glyphs

    @model_validator(mode="after")
    def _some(self) -> "PictureData":
        if not self.classes:
            raise ValueError("neither glyphs nor images; expected at least one picture")
        twice = set(self.glyphs) & set(self.images)
        if twice:
            raise ValueError(f"{min(twice)} is a glyph and names an image; expected another name")
        return self

    @property
    def classes(self) -> list[str]:
        """What the classes are called: emojis, then the images' names."""
        return [*self.glyphs, *self.images]

    @property
    def box(self) -> tuple[int, int]:
        """Height and width of a picture, in cells."""
        height, width = self.size if isinstance(self.size, list) else (self.size, self.size)
        return height, width

    @property
    def height(self) -> int:
        """Of the whole grid, in cells."""
        return self.box[0] + 2 * self.padding

    @property
    def width(self) -> int:
        """Of the whole grid, in cells."""
        return self.box[1] + 2 * self.padding

    @property
    def target_bytes(self) -> int:
        """Of the class images."""
        return FLOAT * 4 * self.height * self.width * len(self.classes)

    def build(self) -> Tensor:
        """The class images, ``[classes, 4, height, width]``, premultiplied RGBA in [0, 1].

        Raises:
            CorruptFileError, ValueError: a file is no picture, or there is nothing in it.
            OSError: there is no such file.

        """
        drawn = [emoji(glyph, self.box, self.padding) for glyph in self.glyphs]
        for name, source in self.images.items():
            picture = _inside(name, source) if source.startswith(INSIDE) else Path(source)
            drawn.append(rgba_target(picture, self.box, self.padding, self.background))
            check_seen(drawn[-1][3], name_of(picture), self.background)
        return torch.stack(drawn)


def _inside(name: str, source: str) -> Image.Image:
    """A picture that stands in the file itself."""
    head, _, body = source.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError(f"it begins with {head[:40]!r}")
        image = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
    except (ValueError, binascii.Error, OSError) as error:
        raise ValueError(
            f"the image {name} is not a picture inside the file: {error}; expected "
            "data:image/png;base64,…"
        ) from None
    image.filename = name  # pyright: ignore[reportAttributeAccessIssue]  # for messages
    return image


def as_source(picture: Image.Image) -> str:
    """A picture as it stands inside an experiment file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"{INSIDE}png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
