"""What stands on the laboratory's shelf: a model's words and numbers, its picture, its figure."""

import base64
import io
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from ncabook import zoo
from ncabook.automaton import NCA
from ncabook.experiments import results
from ncabook.live import describe, figure_html
from ncabook.live.html import page_html
from ncabook.live.poster import figure_poster
from ncabook.tasks import task_of

HERE = Path(__file__).parent
FILES = ("lab.js", "state.js", "lab.css")
SHELF = "shelf.js"
THUMB = 128  # pixels along the longer side of a picture on the shelf
FAMILIES = {
    "emoji": "Growing emojis",
    "one-pass": "The same pictures in one pass",
    "mnist": "Voting on digits",
    "cifar": "Voting on photographs",
    "textures": "Covering a canvas",
    "digits": "Growing digits",
    "handbags": "Colouring drawings",
    "autoencoders": "Pictures by way of latents",
    "latent": "Living in latents",
    "fine": "At any resolution",
    "inpainting": "Filling holes",
    "video": "Telling what happens next",
}


class Shown:
    """An automaton as the laboratory shows it.

    Args:
        key: its name in addresses.
        title: in words.
        nca: makes the steps.
        options: what :func:`ncabook.live.describe` is to be told of it.

    """

    def __init__(self, key: str, title: str, nca: NCA, options: Mapping[str, Any]) -> None:
        self.key, self.nca = key, nca
        self.options: dict[str, Any] = {"title": title} | dict(options)
        self.description, self.weights = describe(nca, **self.options)

    @classmethod
    def of(cls, name: str) -> "Shown":
        """A model of the zoo, or of a folder."""
        model = zoo.load(name)
        return cls(name, model.card.experiment.title, model.stepped, model.live())

    @cached_property
    def poster(self) -> str:
        """What it has become after a while: a PNG as a data URL."""
        return figure_poster([self.nca], self.description, self.options)

    def script(self) -> str:
        """Hands the figure to the laboratory."""
        title = self.description["title"]
        figure = figure_html([self.description], self.weights, title, caption=False)
        return f"ncaLab.take({_json(self.key)}, {_json(figure)});\n"

    def page(self) -> str:
        """The whole page in one file, as ``ncabook export --html`` writes it."""
        return page_html(self.description, self.weights, self.poster)

    def thumb(self) -> bytes:
        """The poster as a small PNG."""
        picture = Image.open(io.BytesIO(base64.b64decode(self.poster.split(",")[1]))).convert("RGB")
        if max(picture.size) > THUMB:
            picture.thumbnail((THUMB, THUMB), Image.Resampling.BOX)
        file = io.BytesIO()
        picture.quantize(256).save(file, "PNG", optimize=True)
        return file.getvalue()


def shown_names() -> list[str]:
    """Models of the zoo that a page may run, family by family, the small ones first."""
    cards = {
        name: card
        for name, folder in zoo.folders().items()
        if task_of((card := zoo.read_card(folder)).experiment).shows(card.experiment)
    }
    families = list(FAMILIES)

    def place(name: str) -> tuple[int, int, str]:
        family = _family(name)
        known = families.index(family) if family in families else len(families)
        return known, cards[name].parameters, name

    return sorted(cards, key=place)


def entry(name: str) -> dict[str, Any]:
    """What the shelf and the card beside the figure say of a model of the zoo."""
    family = _family(name)
    links = {"page": f"live/{name}.html", "card": f"files/{name}.json"}
    card = zoo.read_card(zoo.find(name))
    settings = {"settings": f"files/{card.experiment.name}.yaml"}
    return entry_of(name, name, FAMILIES.get(family, family.capitalize()), card) | {
        "links": links | settings
    }


def entry_of(key: str, name: str, family: str, card: zoo.Card) -> dict[str, Any]:
    """The same of any card, without links."""
    experiment = card.experiment
    numbers = []
    if card.metrics:
        report, theirs = results.report(card), results.printed(experiment.name)
        for number in (report[place] for place in task_of(experiment).headline):
            if number.value is None:
                continue
            paper = number.number(theirs[number.key]) if number.key in theirs else None
            numbers.append({"title": number.title, "value": str(number), "paper": paper})
    seconds = card.training.get("seconds")  # nobody told how long an imported one took
    return {
        "key": key,
        "name": name,
        "title": experiment.title,
        "family": family,
        "parameters": card.parameters,
        **({} if seconds is None else {"minutes": round(seconds / 60, 1)}),
        "numbers": numbers,
    }


def shelf_script(entries: list[dict[str, Any]]) -> str:
    """Tells the laboratory what there is."""
    return f"ncaLab.shelve({_json(entries)});\n"


def write(site: Path) -> None:
    """Everything that the book's laboratory loads, and each model's page in one file beside it.

    Args:
        site: the built book.

    """
    models, live = site / "lab" / "models", site / "live"
    for folder in (models, live):
        folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (site / "lab" / name).write_bytes((HERE / name).read_bytes())
    names = shown_names()
    (site / "lab" / SHELF).write_text(shelf_script([entry(n) for n in names]), encoding="utf-8")
    for name in names:
        shown = Shown.of(name)
        (live / f"{name}.html").write_text(shown.page(), encoding="utf-8")
        (models / f"{name}.js").write_text(shown.script(), encoding="utf-8")
        (models / f"{name}.png").write_bytes(shown.thumb())


def _family(name: str) -> str:
    return zoo.find(name).parent.name


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
