"""What a card says of the code behind it."""

import subprocess

from ncabook.experiments import provenance


def test_a_commit_is_dirty_by_its_code_and_not_by_its_results(monkeypatch, tmp_path):
    """Of models measured one after another, each saves a card: the code of the next is the same."""
    code, card = (
        tmp_path / "ncabook/experiments/provenance.py",
        tmp_path / "ncabook/zoo/a/card.json",
    )
    for path in (code, card):
        path.parent.mkdir(parents=True)
        path.write_text("1")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(provenance, "__file__", str(code))
    clean = provenance.commit()
    assert len(clean) == 40
    card.write_text("2")
    assert provenance.commit() == clean
    code.write_text("2")
    assert provenance.commit() == f"{clean}-dirty"
