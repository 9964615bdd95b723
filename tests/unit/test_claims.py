"""The page *What the paper says and what we found* says what cards and the printed tables say."""

import math
import re
import sys
from pathlib import Path

import pytest

from ncabook.evaluation import paper

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import claims_in_words  # noqa: E402
import claims_page  # noqa: E402
import claims_tables  # noqa: E402

CHAPTERS = {path.stem for path in (ROOT / "book").glob("[0-9][0-9]_*.ipynb")}


@pytest.fixture(scope="module")
def sections():
    return claims_tables.sections()


def printed(value):
    """All numbers of a printed table, sizes of grids left out, since they are no findings."""
    if isinstance(value, paper.Scale):
        return [value.evaluation_ms, value.evaluation_mb, value.training_mb]
    if isinstance(value, dict):
        return [n for v in value.values() for n in printed(v)]
    if isinstance(value, tuple):
        return [n for v in value for n in printed(v)]
    return [value]


def test_the_page_is_that_of_the_cards():
    assert claims_page.PAGE.read_text(encoding="utf-8") == claims_page.page(), (
        "run scripts/claims_page.py"
    )


def test_every_printed_number_is_there(sections):
    """Of every table of the paper, with its verdict; more where a cell says "out of memory"."""
    tables = {
        "Table 1": paper.TABLE_1,
        "Table 2": paper.TABLE_2,
        "Figure 11": paper.FIGURE_11,
        "Table 3": paper.TABLE_3,
        "Table 4": paper.TABLE_4,
        "Table 5": paper.TABLE_5,
        "Table 6": paper.TABLE_6,
    }
    by_title = {section.title.split(":")[0]: section.numbers for section in sections}
    assert by_title.keys() == tables.keys() | {"Figure 18"}
    for title, values in tables.items():
        there = [one.printed.replace(",", "").replace("−", "-") for one in by_title[title]]
        wanted = [n for n in printed(values) if n is not None]
        numbers = [float(one.rstrip("k")) for one in there if one != "out of memory"]
        if title == "Table 2":
            numbers.remove(38.0)  # of the caption
        wanted = [float(str(n).rstrip("k")) for n in wanted]
        assert sorted(numbers) == sorted(wanted), title


def test_verdicts_are_known_and_a_missing_number_is_not_measured(sections):
    for section in sections:
        for one in section.numbers:
            assert one.verdict in claims_tables.VERDICTS
            assert (one.ours == "–") <= (one.verdict == claims_tables.UNMEASURED), one


@pytest.mark.parametrize(
    ("ours", "theirs", "digits", "better", "verdict"),
    [
        (0.0604, 0.060, 3, claims_tables.LOW, claims_tables.REACHED),
        (0.0606, 0.060, 3, claims_tables.LOW, claims_tables.SHORT),
        (58.74, 58.74, 2, claims_tables.HIGH, claims_tables.REACHED),
        (58.73, 58.74, 2, claims_tables.HIGH, claims_tables.SHORT),
        (24_900, 23_000, 0, claims_tables.SIZE, claims_tables.REACHED),
        (30_000, 23_000, 0, claims_tables.SIZE, claims_tables.UNLIKE),
        (None, 1.0, 2, claims_tables.HIGH, claims_tables.UNMEASURED),
        (math.nan, 1.0, 2, claims_tables.HIGH, claims_tables.UNMEASURED),
    ],
)
def test_a_verdict_follows_its_rule(ours, theirs, digits, better, verdict):
    assert claims_tables.judged(ours, theirs, digits, better) == verdict


def test_claims_in_words_lead_to_chapters_that_exist():
    verdicts = {
        claims_in_words.HOLDS,
        claims_in_words.IN_PART,
        claims_in_words.NOT,
        claims_in_words.UNMEASURED,
    }
    found = list(claims_in_words.claims())
    assert len(found) >= 15
    for claim in found:
        assert claim.verdict in verdicts
        assert claim.chapter in CHAPTERS | {""}
        assert not re.search(r"\bnan\b|\|", f"{claim.said} {claim.found}")
