"""Pretrained feature extractors, as plain tensors."""

import torch
from safetensors.torch import load_file
from torch import Tensor

from ncabook.data.registry import DataFile, DataUnavailableError, locate

_ALEXNET = DataFile(
    "weights/alexnet_features_fp16.safetensors",
    "0a434290c756f37f67c0276defcc9d97a0f9d460218b7eefcde31dc204999e80",
    url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
)


def alexnet_features() -> dict[str, Tensor]:
    """Convolution weights of torchvision's AlexNet (IMAGENET1K_V1), float32.

    From ``NCABOOK_DATA/weights`` where that is set, else through torchvision's own download
    (233 MB, once), whose file name carries the start of its sha256.

    Returns:
        ``{"N.weight": …, "N.bias": …}`` with N the layer's place in ``alexnet().features``.

    """
    path = locate(_ALEXNET)
    tensors = load_file(path) if path is not None else _download_alexnet()
    return {
        k.removeprefix("features."): v.float()
        for k, v in tensors.items()
        if k.startswith("features.")
    }


def _download_alexnet() -> dict[str, Tensor]:
    try:
        return torch.hub.load_state_dict_from_url(_ALEXNET.url, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise DataUnavailableError(
            f"AlexNet's weights (233 MB, {_ALEXNET.url}) cannot be "
            f"downloaded ({error}); connect to the network, or point NCABOOK_DATA at a folder "
            f"that holds {_ALEXNET.path}"
        ) from None
