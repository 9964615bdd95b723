"""Growing large pictures in latents (§3.1.4; Fig. 9a; Algorithm 2)."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.large_emoji import MARGIN, framed
from ncabook.evaluation.enlarged import Small
from ncabook.evaluation.latent import PERTURBATIONS, LatentProtocol, evaluate_latents
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.picture_data import Glyph
from ncabook.tasks.report import Measured, Report
from ncabook.training.config import Width
from ncabook.training.latent import LatentConfig, LatentGrowthLearner, latent_seed
from ncabook.training.tracking import Tracking

SMALL = "emoji-conv3"  # grows the same emojis, one cell for a pixel


class LargeEmojiData(Strict):
    """Which glyphs are the classes, and whose latents the automaton lives in.

    Attributes:
        glyphs: one emoji for each class, of those that the package has.
        side: of the pictures, in pixels, margin included.
        autoencoder: a trained model's name, or its folder.

    """

    glyphs: Annotated[list[Glyph], Field(min_length=2, max_length=6)]
    side: Annotated[int, Field(ge=64, le=1024)] = 512
    autoencoder: Annotated[str, Field(min_length=1)]

    def build(self) -> Tensor:
        """The class pictures, ``[classes, 4, side, side]``, premultiplied RGBA in [0, 1]."""
        return torch.stack([framed(glyph, self.side) for glyph in self.glyphs])


class LatentModelConfig(ModelConfig):
    """An automaton in latents.

    Attributes:
        latent_channels: of the autoencoder; they are the visible ones.
        scale: pixels along a latent's side.

    """

    latent_channels: Width
    scale: Annotated[int, Field(ge=2, le=64)] = 8
    living_threshold: None = None


class LatentExperiment(BaseExperiment):
    """An automaton in latents; kinds of them derive from this one.

    Attributes:
        data: pictures, with a ``side`` in pixels.
        model: the automaton, with a ``scale``.
        training: how it is trained.

    """

    model: LatentModelConfig
    training: LatentConfig

    @property
    def grid(self) -> int:
        """Side of the grid, in cells."""
        return self.data.side // self.model.scale

    @model_validator(mode="after")
    def _fits(self) -> "LatentExperiment":
        side, scale = self.data.side, self.model.scale
        if side % scale:
            raise ValueError(
                f"data.side {side} is no multiple of model.scale {scale}, the pixels along a "
                f"latent's side; expected such as {side // scale * scale}"
            )
        self.model.check_reach(self.grid)
        return self


class LatentGrowthExperiment(LatentExperiment):
    """A panel of Fig. 9: an automaton that grows large emojis in latents.

    Attributes:
        data: what is to be grown.

    """

    task: Literal["grow-latent"]
    data: LargeEmojiData


class LatentGrowthTask(Task[LatentGrowthExperiment]):
    """Large pictures from seeds, grown by cells of eight by eight pixels."""

    kind = LatentGrowthExperiment
    headline = (
        "lpips.stage2",
        "floor.quantised.lpips",
        "enlarged.grown.lpips",
        "mse.stage2",
        "lpips.half_recovery",
        "lpips.picture_recovery",
        "lpips.mutation_recovery",
    )
    looks = True
    judges = (SMALL,)

    def network(self, experiment: LatentGrowthExperiment) -> NCA:
        """Latents and hidden channels; told the class."""
        model = experiment.model
        layout = ChannelLayout(visible=model.latent_channels, hidden=model.hidden_channels)
        return model.build(layout, len(experiment.data.glyphs))

    def frozen(self, experiment: LatentGrowthExperiment) -> dict[str, str]:
        """The autoencoder."""
        return {"pictures": experiment.data.autoencoder}

    def data(self, experiment: LatentGrowthExperiment) -> tuple[Tensor, ...]:
        """The class pictures."""
        return (experiment.data.build(),)

    def learner(
        self,
        experiment: LatentGrowthExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
        frozen: dict[str, Any] | None = None,
    ) -> LatentGrowthLearner:
        """Algorithm 2."""
        (targets,) = data
        vqvae = given(frozen, "pictures")
        training, seed = experiment.training, experiment.seed
        return LatentGrowthLearner(network, vqvae, targets, training, seed, device, tracker)

    def needs(self, experiment: LatentGrowthExperiment) -> dict[str, int]:
        """Pictures and states."""
        channels = experiment.model.latent_channels + experiment.model.hidden_channels
        data = experiment.data
        return {
            "targets": FLOAT * 4 * data.side**2 * len(data.glyphs),
            **state_bytes(experiment, channels, experiment.grid),
        }

    def measure(
        self,
        experiment: LatentGrowthExperiment,
        network: NCA,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
        frozen: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Table 1's protocol, decoded; beside the floor, and an automaton of pixels, enlarged."""
        rules = LatentProtocol() if look.seeds is None else LatentProtocol(seeds=look.seeds)
        small = None
        if judges is not None:
            other = judges[SMALL]
            if other.card.experiment.data.glyphs == experiment.data.glyphs:
                side, cells = experiment.data.side, other.card.experiment.data.size
                pixels = side - 2 * (side // MARGIN)
                small = Small(other.nca, other.targets, cells, pixels)
        vqvae = given(frozen, "pictures")
        found = evaluate_latents(network, vqvae, experiment.data.build(), rules, small)
        return found | {"autoencoder": {"parameters": vqvae.parameter_count}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors beside the floor, and recoveries."""
        rules = metrics["protocol"]
        first, last = rules["stage1"]
        step = f"step {rules['perturb']}"
        rows = {
            "stage1": f"steps {first}–{last}",
            "stage2": step,
            "snapped": f"{step}, nearest codes",
            "long": f"step {rules['long']:,}",
            **{kind: f"after {WORDS[kind]}" for kind in PERTURBATIONS},
            **{f"{kind}_final": f"{WORDS[kind]}, step {rules['final']}" for kind in PERTURBATIONS},
        }
        beside = {
            "floor.quantised": "the autoencoder alone, nearest codes",
            "floor.free": "the autoencoder alone",
            "enlarged.grown": f"pixels, enlarged, {step}",
            "enlarged.floor": "targets of pixels, enlarged",
        }
        found = []
        for name, digits in (("mse", 5), ("lpips", 4)):
            values = metrics[name]
            found += [
                Measured(f"{name}.{key}", row, name.upper(), values[key], digits)
                for key, row in rows.items()
            ]
            for place, row in beside.items():
                group, which = place.split(".")
                if group in metrics:
                    value = metrics[group][which][name]
                    found.append(Measured(f"{place}.{name}", row, name.upper(), value, digits))
            for kind in PERTURBATIONS:
                key = f"{kind}_recovery"
                low, high = values[f"{key}_interval"]
                row = f"recovery, {WORDS[kind]}"
                found.append(
                    Measured(f"{name}.{key}", row, name.upper(), values[key], 2, "%", (low, high))
                )
        rollouts = metrics["rollouts"]
        notes = [
            f"at step {rules['long']:,} {rollouts['within']} of {rollouts['all']} rollouts were "
            "within bounds"
        ]
        return Report(
            f"protocol {rules['version']}, {rules['seeds']} seeds per class", found, notes
        )

    def live(
        self, experiment: LatentGrowthExperiment, nca: NCA, frozen: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Its classes, from the encoded seed, and a decoder that reads its latents."""
        vqvae, grid = given(frozen, "pictures"), experiment.grid
        return {
            "height": grid,
            "width": grid,
            "classes": experiment.data.glyphs,
            "decoder": vqvae.normal_decoder(),
            "start": latent_seed(nca, vqvae, grid, grid),
        }


WORDS = {
    "half": "half of the latents erased",
    "circles": "circles of latents erased",
    "picture": "half of the picture erased",
    "mutation": "mutation",
}


def given(frozen: dict[str, Any] | None, name: str) -> Any:
    """A network that an experiment stands on; a TypeError, which says how it comes, without one."""
    if frozen is None or name not in frozen:
        raise TypeError(
            f"frozen: no {name} given; expected the networks that the task's `frozen` names, as "
            "`ncabook.zoo.frozen` loads them"
        )
    return frozen[name]
