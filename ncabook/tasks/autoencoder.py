"""Autoencoders: pictures to a small grid of latents, and back (§3.1.4)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.data.drawn_faces import drawn_faces
from ncabook.data.emoji_sets import EMOJI_LARGE
from ncabook.data.faces import FACES, faces
from ncabook.data.large_emoji import large_emoji
from ncabook.data.pairs import HANDBAGS
from ncabook.data.registry import DataSet
from ncabook.data.textures import many_photographs, textures
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

DRAWN = {"train": (4000, 0), "test": (500, 1)}  # how many faces, and their seed
OF_PAIRS = ("edges2handbags", "outlines")
SQUARE = (*OF_PAIRS, "emoji")
LARGEST_FACE = (109, 89)  # height and width of CelebA's files here


class PicturesData(Strict):
    """Pictures to be drawn again.

    Attributes:
        name: which; ``outlines`` are emojis on white, and stand in for handbags, ``drawn-faces``
            for ``faces``, which are photographs that nobody may show.
        part: the pictures, or the drawings beside them, which handbags and outlines have.
        side: in pixels; the width, where a height is given.
        height: in pixels; as the side, if not given.

    """

    name: Literal["edges2handbags", "outlines", "emoji", "faces", "drawn-faces", "textures"]
    part: Literal["pictures", "drawings"] = "pictures"
    side: Annotated[int, Field(ge=32, le=1024, multiple_of=8)] = 256
    height: Annotated[int, Field(ge=32, le=1024, multiple_of=8)] | None = None

    @model_validator(mode="after")
    def _drawn(self) -> "PicturesData":
        if self.name not in OF_PAIRS and self.part != "pictures":
            raise ValueError(
                f"data.part is drawings, which {self.name} have none of; expected pictures"
            )
        if self.name in SQUARE and self.height not in (None, self.side):
            raise ValueError(
                f"data.height is {self.height}, and {self.name} are square; leave it out"
            )
        height, width = self.size
        if self.name == "faces" and (height > LARGEST_FACE[0] or width > LARGEST_FACE[1]):
            raise ValueError(
                f"data: faces of {width}×{height} pixels; expected at most side "
                f"{LARGEST_FACE[1]} and height {LARGEST_FACE[0]}"
            )
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return (self.side if self.height is None else self.height), self.side

    @property
    def channels(self) -> int:
        """RGB, ink, or RGBA."""
        if self.part == "drawings":
            return 1
        return 4 if self.name == "emoji" else 3

    def build(self, split: Literal["train", "test"]) -> Tensor:
        """Uint8 ``[N, C, height, side]``; RGBA is premultiplied."""
        match self.name:
            case "emoji":
                return large_emoji(split, self.side)
            case "faces":
                return faces(split, *self.size)
            case "drawn-faces":
                return drawn_faces(*DRAWN[split], *self.size)
            case "textures":
                return textures(split, *self.size)
        pairs = pairs_of(self.name, split, self.side)
        return pairs.pictures if self.part == "pictures" else pairs.ink


def terms(data: PicturesData) -> list[str]:
    """What pictures these are, and what may be done with what has learned from them."""
    known: dict[str, DataSet] = {
        "edges2handbags": HANDBAGS,
        "emoji": EMOJI_LARGE,
        "faces": FACES,
        "textures": many_photographs(),
    }
    if data.name not in known:
        return [f"learned from {data.name}, which the package draws itself"]
    entry = known[data.name]
    rest = "; weights and numbers may be shown, pictures may not" if data.name == "faces" else ""
    return [f"learned from {entry.name} ({entry.source}); terms: {entry.licence}{rest}"]


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
        for field in ("side", "height"):
            length = getattr(self.data, field)
            if length is None:
                continue
            if length % scale:
                raise ValueError(
                    f"model.stages {self.model.stages} asks for pictures divisible by {scale}; "
                    f"data.{field} is {length}"
                )
            if crop is not None and (crop > length or crop % scale):
                raise ValueError(
                    f"training.crop is {crop}; expected a multiple of {scale}, at most "
                    f"data.{field} {length}"
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

    def notes(self, experiment: AutoencoderExperiment) -> list[str]:
        """On which terms its pictures come."""
        return terms(experiment.data)

    def needs(self, experiment: AutoencoderExperiment) -> dict[str, int]:
        """A batch at the network's full size."""
        crop, (height, width) = experiment.training.crop, experiment.data.size
        pixels = height * width if crop is None else crop**2
        batch = FLOAT * experiment.model.base * pixels * experiment.training.batch
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
