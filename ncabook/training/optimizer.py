"""Optimisers and their learning-rate schedule.

Muon (Jordan et al. 2024) replaces a matrix's momentum by the nearest orthogonal matrix, so
that every direction learns at the same pace. PyTorch's takes matrices only; a convolution
kernel is one, once its input channels and window are read as one axis. Biases go to Adam.

SOAP (Vyas et al. 2024) runs Adam in the eigenbasis of Shampoo's preconditioner: it learns, for
every axis of a tensor, which directions vary together, and scales each of those.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.training.config import OptimizerConfig

ADAM_BETAS = (0.9, 0.999)


class MuonWithAdam:
    """Muon for every weight of two or more axes, Adam for the rest; one ``step`` for both.

    Args:
        model: its parameters are updated in place.
        learning_rate: of Muon, per update of spectral norm 1.
        adam_learning_rate: of Adam, for biases.

    """

    def __init__(self, model: nn.Module, learning_rate: float, adam_learning_rate: float) -> None:
        if not hasattr(torch.optim, "Muon"):
            raise RuntimeError(
                f"torch {torch.__version__} has no Muon; install torch ≥ 2.9 "
                "or set training.optimizer.kind to adam"
            )
        parameters = [p for p in model.parameters() if p.requires_grad]
        self._weights = [p for p in parameters if p.ndim >= 2]
        # Views: they share storage with the parameters, so updating one updates the other.
        self._matrices = [p.detach().view(p.shape[0], -1) for p in self._weights]
        biases = [p for p in parameters if p.ndim < 2]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(self._matrices, lr=learning_rate, momentum=0.95, weight_decay=0.0)
        ]
        if biases:
            self._parts.append(torch.optim.Adam(biases, lr=adam_learning_rate, betas=ADAM_BETAS))
        self._base_rates = [learning_rate, adam_learning_rate]

    def step(self, scale: float) -> None:
        """Updates with both learning rates times ``scale``."""
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            matrix.grad = weight.grad.reshape(matrix.shape)
        for part, rate in zip(self._parts, self._base_rates, strict=False):
            part.param_groups[0]["lr"] = rate * scale
            part.step()

    def state_dict(self) -> dict[str, Tensor]:
        """Momenta and counters, as flat named tensors."""
        return _flatten(self._parts)

    def load_state_dict(self, saved: dict[str, Tensor]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        _unflatten(self._parts, saved)


class Adam:
    """Adam for all parameters, with the same interface as :class:`MuonWithAdam`."""

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        self._rate = learning_rate
        self._parts = [torch.optim.Adam(model.parameters(), lr=learning_rate, betas=ADAM_BETAS)]

    def step(self, scale: float) -> None:
        """Updates with the learning rate times ``scale``."""
        self._parts[0].param_groups[0]["lr"] = self._rate * scale
        self._parts[0].step()

    def state_dict(self) -> dict[str, Tensor]:
        """Moments and counters, as flat named tensors."""
        return _flatten(self._parts)

    def load_state_dict(self, saved: dict[str, Tensor]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        _unflatten(self._parts, saved)


class SOAP:
    """SOAP for all parameters (``pytorch_optimizer``'s), with the interface of the others.

    Its first call only fills the preconditioner and changes nothing, as in the authors' code.
    """

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        import pytorch_optimizer  # slow to import, and few runs need it

        self._rate = learning_rate
        self._inner = pytorch_optimizer.SOAP(model.parameters(), lr=learning_rate, weight_decay=0.0)

    def step(self, scale: float) -> None:
        """Updates with the learning rate times ``scale``."""
        self._inner.param_groups[0]["lr"] = self._rate * scale
        self._inner.step()

    def state_dict(self) -> dict[str, Tensor]:
        """Moments, preconditioners, their eigenbases and the counter, as flat named tensors.

        An axis without a preconditioner has an empty matrix.
        """
        flat = {"step": torch.tensor(self._inner.param_groups[0].get("step", 0))}
        for index, entry in self._inner.state_dict()["state"].items():
            for name, value in entry.items():
                if isinstance(value, list):
                    for axis, matrix in enumerate(value):
                        flat[f"{index}.{name}.{axis}"] = torch.as_tensor(matrix)
                else:
                    flat[f"{index}.{name}"] = torch.as_tensor(value)
        return flat

    def load_state_dict(self, saved: dict[str, Tensor]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        state: dict[int, dict[str, Any]] = {}
        for key in sorted(set(saved) - {"step"}, key=_by_number):
            index, name, *axis = key.split(".")
            entry = state.setdefault(int(index), {})
            if axis:
                matrix = saved[key]
                if name == "Q" and matrix.numel():
                    # LAPACK's matrices lie column by column, a file's row by row, and some
                    # processors round a product by how its factors lie.
                    matrix = matrix.mT.contiguous().mT
                entry.setdefault(name, []).append(matrix if matrix.numel() else [])
            else:
                entry[name] = saved[key]
        whole = self._inner.state_dict()
        if state:
            whole["param_groups"][0]["step"] = int(saved["step"])
        self._inner.load_state_dict({**whole, "state": state})


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> "SOAP | MuonWithAdam | Adam":
    """The optimiser that ``config`` names."""
    match config.kind:
        case "soap":
            return SOAP(model, config.learning_rate)
        case "muon":
            return MuonWithAdam(model, config.learning_rate, config.adam_learning_rate)
        case "adam":
            return Adam(model, config.learning_rate)


def _by_number(key: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in key.split(".")]


def warmup_cosine(iteration: int, total: int, warmup: int) -> float:
    """Learning-rate factor of ``iteration`` (from 0): linear to 1 over ``warmup``, cosine to 0."""
    if iteration < warmup:
        return (iteration + 1) / warmup
    progress = (iteration - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _flatten(parts: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    return {
        f"{i}.{index}.{name}": torch.as_tensor(value)
        for i, part in enumerate(parts)
        for index, entry in part.state_dict()["state"].items()
        for name, value in entry.items()
    }


def _unflatten(parts: list[torch.optim.Optimizer], saved: dict[str, Tensor]) -> None:
    for i, part in enumerate(parts):
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in saved.items():
            which, index, name = key.split(".")
            if int(which) == i:
                state.setdefault(int(index), {})[name] = value
        part.load_state_dict({**part.state_dict(), "state": state})
