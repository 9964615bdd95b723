"""Textures to be grown: photographs of DTD, files of one's own, and four that are computed."""

import math
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.data.download import disk_trouble
from ncabook.data.images import read_image
from ncabook.data.registry import (
    DataFile,
    DataSet,
    DataUnavailableError,
    cache_folder,
    locate,
)

DTD = {
    "bubbly_0101": "ab6fefbf9342357f5e9bebd34fdf12905b25b83f301a79f890bb70682c495ad1",
    "chequered_0121": "cd2beaf34b4f24bd9e354c9c2ef75d943259655abb8a7e14b7e6afd60b883062",
    "cracked_0102": "3be7dd2b7475a08bfbd4648c842db35a04796500613187a060e8be2ea1e8df32",
    "interlaced_0172": "3265123021b102c81f05d1d66f831a2ce76b29d86464ca09e205778f904f2530",
    "lacelike_0004": "1ad70a35270752250389c7d863618c1225ee757bc267cdc5a5de379cc17ba7e6",
}
DTD_URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"
COARSE = 96  # pixels of the copy on which squares are compared


class Photographs(DataSet):
    """DTD, below ``dtd`` or, where torchvision put it, below ``dtd/dtd``."""

    def find(self, file: DataFile) -> Path | None:
        """The checked local copy, or None."""
        return locate(file) or locate(replace(file, path=f"dtd/{file.path}"))

    def fetch(self, file: DataFile) -> Path:
        """The checked local copy, downloaded if need be, with all the others."""
        here = self.find(file)
        if here is not None:
            return here
        folder = cache_folder()
        try:
            from torchvision import datasets  # slow to import, and few need it

            datasets.DTD(folder, download=True)
            here, error = self.find(file), "the download lacks it"
        except (OSError, RuntimeError) as reason:
            trouble, error = disk_trouble(reason, folder / "dtd", "NCABOOK_CACHE"), str(reason)
            if trouble:
                raise DataUnavailableError(f"DTD ({self.size}) is {trouble}") from None
        if here is None:
            raise DataUnavailableError(
                f"{Path(file.path).stem} of DTD ({self.size}) is not here and cannot be downloaded "
                f"({error}); connect to the network (and delete {folder / 'dtd'} if a download "
                f"broke off there), point NCABOOK_DATA at a folder that holds {file.path}, or take "
                f"a computed texture: {', '.join(COMPUTED)}"
            )
        return here


def photograph_file(name: str, sha256: str) -> DataFile:
    """Where a photograph of DTD lies, such as ``bubbly_0101``."""
    return DataFile(f"dtd/images/{name.split('_')[0]}/{name}.jpg", sha256, url=DTD_URL)


PHOTOGRAPHS = Photographs(
    "dtd",
    f"photographs of textures, of which the book uses {len(DTD)}",
    "600 MB, all of it",
    "Cimpoi et al. 2014, www.robots.ox.ac.uk/~vgg/data/dtd, through torchvision",
    "for research; the photographs are their owners'",
    tuple(photograph_file(*entry) for entry in DTD.items()),
)


def texture(name: str, size: int) -> Tensor:
    """A square texture, RGB in [0, 1], ``[3, size, size]``.

    Args:
        name: a photograph of :data:`DTD`, a computed texture of :data:`COMPUTED`, or the path of
            an image file.
        size: of the result; of an image, the large square that fits itself best at its edges is
            scaled to it, and what jump is left there is taken away.

    Raises:
        ValueError: no such texture, or an image that is smaller than ``size``.
        DataUnavailableError: a photograph is neither here nor can be downloaded.
        CorruptFileError: a file that is no image, or not the photograph that it should be.

    """
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size is {size}; expected a whole number ≥ 1")
    name = str(name)
    if name in COMPUTED:
        return COMPUTED[name](size)
    if name in DTD:
        path = PHOTOGRAPHS.fetch(photograph_file(name, DTD[name]))
    elif is_file(name):
        path = Path(name)
    else:
        raise ValueError(
            f"there is no texture {name!r}; expected an image file or one of "
            f"{', '.join([*COMPUTED, *DTD])}"
        )
    image = read_image(path)
    side = min(image.shape[1:])
    if side < size:
        height, width = image.shape[1:]
        raise ValueError(
            f"{path} has {width}×{height} pixels; a texture of {size}×{size} needs as many at least"
        )
    top, left, side = best_square(image, least=size)
    square = periodic(_scaled(image[:, top : top + side, left : left + side], size, size))
    # Bytes, since processors differ in the last bits: a card's digest is to be the same on all.
    return (255 * square).clamp(0, 255).round() / 255


def is_file(name: str) -> bool:
    """Whether it is the path of a file; a name that no file can have is not."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # longer than names can be, or with a zero in it
        return False


def best_square(image: Tensor, least: int = 1) -> tuple[int, int, int]:
    """The square that would be laid side by side with the least visible seams.

    A row and the one ``side`` below it should be equal, and so should columns. Of all squares
    from 70 % of the shorter side on, on a coarse copy, the one is taken where three rows and
    columns about its edges differ least from their partners.

    Args:
        image: ``[3, H, W]``.
        least: no side is smaller than this.

    Returns:
        top, left and side, in pixels.

    """
    shorter = min(image.shape[1:])
    scale = min(1.0, COARSE / shorter)
    small = _scaled(image, *(round(n * scale) for n in image.shape[1:]))
    most = min(small.shape[1:])
    best = (math.inf, 0, 0, most)
    for side in range(max(math.ceil(0.7 * most), math.ceil(least * scale)), most):
        below = (small[:, side:] - small[:, :-side]).abs().mean(0)  # [H - side, W]
        beside = (small[:, :, side:] - small[:, :, :-side]).abs().mean(0)  # [H, W - side]
        rows = _window_means(_window_means(below, 1, side), 0, 3)
        columns = _window_means(_window_means(beside, 0, side), 1, 3)
        height, width = (min(a, b) for a, b in zip(rows.shape, columns.shape, strict=True))
        if not (height and width):
            continue
        cost = rows[:height, :width] + columns[:height, :width]
        place = int(cost.argmin())
        best = min(best, (float(cost.min()), place // width, place % width, side))
    if best[0] == math.inf:  # nothing to choose from
        height, width = image.shape[1:]
        return (height - shorter) // 2, (width - shorter) // 2, shorter
    top, left, side = (round(n / scale) for n in best[1:])
    side = max(least, min(side, image.shape[1] - top, image.shape[2] - left))
    return min(top, image.shape[1] - side), min(left, image.shape[2] - side), side


def _window_means(values: Tensor, dim: int, size: int) -> Tensor:
    """Means of all windows of ``size`` along ``dim``."""
    if values.shape[dim] < size:
        return values.narrow(dim, 0, 0)
    return values.unfold(dim, size, 1).mean(-1)


def _scaled(image: Tensor, height: int, width: int) -> Tensor:
    size = (height, width)
    scaled = F.interpolate(image[None], size, mode="bicubic", antialias=True)
    return scaled[0].clamp(0, 1)


def periodic(image: Tensor) -> Tensor:
    """The image without the seam that it has on a torus (Moisan 2011): ``[3, H, W]``.

    A photograph does not fit itself where its edges meet. Its *smooth component* solves Poisson's
    equation for the jumps there, and is subtracted; the mean stays. Values may leave [0, 1] a
    little.
    """
    image = image.double()
    jump = torch.zeros_like(image)
    jump[:, 0] += image[:, -1] - image[:, 0]
    jump[:, -1] += image[:, 0] - image[:, -1]
    jump[:, :, 0] += image[:, :, -1] - image[:, :, 0]
    jump[:, :, -1] += image[:, :, 0] - image[:, :, -1]
    rows, columns = (
        2 * torch.cos(2 * torch.pi * torch.fft.fftfreq(n, dtype=torch.float64))
        for n in image.shape[1:]
    )
    laplacian = rows[:, None] + columns - 4
    laplacian[0, 0] = 1  # the jumps have no mean
    smooth = torch.fft.ifft2(torch.fft.fft2(jump) / laplacian).real
    return (image - smooth).float()


def _place(size: int) -> tuple[Tensor, Tensor]:
    """Where each pixel is, in [0, 1), ``[size, 1]`` and ``[1, size]``."""
    along = (torch.arange(size) + 0.5) / size
    return along[:, None], along[None, :]


def _between(low: str, high: str, share: Tensor) -> Tensor:
    """Two colours, mixed by ``share`` ``[H, W]``: ``[3, H, W]``."""
    a, b = (
        torch.tensor([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)])[:, None, None]
        for c in (low, high)
    )
    return a + (b - a) * share.clamp(0, 1)


def _striped(size: int) -> Tensor:
    y, x = _place(size)
    return _between("#20304f", "#e8c468", 0.5 + 2 * torch.sin(2 * torch.pi * (3 * x + 5 * y)))


def _dotted(size: int) -> Tensor:
    y, x = _place(size)
    from_middle = [(6 * t) % 1 - 0.5 for t in (y, x)]
    distance = torch.hypot(*torch.broadcast_tensors(*from_middle))
    return _between("#a8323e", "#f4ead5", (distance - 0.3) * size / 6 + 0.5)


def _woven(size: int) -> Tensor:
    y, x = _place(size)
    rows, columns = 8 * y, 8 * x
    over = (rows.floor() + columns.floor()) % 2 == 0
    along, across = torch.where(over, columns, rows), torch.where(over, rows, columns)
    round_ = torch.sin(torch.pi * (across % 1)) * (0.6 + 0.4 * torch.sin(torch.pi * (along % 1)))
    threads = [_between("#1b1b1e", c, round_) for c in ("#4f8f7a", "#d9b26a")]
    return torch.where(over, *threads)


def _voronoi(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    points, hues = (torch.rand(40, n, generator=generator) for n in (2, 1))
    y, x = _place(size)
    away = [(a - p[:, None, None] + 0.5) % 1 - 0.5 for a, p in zip((y, x), points.T, strict=True)]
    distance = torch.hypot(*torch.broadcast_tensors(*away))
    near = distance.topk(2, dim=0, largest=False)
    edge = (near.values[1] - near.values[0]) * size / 3
    return _between("#2a1a12", "#d8c7a0", edge) * (0.7 + 0.3 * hues[near.indices[0], 0])


COMPUTED = {"striped": _striped, "dotted": _dotted, "woven": _woven, "voronoi": _voronoi}
