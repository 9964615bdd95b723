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
from torch import nn

from ncabook.training.config import OptimizerConfig

ADAM_BETAS = (0.9, 0.999)


class _Optimizer:
    """PyTorch's optimisers for the parts of a model, stepped together.

    Args:
        parts: one for each part of the parameters.
        rates: their learning rates before the schedule.

    """

    def __init__(self, parts: list[torch.optim.Optimizer], rates: list[float]) -> None:
        self._parts = parts
        self._rates = rates

    def step(self, scale: float) -> None:
        """Updates with the learning rates times ``scale``."""
        for part, rate in zip(self._parts, self._rates, strict=True):
            part.param_groups[0]["lr"] = rate * scale
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What each part remembers."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, saved: list[dict[str, Any]]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        for part, state in zip(self._parts, saved, strict=True):
            part.load_state_dict(state)


class MuonWithAdam(_Optimizer):
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
        parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(self._matrices, lr=learning_rate, momentum=0.95, weight_decay=0.0)
        ]
        if biases:
            parts.append(torch.optim.Adam(biases, lr=adam_learning_rate, betas=ADAM_BETAS))
        super().__init__(parts, [learning_rate, adam_learning_rate][: len(parts)])

    def step(self, scale: float) -> None:
        """Updates with both learning rates times ``scale``."""
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)
        super().step(scale)


class Adam(_Optimizer):
    """Adam for all parameters."""

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        adam = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=ADAM_BETAS)
        super().__init__([adam], [learning_rate])


class SOAP(_Optimizer):
    """SOAP for all parameters (``pytorch_optimizer``'s).

    Its first call only fills the preconditioner and changes nothing, as in the authors' code.
    """

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        import pytorch_optimizer  # slow to import, and few runs need it

        soap = pytorch_optimizer.SOAP(model.parameters(), lr=learning_rate, weight_decay=0.0)
        super().__init__([soap], [learning_rate])


class Several:
    """Optimisers of several models that learn together, one ``step`` for all.

    Args:
        optimizers: one for each model.

    """

    def __init__(self, *optimizers: SOAP | MuonWithAdam | Adam) -> None:
        self._optimizers = optimizers

    def step(self, scale: float) -> None:
        """Updates with the learning rates times ``scale``."""
        for each in self._optimizers:
            each.step(scale)

    def state_dict(self) -> list[list[dict[str, Any]]]:
        """What each remembers."""
        return [each.state_dict() for each in self._optimizers]

    def load_state_dict(self, saved: list[list[dict[str, Any]]]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        for each, state in zip(self._optimizers, saved, strict=True):
            each.load_state_dict(state)


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> "SOAP | MuonWithAdam | Adam":
    """The optimiser that ``config`` names."""
    match config.kind:
        case "soap":
            return SOAP(model, config.learning_rate)
        case "muon":
            return MuonWithAdam(model, config.learning_rate, config.adam_learning_rate)
        case "adam":
            return Adam(model, config.learning_rate)


def warmup_cosine(iteration: int, total: int, warmup: int) -> float:
    """Learning-rate factor of ``iteration`` (from 0): linear to 1 over ``warmup``, cosine to 0."""
    if iteration < warmup:
        return (iteration + 1) / warmup
    progress = (iteration - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
