"""Pretrained feature extractors, as plain tensors."""

import os
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ncabook.data.registry import DataUnavailableError
from ncabook.files import CorruptFileError, sha256

_ALEXNET = "weights/alexnet_features_fp16.safetensors"
_ALEXNET_SHA256 = "0a434290c756f37f67c0276defcc9d97a0f9d460218b7eefcde31dc204999e80"


def alexnet_features() -> dict[str, Tensor]:
    """Convolution weights of torchvision's AlexNet (IMAGENET1K_V1), float32.

    From ``NCABOOK_DATA/weights`` where that is set, else through torchvision's own download
    (233 MB, once), whose file name carries the start of its sha256.

    Returns:
        ``{"N.weight": …, "N.bias": …}`` with N the layer's place in ``alexnet().features``.

    """
    folder = os.environ.get("NCABOOK_DATA")
    path = Path(folder) / _ALEXNET if folder else None
    if path is not None and path.is_file():
        found = sha256(path)
        if found != _ALEXNET_SHA256:
            raise CorruptFileError(
                f"{path} is corrupt: expected sha256 {_ALEXNET_SHA256}, found {found}; replace it"
            )
        tensors = load_file(path)
    else:
        tensors = _download_alexnet()
    return {
        k.removeprefix("features."): v.float()
        for k, v in tensors.items()
        if k.startswith("features.")
    }


def _download_alexnet() -> dict[str, Tensor]:
    from torchvision.models import AlexNet_Weights

    try:
        return torch.hub.load_state_dict_from_url(
            AlexNet_Weights.IMAGENET1K_V1.url, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise DataUnavailableError(
            f"AlexNet's weights (233 MB, {AlexNet_Weights.IMAGENET1K_V1.url}) cannot be "
            f"downloaded ({error}); connect to the network, or point NCABOOK_DATA at a folder "
            f"that holds {_ALEXNET}"
        ) from None
