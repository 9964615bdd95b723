"""Pretrained feature extractors, as plain tensors."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ncabook.data.registry import DataFile, DataUnavailableError, locate
from ncabook.files import CorruptFileError, sha256


@dataclass(frozen=True)
class _Network:
    """A network of torchvision's, and its convolutions in a file of half their size."""

    name: str
    megabytes: int  # of torchvision's download
    file: DataFile


_ALEXNET = _Network(
    "AlexNet",
    233,
    DataFile(
        "weights/alexnet_features_fp16.safetensors",
        "0a434290c756f37f67c0276defcc9d97a0f9d460218b7eefcde31dc204999e80",
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ),
)
_VGG16 = _Network(
    "VGG16",
    528,
    DataFile(
        "weights/vgg16_features_fp16.safetensors",
        "63ac8964e1a41e7f702ebba09698471cd51059d55d6ad9ea8a1b80f495ebc278",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
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
    return _features(_ALEXNET)


def vgg16_features() -> dict[str, Tensor]:
    """Convolution weights of torchvision's VGG16 (IMAGENET1K_V1; 528 MB), likewise."""
    return _features(_VGG16)


def _features(network: _Network) -> dict[str, Tensor]:
    path = locate(network.file)
    tensors = load_file(path) if path is not None else _download(network)
    return {
        k.removeprefix("features."): v.float()
        for k, v in tensors.items()
        if k.startswith("features.")
    }


def _download(network: _Network) -> dict[str, Tensor]:
    url = network.file.url
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    begins = cached.stem.rpartition("-")[2]  # torchvision's names end so
    if cached.exists() and not sha256(cached).startswith(begins):
        raise CorruptFileError(
            f"{cached} is not {network.name}'s file: its sha256 does not begin with {begins}; "
            "delete it, and it is downloaded anew"
        )
    try:
        return torch.hub.load_state_dict_from_url(url, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise DataUnavailableError(
            f"{network.name}'s weights ({network.megabytes} MB, {url}) cannot be "
            f"downloaded ({error}); connect to the network, or point NCABOOK_DATA at a folder "
            f"that holds {network.file.path}"
        ) from None
