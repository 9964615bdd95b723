"""Filling holes in pictures, in latents (§3.1.4; Fig. 10)."""

from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.faces import HEIGHT, WIDTH
from ncabook.data.holes import holes
from ncabook.data.large_emoji import framed
from ncabook.evaluation.inpainting import evaluate_inpainting
from ncabook.evaluation.inpainting_chance import PERCENTS, ROUNDS, Chance
from ncabook.tasks.autoencoder import PicturesData, terms
from ncabook.tasks.base import BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.inpainting_report import (
    by_size_rows,
    diversity_rows,
    further_rows,
    heading,
    judged,
)
from ncabook.tasks.latent_growth import LatentModelConfig, given
from ncabook.tasks.report import Report
from ncabook.training.holed import SHARE, Known, drawn_noise, known_of, start
from ncabook.training.inpainting import InpaintingConfig, InpaintingLearner
from ncabook.training.tracking import Tracking

ALIGNED = ("faces", "drawn-faces")  # whose eyes and mouths lie in known places
SHOWN_HOLE = 0.2  # of a picture, in a figure


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
        noise: fixed channels that hold noise, drawn once for a rollout.

    """

    known: Known = "fixed"
    noise: Annotated[int, Field(ge=0, le=16)] = 0


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

    @property
    def chance(self) -> Chance | None:
        """How fillings of the same hole may differ; None if they were not trained to."""
        temperature, noise = self.training.temperature, self.model.noise
        if not (self.training.codes or noise):
            return None
        return Chance(temperature if self.training.codes else None, noise)

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
        """Latents and hidden channels; what is known in fixed ones, or told; noise in others."""
        model, map_ = experiment.model, experiment.model.latent_channels + SHARE
        told = map_ if model.known == "condition" else 0
        fixed = map_ - told + model.noise
        layout = ChannelLayout(model.latent_channels, model.hidden_channels, fixed)
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
        vqvae, model = given(frozen, "pictures"), experiment.model
        training, seed = experiment.training, experiment.seed
        return InpaintingLearner(
            network, vqvae, images, model.known, training, seed, device, tracker, model.noise
        )

    def notes(self, experiment: InpaintingExperiment) -> list[str]:
        """On which terms its pictures come."""
        return terms(experiment.data)

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
        aligned = data.name in ALIGNED and data.size == (HEIGHT, WIDTH)
        known, chance = experiment.model.known, experiment.chance
        evaluate = evaluate_inpainting
        if chance is not None:
            evaluate = partial(evaluate_inpainting, chance=chance)
        found = evaluate(network, vqvae, known, test, train, aligned=aligned)
        return found | {"data": {"name": data.name}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """By the size of the hole, beside rows that need no automaton; features; elsewhere."""
        rules = metrics["protocol"]
        rows = {f"steps.{step}": f"step {step}" for step in rules["steps"]}
        rows |= {
            "snapped": f"step {rules['look']}, nearest codes",
            **{f"drawn.{p}": f"step {rules['look']}, codes drawn at {p} %" for p in PERCENTS},
            **{f"agreed.{p}": f"codes drawn in {ROUNDS} rounds at {p} %" for p in PERCENTS},
            "floor.quantised": "the autoencoder alone, nearest codes",
            "floor.free": "the autoencoder alone",
        }
        found = by_size_rows(metrics, rows) + further_rows(metrics["further"])
        found += diversity_rows(metrics)
        long = metrics["long"]
        notes = [
            f"at step {rules['long']:,} {long['within']} of {long['of']} were within bounds, with "
            f"{long['inside'][str(rules['long'])]:.2f} dB in the hole; at step {rules['look']} "
            f"these had {long['inside'][str(rules['look'])]:.2f} dB"
        ]
        return Report(heading(metrics), found, notes + judged(metrics))

    def shows(self, experiment: InpaintingExperiment) -> bool:
        """Not what fills photographs of people."""
        return experiment.data.name != "faces"

    def live(
        self,
        experiment: InpaintingExperiment,
        nca: NCA,
        frozen: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A picture with a hole, and a decoder that reads the cells; what readers erase is unknown.

        Noise lies in the state that the figure begins with, and stays when cells are erased.

        Raises:
            TypeError: its pictures are photographs of people, which nobody may show; or it has
                noise in channels that the figure could not keep.

        """
        data, vqvae, model = experiment.data, given(frozen, "pictures"), experiment.model
        if not self.shows(experiment):
            raise TypeError(
                f"{experiment.name} fills holes in CelebA's faces, none of which may be published: "
                "expected a model of drawn-faces, textures or emoji for a figure; of this one "
                "weights and numbers may be shown"
            )
        if model.noise and model.known != "condition":
            raise TypeError(
                f"{experiment.name} has {model.noise} channels of noise beside what is known, and "
                "a figure gives all fixed channels of an erased cell the same numbers: expected "
                "a model with known: condition"
            )
        image = shown_picture(data)
        height, width = data.size
        hole = holes(
            torch.tensor([SHOWN_HOLE]),
            "disc",
            height,
            width,
            torch.Generator().manual_seed(0),
            model.scale,
        )
        map_ = known_of(vqvae, image[None], hole)
        rows, columns = experiment.grid
        gone = torch.tensor([0.0] * model.latent_channels + [1.0])
        told = {"condition": map_[0]} if model.known == "condition" else {"erased": gone}
        dice = torch.Generator().manual_seed(experiment.seed)
        noise = drawn_noise(map_, model.noise, dice) if model.noise else None
        return {
            "height": rows,
            "width": columns,
            "decoder": vqvae.normal_decoder(),
            "start": start(nca.layout, map_, noise),
            **told,
        }


def shown_picture(data: HolesData) -> Tensor:
    """A picture that all may see, ``[C, h, w]`` in [0, 1]; if need be one that was learned from."""
    if data.name == "emoji":
        return framed("🦎", data.side)  # learned from, but it comes with the package
    return data.build("test")[0].float() / 255
