"""Chapters that a tired student finishes: few numbers to a paragraph, plain words, a short page."""

import re

import nbformat
import pytest

from tests.book.test_chapters import CHAPTERS, NAMES

MOST_NUMBERS = 3  # in a paragraph
WORDS = 45  # in a sentence
SHORT, LONG = 12, 40  # minutes
# Words that stop a reader who does not know the trade, and what is said in their place.
STOPPERS = {
    r"the figures? that count": "the numbers that count",
    r"\b(?:paper's|printed|our|these|their|such) figures\b(?! (?:\d|show))": "… numbers",
    r"\bbootstrap\b": "a 95 % interval, explained in the fold *How this was measured*",
    r"\bseam(?:s|ed)?\b": "border",
}
MATH = re.compile(r"\$\$.*?\$\$(?:\s*\([\w-]+\))?|```\{math\}.*?```", re.DOTALL)
FOLD = re.compile(r"^(:{3,4})\{.*?^\1\s*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^```.*?^```\s*$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(  # numbers that are names: of a chapter, an equation, a kernel, a layer …
    r"(?:[Cc]hapters?|[Ss]ections?|§+|[Ff]ig(?:ure|s)?\.?|[Tt]ables?|eqs?\.?|[Aa]lgorithms?|arXiv:?|"
    r"[Rr]ules?|MNIST-|CIFAR-|VGG|relu)[ ~]?\d[\d.,–]*\w*(?: and \d[\d.]*)?"
    r"|\$[^$]*\$|`[^`]*`|\{[\w:]+\}`[^`]*`|\[[^\]]*\]\([^)]*\)|\b[A-Za-z]+-?\d+\b|\b(?:19|20)\d\d\b"
)
GLUED = re.compile(r"\{glue:text\}`[^`]*`")
NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,.]*\d|(?<![\w.])\d")


def paragraphs(notebook: nbformat.NotebookNode) -> list[str]:
    """Running text: no folds, boxes, code, formulas, tables, headings; an item of a list is one."""
    found = []
    exercises = False
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        exercises = exercises or cell.source.startswith("## Exercises")
        if exercises and not cell.source.lstrip().startswith(("## Summary", "## What next")):
            continue
        exercises = False
        text = CODE.sub("\n\n", MATH.sub(" ", FOLD.sub("\n\n", cell.source)))
        for block in re.split(r"\n\s*\n|\n(?=\s*[-*] |\s*\d+\. )", text):
            block = re.sub(r"^\s*(?:[-*]|\d+\.) ", "", block.strip())
            if block and not block.startswith(("#", "|", "<", "(", "+", "```")):
                found.append(" ".join(block.split()))
    return found


def numbers(paragraph: str) -> int:
    """How many numbers a reader of it has to keep: glued ones, and those in digits."""
    rest, glued = GLUED.subn(" ", paragraph)
    rest = re.sub(r"\d+ ?[×x] ?\d+", "7", rest)  # a size is one number
    rest = re.sub(r"(?<=\d) ?(?:–|/|to|and) ?(?=\d)", "", rest)  # and so is a range
    return glued + len(NUMBER.findall(NAMED.sub(" ", rest)))


@pytest.fixture(scope="module", params=CHAPTERS, ids=NAMES)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def test_no_paragraph_has_more_than_three_numbers(chapter):
    found = [p for p in paragraphs(chapter) if numbers(p) > MOST_NUMBERS]
    assert not found, "\n\n".join(f"{numbers(p)}: {p}" for p in found)


def test_sentences_can_be_read_in_one_breath(chapter):
    for paragraph in paragraphs(chapter):
        for sentence in re.split(r"(?<=[.!?:;])\s+", paragraph):
            said = re.sub(r"\{[\w:]+\}`[^`]*`|\$[^$]*\$", "x", sentence)
            assert len(said.split()) <= WORDS, sentence


def test_plain_words(chapter):
    for paragraph in paragraphs(chapter):
        for pattern, better in STOPPERS.items():
            found = re.search(pattern, paragraph)
            assert not found, f"{found}: say {better}: {paragraph}"


def test_how_it_was_measured_is_folded(chapter):
    """Machines, minutes and protocols stand in one fold."""
    text = "\n".join(c.source for c in chapter.cells if c.cell_type == "markdown")
    assert text.count("How this was measured") >= 1


def test_a_chapter_is_read_in_one_sitting(chapter):
    (minutes,) = re.findall(r"About (\d+) minutes to read", str([c.source for c in chapter.cells]))
    assert SHORT <= int(minutes) <= LONG


def test_numbers_are_counted_as_a_reader_would():
    assert numbers("It has {glue:text}`a` cells, 3 of 4 alive; see eq. 5 and Fig. 16a.") == 3
    assert numbers("On 32 × 32 cells, 64–96 steps, in {cite:t}`x2020y`, chapter 3") == 2
    assert numbers("$10^{3}$ and `x = 3` and relu4_1 are names, and so is 2020") == 0
