"""Images of one's own to be classified, as an experiment file names them.

::

    data:
      name: folder
      folder: shells        # holds a folder of images for each class
      names: [conch, cowrie]   # these; if left out, all there are, in alphabetical order
      side: 32
      channels: 3

Names that were left out are filled in when the file is read, and stand in the card: what was
trained can be loaded where the folder is not.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from ncabook.data.folders import class_names, labelled_folder
from ncabook.data.labelled import Labelled, Split
from ncabook.reading import Strict
from ncabook.tasks.base import LARGEST
from ncabook.training.classification import visible_image

MOST_CLASSES = 1000
SHOWN = 10  # of the images, in a page


class FolderData(Strict):
    """Images in a folder, which holds a folder for each class.

    Attributes:
        name: says that it is one.
        folder: its path.
        names: of the classes, and of the folders in it.
        side: of the square that each image is fitted into, in cells.
        channels: 3 for colours, 1 for gray.
        padding: empty cells on every side of an image.

    """

    name: Literal["folder"]
    folder: Annotated[str, Field(min_length=1)]
    names: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=80)]],
        Field(min_length=2, max_length=MOST_CLASSES),
    ]
    side: Annotated[int, Field(ge=4, le=LARGEST)]
    channels: Literal[1, 3] = 3
    padding: Annotated[int, Field(ge=0, le=LARGEST)] = 0

    @model_validator(mode="before")
    @classmethod
    def _found(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "names" in content:
            return content
        folder = content.get("folder")
        return content | ({"names": class_names(folder)} if isinstance(folder, str) else {})

    @field_validator("names")
    @classmethod
    def _different(cls, names: list[str]) -> list[str]:
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ValueError(f"{name} stands twice; expected different classes")
            if Path(name).name != name:
                raise ValueError(f"{name} is no name of a folder in the folder")
        return names

    @property
    def grid(self) -> int:
        """Side of the whole grid, in cells."""
        return self.side + 2 * self.padding

    @property
    def classes(self) -> tuple[str, ...]:
        """What the classes are called."""
        return tuple(self.names)

    def build(self, split: Split) -> Labelled:
        """The images and labels to train on, or to be measured by."""
        return labelled_folder(self.folder, self.classes, self.side, self.channels, split)

    def exact(self, test: Labelled) -> None:
        """None: these are no copies of others."""

    def examples(self) -> dict[str, Tensor]:
        """What a page may begin with: where the folder is, a test image of each of some classes.

        Returns:
            by name, ``[channels, grid, grid]`` in [0, 1]; an empty input is the last.

        """
        blank = {"blank": torch.zeros(self.channels, self.grid, self.grid)}
        if not Path(self.folder).is_dir():
            return blank
        some = self.model_copy(update={"names": self.names[:SHOWN]}).build("test")
        shown = visible_image(some.images, self.padding)
        firsts = {
            name: shown[int((some.labels == label).nonzero()[0])]
            for label, name in enumerate(some.names)
        }
        return firsts | blank
