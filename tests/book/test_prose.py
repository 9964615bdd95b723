"""What chapters say in words: it is what the cards, the code and the table of contents say."""

import json
import re

import nbformat
import pytest
import torch
import yaml

from ncabook import zoo
from ncabook.evaluation import paper
from ncabook.evaluation.classification import ballot
from ncabook.training.classification import initial_state
from tests.book.test_chapters import CHAPTERS, NAMES, ROOT

CARDS = {  # those of stages, too
    path.parent.name: json.loads(path.read_text(encoding="utf-8"))
    for path in zoo.ZOO.glob(f"**/{zoo.CARD}")
}
UNITS = "iterations|parameters|photographs|images|seeds|minutes|hours|seconds|MB|GB"
READING = re.compile(r"\*\*Time\.\*\* About (\d+) minutes to read and to play with\.")
THEIRS = re.compile(r"paper|authors|printed|published|Colab|maker", re.IGNORECASE)


@pytest.fixture(scope="module", params=CHAPTERS, ids=NAMES)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def prose(notebook):
    """The text of a chapter without formulas and without code."""
    text = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    text = READING.sub("", text)  # an estimate, see below
    return re.sub(r"\$\$.*?\$\$|```\{math\}.*?```", " ", text, flags=re.DOTALL)


def sentences(text):
    """Sentences and items of lists, each in one line."""
    parts = re.split(r"(?<=[.!?:;])\s+(?=[A-Z*`{(])|\n\s*\n|\n\s*- ", text)
    return [" ".join(part.split()) for part in parts]


def code(notebook):
    return "\n".join(c.source for c in notebook.cells if c.cell_type == "code")


def loaded(notebook):
    """Cards of the models that a chapter names, or builds the names of: lacelike, chequered, …"""
    words = set(re.findall(r"[\"']([a-z][a-z0-9-]+)[\"']", code(notebook)))
    return {
        name: card
        for name, card in CARDS.items()
        if name in words or any(name.startswith(f"{word}-") for word in words)
    }


def claims(text):
    """Optimisers that a text says our models were trained with."""
    kind = r"\**(SOAP|Muon|AdamW?)\b"
    ours = rf"(?:trained (?:with|by)|optimiser (?:is|was)|; here|\.\*\* here) {kind}"
    for sentence in sentences(text):
        found = re.findall(rf"{ours}|{kind} in place of", sentence)
        yield from ((name, sentence) for pair in found for name in pair if name)


def test_optimisers_in_words_are_those_of_the_cards(chapter):
    kinds = {
        card["experiment"]["training"]["optimizer"]["kind"]
        for card in loaded(chapter).values()
        if "optimizer" in card["experiment"]["training"]
    }
    for name, sentence in claims(prose(chapter)):
        assert {name.lower()} == kinds, sentence


def test_claims_about_optimisers_are_found():
    """The gate above looks at what it should: these are sentences of this book, one of them old."""
    for text in (
        "The models of this book's zoo were trained with Muon.",
        "The optimiser is Muon {cite:p}`jordan2024muon`, which learns",
        'Printed: "e.g. AdamW"; in the code Adam; here Muon.',
        "and the training is another: Muon in place of Adam, and so on",
    ):
        assert [name for name, _ in claims(text)] == ["Muon"]
    assert not list(claims("The authors train 100,000 iterations with Adam."))
    everywhere = [nbformat.read(path, as_version=4) for path in CHAPTERS]
    assert sum(len(list(claims(prose(one)))) for one in everywhere) >= 4


def numbers(value):
    """All whole numbers somewhere in a card or in the printed tables."""
    if isinstance(value, dict):
        return {n for v in value.values() for n in numbers(v)}
    if isinstance(value, list | tuple):
        return {n for v in value for n in numbers(v)}
    return {int(value)} if isinstance(value, int | float) and value == value // 1 else set()


def test_counts_in_words_are_those_of_cards_and_code(chapter):
    """A number of iterations, parameters, … typed into a text stands in what the chapter runs."""
    known = {int(n.replace("_", "")) for n in re.findall(r"\b\d[\d_]*\b", code(chapter))}
    for card in loaded(chapter).values():
        known |= numbers(card["experiment"]) | numbers((card["metrics"] or {}).get("protocol"))
        known |= {card["parameters"]}
    for sentence in sentences(prose(chapter)):
        if THEIRS.search(sentence):  # what others printed is no number of ours
            continue
        for count in re.findall(rf"(?<![\w.,])(\d[\d,]*) (?:{UNITS})\b", sentence):
            assert int(count.replace(",", "")) in known, sentence


def test_what_the_paper_prints_is_not_typed_twice():
    """The one count of chapter 4's opening that is the paper's."""
    text = prose(nbformat.read(CHAPTERS[3], as_version=4))
    conv, unet = (paper.TABLE_6[name] for name in ("NCA (3×3 conv)", "U-Net"))
    assert f"{conv.parameters:,} parameters" in text
    assert "eight times as" in text
    assert round(conv.training_ms / unet.training_ms) == 8


def test_durations_in_words_are_those_of_the_cards(chapter):
    """Hours and minutes that are no glued number: in a card's notes, or of its training."""
    notes = " ".join(note for card in loaded(chapter).values() for note in card["notes"])
    spent = [card["training"]["seconds"] for card in loaded(chapter).values()]
    amount = r"(?:\d+|an|one|two|three|five|ten|half an|a quarter of an|about an)"
    for sentence in sentences(prose(chapter)):
        for said in re.findall(rf"(?<!\w){amount} (?:hours?|minutes?)\b", sentence):
            if said == "a quarter of an hour" and "or more" in sentence:
                assert max(spent) > 600, sentence
            else:
                assert said in notes, sentence


def test_nothing_is_a_bird():
    """Chapter 7's first exercise: what cells elect that are shown a black photograph."""
    nca = zoo.load("cifar-two-scales-wide").nca
    names = ("airplane", "automobile", "bird")
    with torch.no_grad():
        state = nca.rollout(
            initial_state(nca, torch.zeros(2, 3, 32, 32)),
            64,
            generator=torch.Generator().manual_seed(0),
        )
    result = ballot(nca, state)
    assert [names[int(k)] for k in result.winner] == ["bird", "bird"]
    assert float(result.agreement.min()) > 0.9


def test_reading_takes_as_long_as_there_are_words(chapter):
    """Two words a second, since there are equations, and figures to play with."""
    text = "\n\n".join(c.source for c in chapter.cells if c.cell_type == "markdown")
    (minutes,) = (int(found) for found in READING.findall(text))
    words = len(re.sub(r"\{[^}]*\}", "", text).split())
    assert abs(minutes - words / 120) <= 5


def test_chapters_take_as_long_as_the_index_says():
    """The last line of a chapter tells the seconds."""
    seconds = []
    for path in CHAPTERS:
        (output,) = nbformat.read(path, as_version=4).cells[-1].outputs
        seconds.append(int(re.search(r"(\d+) s\W*$", output.text).group(1)))
    index = " ".join((ROOT / "book/index.md").read_text(encoding="utf-8").split())
    most, every = map(
        int, re.search(r"most within (\d+) minutes, all within (\d+)", index).groups()
    )
    assert sum(s <= 60 * most for s in seconds) > len(seconds) / 2
    assert max(seconds) <= 60 * every


def test_what_next_is_there(chapter):
    """Every sentence that promises a chapter links to one, and all links lead somewhere else."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    there = {
        c["file"].removeprefix("book/") for part in contents["parts"] for c in part["chapters"]
    }
    (text,) = re.findall(r"^## What next\n(.*?)(?=^## |\Z)", prose(chapter), re.DOTALL | re.M)
    links = re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text)
    assert links
    assert set(links) <= there
    for sentence in sentences(text):
        if re.search(r"chapters? that follow|next (chapter|task|one)|will ", sentence):
            assert "{doc}" in sentence, sentence


def test_formulas_break_no_braces(chapter):
    """``&`` inside braces is MathJax's "Misplaced &": a box in place of the formula."""
    for text in (c.source for c in chapter.cells if c.cell_type == "markdown"):
        for formula in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL):
            depth = 0
            for token in re.findall(r"\\.|[{}&]", formula, re.DOTALL):
                depth += {"{": 1, "}": -1}.get(token, 0)
                assert token != "&" or depth == 0, formula
            assert depth == 0, formula
