"""Filling holes in pictures, in latents (§3.1.4; Fig. 10)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.evaluation.inpainting import evaluate_inpainting
from ncabook.tasks.autoencoder import PicturesData
from ncabook.tasks.base import BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.latent_growth import LatentModelConfig, given
from ncabook.tasks.report import Measured, Report
from ncabook.training.inpainting import SHARE, InpaintingConfig, InpaintingLearner, Known
from ncabook.training.tracking import Tracking

COLUMNS = {
    "inside": ("PSNR in the hole", 2, "dB"),
    "ssim_inside": ("SSIM in the hole", 3, ""),
    "lpips": ("LPIPS", 4, ""),
}
SIZES = {
    "all": "",
    "small": ", < 20 % missing",
    "middle": ", 20–40 % missing",
    "large": ", > 40 % missing",
}


class HolesData(PicturesData):
    """Pictures to make holes in, and whose latents the automaton lives in.

    Attributes:
        autoencoder: a trained model's name, or its folder.

    """

    autoencoder: Annotated[str, Field(min_length=1)]


class InpaintingModelConfig(LatentModelConfig):
    """An automaton in latents that knows a part of a picture.

    Attributes:
        known: where the latents that are known stand, and the share of each cell that is missing:
            in ``fixed`` channels; in a ``condition``, which costs less, and is the same for
            convolutions; or ``kept`` in fixed channels, and decoded from there.

    """

    known: Known = "fixed"


class InpaintingExperiment(BaseExperiment):
    """Fig. 10: an automaton that fills holes.

    Attributes:
        data: pictures.
        model: the automaton.
        training: how it is trained.

    """

    task: Literal["inpaint-latent"]
    data: HolesData
    model: InpaintingModelConfig
    training: InpaintingConfig

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width, in cells."""
        height, width = (length // self.model.scale for length in self.data.size)
        return height, width

    @model_validator(mode="after")
    def _fits(self) -> "InpaintingExperiment":
        scale = self.model.scale
        for field, length in zip(("height", "side"), self.data.size, strict=True):
            if length % scale:
                raise ValueError(
                    f"data.{field} {length} is no multiple of model.scale {scale}, the pixels "
                    f"along a latent's side; expected such as {length // scale * scale}"
                )
        self.model.check_reach(min(self.grid))
        if self.training.perceptual and self.data.channels != 3:
            raise ValueError(
                f"training.perceptual is for RGB, and {self.data.name} have {self.data.channels} "
                "channels; set it to 0"
            )
        return self


class InpaintingTask(Task[InpaintingExperiment]):
    """Pictures with holes, filled by what is around them."""

    kind = InpaintingExperiment
    headline = (
        "rows.steps.24.small.inside",
        "rows.steps.24.middle.inside",
        "rows.steps.24.middle.lpips",
        "rows.steps.24.large.lpips",
        "rows.simple.biharmonic.middle.inside",
        "rows.simple.biharmonic.middle.lpips",
    )

    def network(self, experiment: InpaintingExperiment) -> NCA:
        """Latents and hidden channels; what is known in fixed ones, or told."""
        model, map_ = experiment.model, experiment.model.latent_channels + SHARE
        told = map_ if model.known == "condition" else 0
        layout = ChannelLayout(
            visible=model.latent_channels, hidden=model.hidden_channels, fixed=map_ - told
        )
        return model.build(layout, told)

    def frozen(self, experiment: InpaintingExperiment) -> dict[str, str]:
        """The autoencoder."""
        return {"pictures": experiment.data.autoencoder}

    def data(self, experiment: InpaintingExperiment) -> tuple[Tensor, ...]:
        """Pictures to learn from."""
        return (experiment.data.build("train"),)

    def learner(
        self,
        experiment: InpaintingExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
        frozen: dict[str, Any] | None = None,
    ) -> InpaintingLearner:
        """Algorithm 2, with holes."""
        (images,) = data
        vqvae, known = given(frozen, "pictures"), experiment.model.known
        training, seed = experiment.training, experiment.seed
        return InpaintingLearner(network, vqvae, images, known, training, seed, device, tracker)

    def needs(self, experiment: InpaintingExperiment) -> dict[str, int]:
        """States."""
        model = experiment.model
        channels = model.latent_channels + model.hidden_channels
        return {"targets": 0, **state_bytes(experiment, channels, min(experiment.grid))}

    def measure(
        self,
        experiment: InpaintingExperiment,
        network: NCA,
        look: Look,
        device: str,
        frozen: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """PSNR, SSIM and LPIPS by size of the hole, beside rows that need no automaton."""
        data = experiment.data
        test, train = data.build("test"), data.build("train")
        vqvae = given(frozen, "pictures")
        found = evaluate_inpainting(network, vqvae, experiment.model.known, test, train)
        return found | {"data": {"name": data.name}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """By the size of the hole, beside rows that need no automaton."""
        rules = metrics["protocol"]
        rows = {f"steps.{step}": f"step {step}" for step in rules["steps"]}
        rows |= {
            "snapped": f"step {rules['look']}, nearest codes",
            "floor.quantised": "the autoencoder alone",
            "floor.free": "the autoencoder alone, not quantised",
        }
        simple = [name for name in metrics["rows"] if name.startswith("simple.")]
        rows |= {name: name.removeprefix("simple.") for name in simple}
        found = []
        for place, row in rows.items():
            for group, words in SIZES.items():
                values = metrics["rows"][place].get(group)
                if values is None:
                    continue
                for name, (column, digits, unit) in COLUMNS.items():
                    low, high = values[f"{name}_interval"]
                    key, value = f"rows.{place}.{group}.{name}", values[name]
                    found.append(
                        Measured(key, row + words, column, value, digits, unit, (low, high))
                    )
        long = metrics["long"]
        notes = [
            f"at step {rules['long']:,} {long['within']} of {long['of']} were within bounds, with "
            f"{long['inside'][str(rules['long'])]:.2f} dB in the hole; at step {rules['look']} "
            f"these had {long['inside'][str(rules['look'])]:.2f} dB"
        ]
        return Report(
            f"protocol {rules['version']}, {metrics['pictures']:,} pictures with holes",
            found,
            notes,
        )
