"""The live figure of the 256 elementary rules: no network, a table that the reader changes."""

from pathlib import Path

WIDTH, HEIGHT = 301, 130  # cells, and rows in sight


def elementary_figure(rule: int = 110) -> str:
    """A ``<figure>`` with its own script: elementary automata, to be run, changed and disturbed.

    Args:
        rule: Wolfram's number of the rule to begin with.

    Raises:
        ValueError: there is no such rule.

    """
    if not 0 <= rule <= 255:
        raise ValueError(f"rule is {rule}; expected a whole number from 0 to 255")
    text = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    for word, value in (("RULE", rule), ("WIDTH", WIDTH), ("HEIGHT", HEIGHT)):
        text = text.replace(word, str(value))
    return text
