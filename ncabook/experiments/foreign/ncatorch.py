"""Growing models of NCAtorch, the framework of the paper's authors: state dicts and their config.

Names, shapes and formulas are those of its modules ``perceptions.py``, ``update_models.py`` and
``state_updates.py``. What a state dict does not tell (dilation, heads, masks) stands in the run's
``config.yaml``, which lies beside the weights.

Its Sobel filters are this package's with other names and signs, and its Laplacian is this one plus
¾ of the value itself. Both are linear, and the update's first layer follows at once, so that a
change of that layer's weights makes them equal.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from ncabook.automaton import SobelPerception
from ncabook.experiments.foreign.brought import Brought, ForeignModelError
from ncabook.files import CorruptFileError
from ncabook.reading import mistakes, read
from ncabook.tasks.parts import (
    AttentionBlockConfig,
    ConvConfig,
    LocalAttentionConfig,
    MLPConfig,
    ModelConfig,
    MultiConfig,
    ResidualConfig,
    ResNetConfig,
    SobelConfig,
)
from ncabook.training.checkpoint import load_tensors

RGBA, ALPHA = 4, 3
NEAR = 1e-5  # of a filter and its copy
DIFFERS = [
    "Seeds begin with hidden channels of 0, as the paper says; NCAtorch's emojis with noise of "
    "standard deviation 0.05 in every cell.",
    "The living mask looks around the border, as everything else does; NCAtorch's stops there.",
    "Coins are thrown by another generator.",
]


class _Loose(BaseModel):
    """Some fields of a file that has many more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Perception(_Loose):
    MODE: str = "conv"
    KERNEL_SIZE: Annotated[int, Field(ge=1)] = 3
    DILATION: Annotated[int, Field(ge=1)] = 1
    NUM_HEADS: Annotated[int, Field(ge=1)] = 4


class _Model(_Loose):
    NAME: Literal["MLP", "ResNet", "ConvCA", "ResNetCA"] = "MLP"
    CHANNEL_N: Annotated[int, Field(ge=RGBA)] = 16
    CHANNEL_OUT: int | None = None
    USE_POSITIONAL_EMBEDDINGS: bool = False
    LIVING_MASK: bool = False
    LIVING_MASK_INDEX: int = ALPHA
    NOISE_INJECTION: float = 0.0
    FINAL_ACTIVATION: bool = False
    CLAMP_OUTPUT: bool = False
    NORMALIZE_OUTPUT: bool = False
    FIRE_RATE: Annotated[float, Field(gt=0, le=1)] = 0.5
    PERCEPTIONS: Annotated[list[_Perception], Field(min_length=1, max_length=64)]


class _Dataset(_Loose):
    NAME: str = "emoji"
    TARGET_SIZE: Annotated[int, Field(ge=1)] = 64
    TARGET_PADDING: Annotated[int, Field(ge=0)] = 0
    EMOJIS: list[str] = []


class _Latent(_Loose):
    ENABLED: bool = False


class _Config(_Loose):
    MODEL: _Model
    DATASET: _Dataset = _Dataset()
    LATENT_TRAINING: _Latent = _Latent()


def read_ncatorch(path: Path, config: Path | None = None) -> Brought:
    """Reads a growing model of NCAtorch.

    Args:
        path: a state dict, as safetensors, or as ``torch.save`` wrote it; of the latter, only
            tensors are read, and no other object is made.
        config: the run's ``config.yaml``; beside ``path`` if not given.

    Raises:
        ForeignModelError: the files are something else, or not whole; or the model has what this
            package's parts cannot do.
        OSError: there is no such file.

    """
    settings = _settings(config or path.with_name("config.yaml"))
    weights = {re.sub(r"^(_orig_mod\.|module\.)+", "", k): v for k, v in _tensors(path).items()}
    source = _Source(path, weights)
    model = settings.MODEL
    modes = model.PERCEPTIONS
    branches = []
    for i, perception in enumerate(modes):
        prefix = "perception." if len(modes) == 1 else f"perception.perceptions.{i}."
        if perception.MODE not in BRANCHES:
            raise ForeignModelError(
                f"{path}: perception {perception.MODE!r} has no equal here; expected one of "
                f"{', '.join(BRANCHES)}"
            )
        branches.append(BRANCHES[perception.MODE](source.within(prefix), perception))
    inputs = {branch.inputs for branch in branches}
    told = max(inputs) - model.CHANNEL_N
    if len(inputs) != 1 or told < 0 or told == 1:
        raise ForeignModelError(
            f"{path}: perceptions of {sorted(inputs)} channels in all, of which CHANNEL_N = "
            f"{model.CHANNEL_N} are the state's; expected no more, or two classes and more"
        )
    mixes = [branch.mix for branch in branches]
    if model.NAME in ("ResNet", "ResNetCA"):
        update, moved = _resnet(source.within("update_model."), mixes)
    else:
        update, moved = _mlp(source.within("update_model.model."), mixes)
    tensors = {f"update.{name}": tensor for name, tensor in moved.items()}
    for i, branch in enumerate(branches):
        place = "perception." if len(branches) == 1 else f"perception.branches.{i}."
        tensors |= {place + name: tensor for name, tensor in branch.tensors.items()}
    source.check_all_read()

    configs = [branch.config for branch in branches]
    return Brought(
        ModelConfig(
            hidden_channels=model.CHANNEL_N - RGBA,
            perception=configs[0]
            if len(configs) == 1
            else MultiConfig(kind="multi", branches=configs),
            update=update,
            fire_rate=model.FIRE_RATE,
            living_threshold=0.1 if model.LIVING_MASK else None,
        ),
        tensors,
        classes=told or 1,
        what="a growing model in the format of NCAtorch (Spitznagel and Keuper, 2026)",
        differs=[*DIFFERS, *_noted(model), *dict.fromkeys(n for b in branches for n in b.notes)],
        names=settings.DATASET.EMOJIS if len(settings.DATASET.EMOJIS) == (told or 1) else None,
        size=settings.DATASET.TARGET_SIZE,
        padding=settings.DATASET.TARGET_PADDING,
    )


def _settings(path: Path) -> _Config:
    """The run's configuration; refuses what this package's parts cannot do."""
    if not path.is_file():
        raise ForeignModelError(
            f"{path}: no such file; name the run's config.yaml with --config: weights do not tell "
            "dilation, heads and masks"
        )
    content = read(path, "config")
    try:
        config = _Config.model_validate(content)
    except ValidationError as error:
        raise ForeignModelError(mistakes(error, str(path))[0]) from None
    model = config.MODEL
    unknown = {
        "LATENT_TRAINING": config.LATENT_TRAINING.ENABLED,
        "USE_POSITIONAL_EMBEDDINGS": model.USE_POSITIONAL_EMBEDDINGS,
        "FINAL_ACTIVATION": model.FINAL_ACTIVATION,
        "CLAMP_OUTPUT": model.CLAMP_OUTPUT,
        "NORMALIZE_OUTPUT": model.NORMALIZE_OUTPUT,
        f"CHANNEL_OUT {model.CHANNEL_OUT}": model.CHANNEL_OUT not in (None, model.CHANNEL_N),
        f"LIVING_MASK_INDEX {model.LIVING_MASK_INDEX}": model.LIVING_MASK
        and model.LIVING_MASK_INDEX != ALPHA,
        f"DATASET.NAME {config.DATASET.NAME}": config.DATASET.NAME != "emoji",
    }
    for name, there in unknown.items():
        if there:
            raise ForeignModelError(
                f"{path}: {name} has no equal here; what is imported are automata that grow emojis"
            )
    return config


def _noted(model: _Model) -> list[str]:
    if model.NOISE_INJECTION:
        return [f"NCAtorch adds noise of {model.NOISE_INJECTION} at every step; here is none."]
    return []


def _tensors(path: Path) -> dict[str, Tensor]:
    """All floating tensors of a file, in float32, by name."""
    wrong = f"{path} is no state dict"
    try:
        if path.suffix == ".safetensors":
            found: Any = load_tensors(path)[0]
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except (CorruptFileError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise ForeignModelError(f"{wrong}: {str(error).splitlines()[0]}") from None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ForeignModelError(f"{wrong}: {reason}") from None
    for name in ("state_dict", "model_state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not found:
        raise ForeignModelError(f"{wrong}: expected tensors by name")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ForeignModelError(f"{wrong}: {name!r} is no tensor")
        if not tensor.float().isfinite().all():
            raise ForeignModelError(f"{path}: {name} holds NaN or infinite numbers")
    return {name: tensor.float() for name, tensor in found.items()}


class _Source:
    """Tensors by name, of which each has to be read: one that is left over means something."""

    def __init__(
        self, path: Path, tensors: dict[str, Tensor], prefix: str = "", used: Any = None
    ) -> None:
        self.path, self.tensors, self.prefix = path, tensors, prefix
        self.used: set[str] = set() if used is None else used

    def within(self, prefix: str) -> "_Source":
        return _Source(self.path, self.tensors, self.prefix + prefix, self.used)

    def __contains__(self, name: str) -> bool:
        return self.prefix + name in self.tensors

    def __getitem__(self, name: str) -> Tensor:
        whole = self.prefix + name
        if whole not in self.tensors:
            raise ForeignModelError(
                f"{self.path}: {whole} is missing; are these the weights of that config.yaml?"
            )
        self.used.add(whole)
        return self.tensors[whole]

    def matrix(self, name: str) -> Tensor:
        """Of a 1×1 convolution, ``[out, in]``."""
        weight = self[name]
        if weight.ndim != 4 or weight.shape[2:] != (1, 1):
            raise ForeignModelError(
                f"{self.path}: {self.prefix}{name} has shape {list(weight.shape)}; expected a "
                "1×1 convolution's"
            )
        return weight[:, :, 0, 0]

    def kernel(self, name: str) -> Tensor:
        """Of a convolution, ``[out, in, k, k]``."""
        weight = self[name]
        square = weight.ndim == 4 and weight.shape[2] == weight.shape[3]
        if not square or weight.shape[2] % 2 == 0:
            raise ForeignModelError(
                f"{self.path}: {self.prefix}{name} has shape {list(weight.shape)}; expected "
                "[out, in, k, k] of an odd k"
            )
        return weight

    def check_all_read(self) -> None:
        left = sorted(set(self.tensors) - self.used)
        if left:
            raise ForeignModelError(
                f"{self.path}: {left[0]}{f' and {len(left) - 1} more' if left[1:] else ''} has no "
                "place in the model of that config.yaml"
            )


class _Branch:
    """A perception of this package: its configuration, its weights, and what they expect.

    Attributes:
        mix: what turns this package's features into NCAtorch's, ``[theirs, ours]``, times the
            number of channels; None where both are the same.

    """

    def __init__(
        self,
        config: Any,
        inputs: int,
        tensors: dict[str, Tensor],
        features: int,
        mix: Tensor | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.config, self.inputs, self.tensors = config, inputs, tensors
        self.features, self.notes = features, notes
        self.mix = (mix, inputs if mix is not None else features)


def _conv(source: _Source, told: _Perception) -> _Branch:
    kernel = source.kernel("conv.weight")
    features, inputs, size, _ = kernel.shape
    config = ConvConfig(kind="conv", features=features, kernel_size=size, dilation=told.DILATION)
    weights = {"conv.weight": kernel, "conv.bias": source["conv.bias"]}
    return _Branch(config, inputs, weights, features)


def _sobel(source: _Source, told: _Perception) -> _Branch:
    """Their filters as sums of ours: the solution of a small system, exact or refused."""
    names = ("f_identity", "f_sobel_x", "f_sobel_y", "f_laplacian")
    theirs = torch.stack([source[name][0, 0] for name in names]).double().flatten(1)
    ours = SobelPerception(1, laplacian=True).bank.double().flatten(1)
    mix = torch.linalg.lstsq(ours.T, theirs.T).solution.T
    for i, name in enumerate(names):
        alike = (source[name] == source[name][:1]).all()
        if not alike or (mix[i] @ ours - theirs[i]).abs().max() > NEAR:
            raise ForeignModelError(
                f"{source.path}: {name} is no Sobel filter, Laplacian or sum of them"
            )
    inputs = len(source["f_identity"])
    note = (
        "NCAtorch's Sobel filters have other axes and signs, and its Laplacian does not sum to "
        "zero; the update's first layer was rewritten, so that features are others and changes "
        "the same."
    )
    config = SobelConfig(kind="sobel", laplacian=True)
    return _Branch(config, inputs, {}, 4 * inputs, mix, (note,))


def _residual(source: _Source, told: _Perception) -> _Branch:
    first, second = source.kernel("conv1.weight"), source.kernel("conv2.weight")
    features, inputs, size, _ = first.shape
    if "skip.weight" in source:
        shortcut, bias = source.kernel("skip.weight"), source["skip.bias"]
    else:  # theirs adds the input itself, where there are as many features
        shortcut, bias = torch.eye(features, inputs)[:, :, None, None], torch.zeros(features)
    weights = {
        "first.conv.weight": first,
        "first.conv.bias": source["conv1.bias"],
        "second.conv.weight": second,
        "second.conv.bias": source["conv2.bias"],
        "shortcut.conv.weight": shortcut,
        "shortcut.conv.bias": bias,
    }
    config = ResidualConfig(kind="residual", features=features, kernel_size=size)
    return _Branch(config, inputs, weights, features)


def _position(source: _Source, told: _Perception) -> tuple[Tensor, int, tuple[str, ...]]:
    """The bias of each head and place, the window's side, and what is to be said of it."""
    if "rel_pos_bias" in source:
        position = source["rel_pos_bias"]
        size = round(position.shape[-1] ** 0.5)
        if position.ndim != 2 or size**2 != position.shape[-1]:
            raise ForeignModelError(
                f"{source.path}: {source.prefix}rel_pos_bias has shape {list(position.shape)}; "
                "expected [heads, k²]"
            )
        return position, size, ()
    size = told.KERNEL_SIZE
    note = "Its attention has no bias for places; here that bias is 0."
    return torch.zeros(told.NUM_HEADS, size**2), size, (note,)


def _attention(source: _Source, told: _Perception) -> _Branch:
    position, size, notes = _position(source, told)
    qkv = source.matrix("to_qkv.weight")
    features = len(qkv) // 3
    weights = {
        "attention.qkv.weight": qkv,
        "attention.position": position,
        "projection.weight": source.matrix("project_out.weight"),
        "projection.bias": source["project_out.bias"],
    }
    config = _checked(
        source,
        LocalAttentionConfig,
        kind="local-attention",
        features=features,
        heads=len(position),
        kernel_size=size,
    )
    return _Branch(config, qkv.shape[1], weights, features, notes=notes)


def _block(source: _Source, told: _Perception) -> _Branch:
    position, size, notes = _position(source, told)
    three = [source.matrix(f"{name}_conv.weight") for name in ("query", "key", "value")]
    projection = source.matrix("proj_conv.weight")
    embedding, inputs = three[0].shape
    features = len(projection)
    if "input_residual.weight" in source:
        shortcut, bias = source.matrix("input_residual.weight"), source["input_residual.bias"]
    elif inputs == features:  # theirs adds the input itself
        shortcut, bias = torch.eye(features), torch.zeros(features)
    else:  # an earlier version, which adds nothing
        shortcut, bias = torch.zeros(features, inputs), torch.zeros(features)
    weights = {
        "attention.qkv.weight": torch.cat(three),
        "attention.position": position,
        "projection.weight": projection,
        "projection.bias": source["proj_conv.bias"],
        "shortcut.weight": shortcut,
        "shortcut.bias": bias,
        "widen.weight": source.matrix("ffn_conv1.weight"),
        "widen.bias": source["ffn_conv1.bias"],
        "narrow.weight": source.matrix("ffn_conv2.weight"),
        "narrow.bias": source["ffn_conv2.bias"],
        **{f"norm.{part}": source[f"norm_attn.{part}"] for part in ("weight", "bias")},
        **{f"last_norm.{part}": source[f"norm_ffn.{part}"] for part in ("weight", "bias")},
    }
    config = _checked(
        source,
        AttentionBlockConfig,
        kind="attention-block",
        features=features,
        embedding=embedding,
        heads=len(position),
        kernel_size=size,
    )
    return _Branch(config, inputs, weights, features, notes=notes)


def _checked(source: _Source, made: Any, **fields: Any) -> Any:
    try:
        return made(**fields)
    except ValidationError as error:
        raise ForeignModelError(mistakes(error, f"{source.path}: {source.prefix}")[0]) from None


BRANCHES = {
    "conv": _conv,
    "sobel": _sobel,
    "residual_conv": _residual,
    "attention": _attention,
    "mh_attention": _block,
}


def _mixed(first: Tensor, mixes: list[tuple[Tensor | None, int]]) -> Tensor:
    """An update's first layer ``[out, theirs]`` for this package's features, ``[out, ours]``."""
    widths = [count * (1 if mix is None else len(mix)) for mix, count in mixes]
    if sum(widths) != first.shape[1]:
        return first  # whoever compares shapes says so
    parts = []
    for part, (mix, count) in zip(first.split(widths, dim=1), mixes, strict=True):
        if mix is not None:
            by_filter = part.double().unflatten(1, (len(mix), count))
            part = torch.einsum("otc,tf->ofc", by_filter, mix).flatten(1).float()
        parts.append(part)
    return torch.cat(parts, dim=1)


def _mlp(source: _Source, mixes: list[tuple[Tensor | None, int]]) -> tuple[Any, dict[str, Tensor]]:
    """Convolutions at even places of a sequence, activations between."""
    tensors, place = {}, 0
    while f"{2 * place}.weight" in source or place == 0:
        weight = source.matrix(f"{2 * place}.weight")
        tensors[f"layers.{place}.weight"] = weight if place else _mixed(weight, mixes)
        tensors[f"layers.{place}.bias"] = source[f"{2 * place}.bias"]
        place += 1
    hidden = [len(tensors[f"layers.{i}.bias"]) for i in range(place - 1)]
    return MLPConfig(kind="mlp", hidden=hidden), tensors


def _resnet(
    source: _Source, mixes: list[tuple[Tensor | None, int]]
) -> tuple[Any, dict[str, Tensor]]:
    first = source.matrix("initial_conv.weight")
    tensors = {
        "first.weight": _mixed(first, mixes),
        "first.bias": source["initial_conv.bias"],
        "last.weight": source.matrix("final_conv.weight"),
        "last.bias": source["final_conv.bias"],
    }
    blocks = 0
    while f"res_blocks.{blocks}.conv1.weight" in source or blocks == 0:
        for ours, theirs in (("0", "conv1"), ("1", "conv2")):
            name = f"res_blocks.{blocks}.{theirs}"
            tensors[f"blocks.{blocks}.{ours}.weight"] = source.matrix(f"{name}.weight")
            tensors[f"blocks.{blocks}.{ours}.bias"] = source[f"{name}.bias"]
        blocks += 1
    return ResNetConfig(kind="resnet", hidden=len(first), blocks=blocks), tensors
