"""The chapters as cards, from the notebooks and the table of contents: nothing is typed twice.

``{chapters}`` makes a card for each chapter: picture, title, what the reader will do, what has to
be known before, and how long it runs. Its lines, ``NAME: sentence``, say what there is to do; a
chapter without a line is told of by the first of its goals, so that a new one has a card at once.
A line may be about a part as well, by its caption.
``{start}`` is the link to the first chapter.
"""

import base64
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from drawings import DATA
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

CHAPTER = re.compile(r"book/(\d\d)_\w+")
LEAST = 28  # pixels from left to right: fewer show nothing
SIZE = (320, 180)  # pixels of a card's picture at most; most are of cells, and smaller
ALIKE = 10  # of 255: mean difference below which two pictures are one
DOC = re.compile(r"\{doc\}`(?:[^`<]*<)?(\d\d)_\w+>?`")
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*&lt;[^`]*|\s*<[^`]*)?`")


@dataclass(frozen=True)
class Chapter:
    """What a card says.

    Attributes:
        name: the notebook's, without its ending.
        title: its heading.
        goal: the first of its goals, in Markdown.
        before: what has to be known, in Markdown; may be empty.
        seconds: how long it ran; None where its last cell does not say.
        pictures: files of those that may stand for it, the best first; their pixels are cells.

    """

    name: str
    title: str
    goal: str
    before: str
    seconds: int | None
    pictures: tuple[bytes, ...]

    @property
    def number(self) -> int:
        """As readers count."""
        return int(self.name[:2])


def contents(root: Path) -> dict[str, list[str]]:
    """Names of chapters by the caption of their part, from ``_toc.yml``; parts of none are out."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    parts = {
        part.get("caption", ""): [
            entry["file"].removeprefix("book/")
            for entry in part["chapters"]
            if CHAPTER.fullmatch(entry["file"])
        ]
        for part in toc["parts"]
    }
    return {caption: names for caption, names in parts.items() if names}


def read(path: Path) -> Chapter:
    """A chapter from its notebook.

    Raises:
        ValueError: it has no heading, or no goals.

    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    words = "\n\n".join("".join(c["source"]) for c in cells[:8] if c["cell_type"] == "markdown")
    title = re.search(r"^# (.+)$", words, re.MULTILINE)
    goal = re.search(r"\{admonition\} Goals\n- (.+(?:\n  .+)*)", words)
    if title is None or goal is None:
        raise ValueError(f"{path.name}: expected a heading, and an admonition with goals")
    before = re.search(r"\*\*Prerequisites\.\*\*\s*(.+?)(?:\n\s*\n|\Z)", words, re.DOTALL)
    last = "".join(line for o in cells[-1].get("outputs", []) for line in o.get("text", ""))
    seconds = re.search(r"(\d+) s\W*(?:\(FAST\)\W*)?$", last)
    return Chapter(
        name=path.stem,
        title=title[1],
        goal=" ".join(goal[1].split()),
        before=" ".join(before[1].split()) if before else "",
        seconds=int(seconds[1]) if seconds else None,
        pictures=tuple(_pictures(cells)),
    )


def _pictures(cells: list[dict[str, Any]]) -> Iterator[bytes]:
    """The posters of the live figures, then the other pictures."""
    data = [o["data"] for c in cells for o in c.get("outputs", []) if "data" in o]
    for one in data:
        page = "".join(one.get("text/html", ""))
        for found in re.findall(r'class="nca-poster" src="data:image/png;base64,([^"]+)"', page):
            if _side(poster := base64.b64decode(found)) >= LEAST:
                yield poster
    for one in data:
        drawing = "".join(one.get("image/svg+xml", ""))
        images = DATA.findall(drawing)
        half = len(images) // 2  # the one in the middle: the first is often a beginning
        found = (base64.b64decode(image) for image in images[half:] + images[:half])
        if large := next((png for png in found if _side(png) >= LEAST), None):
            yield large


def _side(png: bytes) -> int:
    with Image.open(io.BytesIO(png)) as image:
        return min(image.size)


def chosen(pictures: Sequence[bytes], before: list[Image.Image]) -> str | None:
    """The first picture that no other card shows already, else the first of all.

    Args:
        pictures: a chapter's.
        before: what cards before it show; the chosen one is appended.

    Returns:
        A PNG as base64; None of none.

    """
    small = [_small(picture) for picture in pictures]
    if not small:
        return None
    new = (one for one in small if not any(_alike(one, other) for other in before))
    image = next(new, small[0])
    before.append(image)
    file = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _small(picture: bytes) -> Image.Image:
    """At a card's size, on white; of automata side by side the first one, a square."""
    with Image.open(io.BytesIO(picture)) as image:
        layer = image.convert("RGBA")
    small = Image.new("RGB", layer.size, "white")
    small.paste(layer, mask=layer)
    small = small.crop((0, 0, min(small.size), min(small.size)))
    small.thumbnail(SIZE)
    return small


def _alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are the same to somebody who glances at them."""
    pixels = [list(image.resize((16, 16)).tobytes()) for image in (one, other)]
    return sum(abs(a - b) for a, b in zip(*pixels, strict=True)) < ALIKE * len(pixels[0])


def in_html(markdown: str) -> str:
    """A sentence's emphasis and code as HTML; links to chapters become their numbers."""
    text = escape(DOC.sub(lambda found: f"chapter {int(found[1])}", markdown), quote=False)
    text = TERM.sub(r"\1", text)  # on a card, a word is a word
    for pattern, element in (
        (r"\*\*(.+?)\*\*", "strong"),
        (r"\*(.+?)\*", "em"),
        (r"`(.+?)`", "code"),
    ):
        text = re.sub(pattern, rf"<{element}>\1</{element}>", text)
    return text


def needs(before: str) -> str:
    """Prerequisites in a few words: the first sentence, chapters without what they are for."""
    sentence = re.split(r"(?<=[^.])\.(?:\s|$)", before)[0]
    parts = [re.sub(rf"^({DOC.pattern}):.*$", r"\1", part.strip()) for part in sentence.split(";")]
    return "; ".join(parts)


def card(chapter: Chapter, sentence: str, before: list[Image.Image]) -> str:
    """A chapter's card, an item of a list; ``before``: pictures of the cards before it."""
    picture = ""
    if shown := chosen(chapter.pictures, before):
        # The class keeps the theme from dimming it in the dark: its ground stays white.
        image = f'<img class="dark-light" src="data:image/png;base64,{shown}" alt="">'
        picture = f'<div class="front-picture">{image}</div>'
    facts = []
    if chapter.before:
        facts.append(f"Needs {in_html(_lower(needs(chapter.before)))}")
    if chapter.seconds is not None:
        minutes = max(1, round(chapter.seconds / 60))
        facts.append(f"Runs in {minutes}\N{NO-BREAK SPACE}min")
    return (
        f'<li class="front-card" data-chapter="{chapter.name}">{picture}<div class="front-words">'
        f'<p class="front-title"><a href="{chapter.name}.html">{chapter.number}. '
        f"{in_html(chapter.title)}</a></p>"
        f"<p>{in_html(sentence)}</p>"
        f'<p class="front-facts">{". ".join(facts)}{"." if facts else ""}'
        '<span class="front-opened" hidden>Opened</span></p></div></li>'
    )


def _lower(words: str) -> str:
    """The first letter small, unless it is a name."""
    return words if words.startswith(("Python", "PyTorch")) else words[:1].lower() + words[1:]


class Cards(SphinxDirective):
    """All chapters, part by part."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Lists of cards; a line about no chapter is an error."""
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "_toc.yml"))
        parts = contents(root)
        said = dict(self._lines())
        unknown = said.keys() - {name for names in parts.values() for name in names} - parts.keys()
        if unknown:
            raise self.error(f"no chapter or part {', '.join(sorted(unknown))} in _toc.yml")
        html, shown = [], []
        for caption, names in parts.items():
            if len(parts) > 1:
                html.append(f'<p class="front-part">{escape(caption)}</p>')
            if caption in said:
                html.append(f"<p>{in_html(said[caption])}</p>")
            html.append('<ul class="front-cards">')
            for name in names:
                path = root / "book" / f"{name}.ipynb"
                self.env.note_dependency(str(path))
                chapter = read(path)
                html.append(card(chapter, said.get(name, chapter.goal), shown))
            html.append("</ul>")
        html.append(
            '<p class="front-memory" hidden>Which chapters you opened is kept in this browser '
            'only. <button type="button">Forget it</button></p>'
        )
        return [nodes.raw("", "\n".join(html), format="html")]

    def _lines(self) -> Iterator[tuple[str, str]]:
        for line in self.content:
            if line.strip():
                name, _, sentence = line.partition(":")
                yield name.strip(), sentence.strip()


class Start(SphinxDirective):
    """The way into the first chapter."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """A link that looks like a button."""
        first = next(names[0] for names in contents(Path(self.env.srcdir)).values())
        html = f'<p class="front-start"><a href="{first}.html">Start</a></p>'
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the directives, and what remembers in the browser which chapters were opened."""
    app.add_directive("chapters", Cards)
    app.add_directive("start", Start)
    app.add_js_file("front.js", loading_method="defer")
    app.add_css_file("front.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
