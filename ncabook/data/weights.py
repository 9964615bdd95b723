"""Pretrained feature extractors, as plain tensors."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ncabook.data.download import disk_trouble
from ncabook.data.registry import (
    DataFile,
    DataSet,
    DataUnavailableError,
    locate,
)
from ncabook.files import CorruptFileError, sha256


class _Network(DataSet):
    """A network of torchvision's: its convolutions in a file of half their size, or its own file.

    The latter is what :meth:`fetch` downloads, into torch hub's cache, as torchvision would.
    """

    def find(self, file: DataFile) -> Path | None:
        path = locate(file)
        if path is not None:
            return path
        cached, begins = _cached(file)
        if not cached.exists():
            return None
        if not sha256(cached).startswith(begins):
            raise CorruptFileError(
                f"{cached} is not torchvision's file: its sha256 does not begin with {begins}; "
                "delete it, and it is downloaded anew"
            )
        return cached

    def fetch(self, file: DataFile) -> Path:
        path = self.find(file)
        if path is not None:
            return path
        cached, begins = _cached(file)
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(_url(file), str(cached), hash_prefix=begins)
        except (OSError, RuntimeError) as error:
            trouble = disk_trouble(error, cached.parent, "TORCH_HOME")
            if trouble:
                raise DataUnavailableError(f"{cached.name} ({self.size}) is {trouble}") from None
            raise DataUnavailableError(
                f"{self.name}'s weights ({self.size}, {file.url}) cannot be downloaded ({error}); "
                f"connect to the network and call `ncabook data get {self.name}`, or point "
                f"NCABOOK_DATA at a folder that holds {file.path}"
            ) from None
        return cached


def _url(file: DataFile) -> str:
    """Where torchvision has it."""
    assert file.url is not None  # only files of the package itself have none
    return file.url


def _cached(file: DataFile) -> tuple[Path, str]:
    """Where torch hub keeps a network, and how its sha256 begins: torchvision's names end so."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(_url(file)).name)
    return path, path.stem.rpartition("-")[2]


_LICENCE = "BSD-3-Clause (torchvision); ImageNet's photographs are for research only"
ALEXNET = _Network(
    "alexnet",
    "AlexNet's convolutions, with which LPIPS compares images",
    "233 MB",
    "torchvision, IMAGENET1K_V1",
    _LICENCE,
    (
        DataFile(
            "weights/alexnet_features_fp16.safetensors",
            "0a434290c756f37f67c0276defcc9d97a0f9d460218b7eefcde31dc204999e80",
            url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        ),
    ),
)
VGG16 = _Network(
    "vgg16",
    "VGG16's convolutions, with which styles of textures are compared",
    "528 MB",
    "torchvision, IMAGENET1K_V1",
    _LICENCE,
    (
        DataFile(
            "weights/vgg16_features_fp16.safetensors",
            "63ac8964e1a41e7f702ebba09698471cd51059d55d6ad9ea8a1b80f495ebc278",
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
        ),
    ),
)


def alexnet_features() -> dict[str, Tensor]:
    """Convolution weights of torchvision's AlexNet (IMAGENET1K_V1), float32.

    From ``NCABOOK_DATA/weights`` where that is set, else through torchvision's own download
    (233 MB, once), whose file name carries the start of its sha256.

    Returns:
        ``{"N.weight": …, "N.bias": …}`` with N the layer's place in ``alexnet().features``.

    Raises:
        DataUnavailableError: they are not here and cannot be downloaded.
        CorruptFileError: a file of that name is here, but it is not this one.

    """
    return _features(ALEXNET)


def vgg16_features() -> dict[str, Tensor]:
    """Convolution weights of torchvision's VGG16 (IMAGENET1K_V1; 528 MB), likewise."""
    return _features(VGG16)


def _features(network: DataSet) -> dict[str, Tensor]:
    (file,) = network.files
    path = network.fetch(file)
    if path.suffix == ".safetensors":
        tensors = load_file(path)
    else:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    return {
        k.removeprefix("features."): v.float()
        for k, v in tensors.items()
        if k.startswith("features.")
    }
