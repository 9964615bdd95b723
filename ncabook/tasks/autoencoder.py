"""Autoencoders: pictures to a small grid of latents, and back (§3.1.4)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.data.large_emoji import large_emoji
from ncabook.evaluation.autoencoder import KINDS, evaluate_autoencoder
from ncabook.networks import VQVAE
from ncabook.networks.blocks import widths as check_widths
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.pairs import pairs_of
from ncabook.tasks.report import Measured, Report
from ncabook.training.autoencoder import AutoencoderConfig, AutoencoderLearner
from ncabook.training.config import Width
from ncabook.training.tracking import Tracking


class PicturesData(Strict):
    """Pictures to be drawn again.

    Attributes:
        name: which; ``outlines`` are emojis on white, and stand in for handbags.
        part: the pictures, or the drawings beside them, of which emojis have none.
        side: in pixels.

    """

    name: Literal["edges2handbags", "outlines", "emoji"]
    part: Literal["pictures", "drawings"] = "pictures"
    side: Annotated[int, Field(ge=32, le=1024, multiple_of=8)] = 256

    @model_validator(mode="after")
    def _drawn(self) -> "PicturesData":
        if self.name == "emoji" and self.part != "pictures":
            raise ValueError("data.part is drawings, which emojis have none of; expected pictures")
        return self

    @property
    def channels(self) -> int:
        """RGB, ink, or RGBA."""
        if self.part == "drawings":
            return 1
        return 4 if self.name == "emoji" else 3

    def build(self, split: Literal["train", "test"]) -> Tensor:
        """Uint8 ``[N, C, side, side]``; RGBA is premultiplied."""
        if self.name == "emoji":
            return large_emoji(split, self.side)
        pairs = pairs_of(self.name, split, self.side)
        return pairs.pictures if self.part == "pictures" else pairs.ink


class VQVAEConfig(Strict):
    """A :class:`~ncabook.networks.VQVAE`."""

    latent_channels: Width = 8
    codes: Width = 512
    base: Width = 16
    stages: Annotated[int, Field(ge=1, le=5)] = 3

    @model_validator(mode="after")
    def _widths(self) -> "VQVAEConfig":
        check_widths(self.base, self.stages)
        return self


class AutoencoderExperiment(BaseExperiment):
    """An autoencoder whose latents an automaton may live in.

    Attributes:
        data: what it learns to draw again.
        model: the network.
        training: how it is trained.

    """

    task: Literal["autoencode"]
    data: PicturesData
    model: VQVAEConfig
    training: AutoencoderConfig

    @model_validator(mode="after")
    def _sizes(self) -> "AutoencoderExperiment":
        scale, crop = 2**self.model.stages, self.training.crop
        if self.data.side % scale:
            raise ValueError(
                f"model.stages {self.model.stages} asks for pictures divisible by {scale}; "
                f"data.side is {self.data.side}"
            )
        if crop is not None and (crop > self.data.side or crop % scale):
            raise ValueError(
                f"training.crop is {crop}; expected a multiple of {scale}, at most data.side "
                f"{self.data.side}"
            )
        return self


class AutoencoderTask(Task[AutoencoderExperiment]):
    """Pictures, by way of latents."""

    kind = AutoencoderExperiment
    headline = ("quantised.psnr", "quantised.lpips", "free.psnr", "codes.used", "codes.perplexity")
    has_figure = False

    def network(self, experiment: AutoencoderExperiment) -> VQVAE:
        """Encoder, codebook, decoder."""
        model = experiment.model
        return VQVAE(
            experiment.data.channels, model.latent_channels, model.codes, model.base, model.stages
        )

    def data(self, experiment: AutoencoderExperiment) -> tuple[Tensor, ...]:
        """Pictures to learn from."""
        return (experiment.data.build("train"),)

    def learner(
        self,
        experiment: AutoencoderExperiment,
        network: VQVAE,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> AutoencoderLearner:
        """By absolute and squared error, and the codes' losses."""
        (images,) = data
        training, seed = experiment.training, experiment.seed
        return AutoencoderLearner(network, images, training, seed, device, tracker)

    def needs(self, experiment: AutoencoderExperiment) -> dict[str, int]:
        """A batch at the network's full size."""
        side = experiment.training.crop or experiment.data.side
        batch = FLOAT * experiment.model.base * side**2 * experiment.training.batch
        return {"targets": 0, "batch": batch}

    def measure(
        self, experiment: AutoencoderExperiment, network: VQVAE, look: Look, device: str
    ) -> dict[str, Any]:
        """Test pictures, drawn again."""
        return evaluate_autoencoder(network, experiment.data.build("test"))

    def report(self, metrics: dict[str, Any]) -> Report:
        """With and without quantising; codes."""
        columns = {"psnr": ("PSNR", 2, "dB"), "lpips": ("LPIPS", 4, "")}
        found = []
        for kind, row in zip(KINDS, ("quantised", "not quantised"), strict=True):
            for key, (words, digits, unit) in columns.items():
                low, high = metrics[kind][f"{key}_interval"]
                value = metrics[kind][key]
                found.append(
                    Measured(f"{kind}.{key}", row, words, value, digits, unit, (low, high))
                )
        codes = metrics["codes"]
        found += [
            Measured("codes.used", "codes", "used", codes["used"], 0),
            Measured("codes.perplexity", "codes", "perplexity", codes["perplexity"], 1),
            Measured("shift", "the middle by itself", "PSNR", metrics["shift"], 2, "dB"),
        ]
        version, images = metrics["protocol"]["version"], metrics["images"]
        notes = [f"of {codes['of']:,} codes"]
        return Report(f"protocol {version}, {images:,} pictures", found, notes)
