"""All data of the book, by name: what ``ncabook data`` lists, fetches and checks."""

from ncabook.data.emoji_sets import EMOJI_DEFAULT, EMOJI_LARGE, emoji_noto
from ncabook.data.faces import FACES
from ncabook.data.moving import PUBLIC
from ncabook.data.pairs import HANDBAGS
from ncabook.data.registry import CIFAR, MNIST, DataSet
from ncabook.data.texture import PHOTOGRAPHS
from ncabook.data.textures import many_photographs
from ncabook.data.weights import ALEXNET, VGG16


def data_sets() -> dict[str, DataSet]:
    """All data sets by name; weights that others trained are among them."""
    emoji = (EMOJI_DEFAULT, EMOJI_LARGE, emoji_noto())
    photographs = (PHOTOGRAPHS, many_photographs(), HANDBAGS, FACES)
    sets = (*emoji, MNIST, PUBLIC, CIFAR, *photographs, ALEXNET, VGG16)
    return {entry.name: entry for entry in sets}
