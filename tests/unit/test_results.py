"""Tables from cards: right cells, medians and ranges over seeds, saved whole."""

import json
from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest

from ncabook import experiments, zoo
from ncabook.evaluation import paper
from ncabook.experiments import results

CARD = zoo.read_card(zoo.find("emoji-conv3"))


def metrics(value):
    """What a card would hold if every figure of the tables were ``value``."""
    filled = deepcopy(CARD.metrics)
    for key in {key for number in (1, 5) for key in results.COLUMNS[number]}:
        *parents, last = key.split(".")
        inner = filled
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    filled["starts"] = {"steps": 24, "each": 200, "seed": [0, 50, 0, 0, 0], "ring": [0] * 5}
    return filled


@pytest.fixture
def three_seeds(monkeypatch):
    """A zoo of one experiment of Table 1 with three seeds."""
    experiment = experiments.find("emoji-conv3")
    cards = {
        f"model-{seed}": zoo.Card(
            experiment=experiments.with_seed(experiment, seed),
            parameters=22976,
            weights_sha256="0" * 64,
            data_sha256="0" * 64,
            training={"seconds": 1.0, "mean_loss_of_last_100": 0.1},
            metrics=metrics(value),
        )
        for seed, value in ((0, 96.0), (1, 90.0), (2, 99.0))
    }
    monkeypatch.setattr(zoo, "folders", lambda: {name: Path(name) for name in cards})
    monkeypatch.setattr(zoo, "find", Path)
    monkeypatch.setattr(zoo, "read_card", lambda folder: cards[folder.name])


def test_a_row_is_the_median_over_seeds_beside_the_paper(three_seeds):
    frame = results.table(1)
    assert list(frame.index) == results.rows(1)
    row = frame.loc["emoji-conv3"]
    assert row["seeds"] == 3
    assert row["LPIPS, recovery, damage (%)"] == 96
    assert row["LPIPS, recovery, damage (%), least"] == 90
    assert row["paper, damage (%)"] == 58.74
    assert row["starts, died, seed (%)"] == 5
    text = results.markdown(frame)
    assert "96.00 [90.00, 99.00]" in text
    assert "22,976" in text
    assert all(line.startswith("| ") for line in text.splitlines())
    assert len({line.count("|") for line in text.splitlines()}) == 1
    missing = frame.drop(index="emoji-conv3")
    assert pd.isna(missing["LPIPS, recovery, damage (%)"]).all()
    assert "–" in text


def test_fresh_figures_take_the_place_of_the_cards(three_seeds):
    frame = results.table(5, {"model-0": metrics(1.0), "model-2": metrics(2.0)})
    assert frame.loc["emoji-conv3", "LPIPS, recovery, mutation (%)"] == 2
    assert frame.loc["emoji-conv3", "paper, mutation (%)"] == 95.75


def test_another_table_is_refused():
    with pytest.raises(ValueError, match="there is no table 3; expected one of 1, 2, 5, 7, 16, 18"):
        results.table(3)


def test_printed_figures_are_the_papers(three_seeds):
    assert paper.TABLE_1["Comb 3x3+5x5D"].damage.recovery == 98.32
    assert paper.TABLE_1["GAN 25k"].damage.stage1 is None
    assert len(paper.TABLE_1) == 12


def test_the_command_saves_three_forms(three_seeds, tmp_path, monkeypatch, capsys):
    from ncabook.cli import table

    table(1, output=tmp_path / "new")
    assert (tmp_path / "new/table1.md").read_text() in capsys.readouterr().out
    saved = json.loads((tmp_path / "new/table1.json").read_text())
    assert {row["experiment"] for row in saved} == set(results.rows(1))
    csv = pd.read_csv(tmp_path / "new/table1.csv", index_col="experiment")
    assert csv.loc["emoji-conv3", "LPIPS, recovery, mutation (%)"] == 96
