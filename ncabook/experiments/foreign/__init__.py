"""Models from elsewhere: read in their own formats, kept as this package keeps its own.

An imported model is a folder with weights and a card, as a trained one is. Its card says that it
was imported, from which file, and what is not as it was there. It plays in the page, and is
measured by the book's protocol if the picture that it grows is known.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from ncabook import zoo
from ncabook.experiments.foreign.brought import Brought, ForeignModelError
from ncabook.experiments.foreign.distill import read_distill
from ncabook.experiments.foreign.ncatorch import read_ncatorch
from ncabook.experiments.runner import RunExistsError, digest
from ncabook.files import sha256
from ncabook.reading import parse
from ncabook.tasks import ImportedExperiment, task_of
from ncabook.tasks.picture_data import as_source
from ncabook.training.checkpoint import save_tensors, unlike

__all__ = ["import_model", "read_distill", "read_ncatorch"]

Kind = Literal["distill", "ncatorch"]


def import_model(
    file: Path,
    kind: Kind,
    folder: Path,
    *,
    config: Path | None = None,
    targets: Sequence[str] = (),
    size: int | None = None,
    padding: int | None = None,
) -> zoo.Card:
    """Reads a model from elsewhere, and writes its weights and card into ``folder``.

    Args:
        file: the model.
        kind: whose format it is in.
        folder: where it is to be kept; made if it is not there.
        config: of NCAtorch, the run's ``config.yaml``.
        targets: what it is to grow, one for each class: emojis, or image files.
        size: of a picture in cells; as the format's own if not given.
        padding: cells around it, likewise.

    Raises:
        ForeignModelError: the file is no such model.
        ConfigError: targets, size or padding do not fit it.
        RunExistsError: the folder holds a model already.
        OSError: there is no such file.

    """
    for name in (zoo.WEIGHTS, zoo.CARD):
        if (folder / name).exists():
            raise RunExistsError(f"{folder} already holds a model ({name}); name another folder")
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file")
    if kind == "distill" and config is not None:
        raise ValueError("--config is for NCAtorch's models; leave it out")
    brought = read_distill(file) if kind == "distill" else read_ncatorch(file, config)
    experiment = _experiment(brought, file, kind, targets, size, padding)
    task = task_of(experiment)
    network = task.network(experiment)
    if differing := unlike(brought.tensors, network.state_dict()):
        raise ForeignModelError(f"{file} holds the weights of another model: {differing}")
    network.load_state_dict(brought.tensors)
    data = task.data(experiment)
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / zoo.WEIGHTS, network.state_dict())
    card = zoo.Card(
        experiment=experiment,
        parameters=network.parameter_count,
        weights_sha256=sha256(folder / zoo.WEIGHTS),
        data_sha256=digest(*data),
        training={"imported": f"not trained here: {brought.what}", "from": file.name},
        notes=["Imported, not trained here.", *brought.differs],
    )
    zoo.write_card(folder, card)
    return card


def _experiment(
    brought: Brought,
    file: Path,
    kind: Kind,
    targets: Sequence[str],
    size: int | None,
    padding: int | None,
) -> ImportedExperiment:
    """What stands in the card; pictures lie in it, so that it needs no other file."""
    side = size if size is not None else brought.size or 40
    around = padding if padding is not None else brought.padding or 0
    names = brought.names or [str(i + 1) for i in range(brought.classes)]
    pictures = None
    if targets:
        named = {target: Path(target) for target in targets if Path(target).is_file()}
        glyphs = [target for target in targets if target not in named]
        if named and glyphs:
            raise ValueError("--target: expected emojis or files, not both")
        images = {place.stem: as_source(_opened(place, 4 * side)) for place in named.values()}
        pictures = {"glyphs": glyphs, "images": images, "size": side, "padding": around}
        names = [*glyphs, *images]
    content = {
        "task": "imported",
        "name": f"{kind}-import",
        "title": f"{file.stem}, imported: {brought.what}",
        "data": {
            "height": side + 2 * around,
            "width": side + 2 * around,
            "classes": names,
            "seed": brought.seed,
            "pictures": pictures,
        },
        "model": brought.model.model_dump(),
        "training": {"imported": kind, "file": file.name, "sha256": sha256(file)},
    }
    return parse(ImportedExperiment, content, str(file))


def _opened(place: Path, most: int) -> Image.Image:
    """A picture no larger than it is worth keeping."""
    from ncabook.data.images import check_seen, read_rgba  # checks what Pillow does not

    pixels = read_rgba(place)
    check_seen(pixels[3], place)
    pixels = (255 * pixels).round().byte()
    image = Image.fromarray(pixels.permute(1, 2, 0).numpy(), "RGBA")
    image.thumbnail((most, most), Image.Resampling.LANCZOS)
    return image
