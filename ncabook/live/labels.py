"""What the classes of a figure are called: in a label, such as an emoji, and in words."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

Label = dict[str, str]  # "label" and "name"


@dataclass(frozen=True)
class Labels:
    """The classes that readers choose among; arguments of :func:`~ncabook.live.export.describe`."""

    classes: Sequence[str]
    class_names: Sequence[str] | None
    class_index: int

    def described(self, count: int, inputs: Sequence[str]) -> list[Label]:
        """The description's list: of ``count`` classes, or of the inputs' names in their place.

        Raises:
            ValueError: not one label for each class; classes, and inputs too; or the one to begin
                with is none of them.

        """
        labels = class_labels(count, self.classes, self.class_names)
        if inputs:
            if labels:
                raise ValueError("inputs and seeds are for automata without classes to grow into")
            labels = class_labels(len(inputs), inputs, None)
        if not 0 <= self.class_index < max(1, len(labels)):
            raise ValueError(f"class_index is {self.class_index}; there are {len(labels)} classes")
        return labels


def class_labels(
    count: int,
    classes: Sequence[str],
    names: Sequence[str] | None,
    argument: str = "classes",
    place: str = "condition",
) -> list[Label]:
    """A label and a name in words for each of ``count`` classes, as ``describe`` takes them.

    Raises:
        ValueError: as many labels or names as classes were expected.

    """
    if count and not classes:
        classes = [str(i + 1) for i in range(count)]
        names = names or [f"class {label}" for label in classes]
    if len(classes) != count:
        raise ValueError(
            f"{argument} has {len(classes)} labels; the automaton's {place} has {count} channels "
            "for them"
        )
    if names is None:
        names = [_unicode_name(label) for label in classes]
    if len(names) != count:
        raise ValueError(f"class_names has {len(names)} names for {count} classes")
    return [{"label": label, "name": name} for label, name in zip(classes, names, strict=True)]


def _unicode_name(label: str) -> str:
    """``"🦎"`` → ``"lizard"``; a label of several characters, or a plain letter, names itself."""
    bare = label.replace("\ufe0f", "")
    if len(bare) == 1 and not bare.isascii():
        return unicodedata.name(bare, label).lower()
    return label
