"""The live figure as HTML: a fragment for a page of the book, or a whole page in one file."""

import base64
import json
from collections.abc import Sequence
from html import escape
from typing import Any

from ncabook.automaton import NCA, Patchwork
from ncabook.live.export import describe
from ncabook.live.poster import figure_poster
from ncabook.live.script import page_script

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 1rem; color: #1b2127; background: #ffffff;
  font: 1rem/1.5 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }}
main {{ max-width: 46rem; margin: 1rem auto; }}
h1 {{ font-size: 1.375rem; line-height: 1.25; margin: 0; text-wrap: balance; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e9edf1; background: #12161a; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{figure}
</main>
<script>
{script}</script>
</body>
</html>
"""


def figure_html(
    descriptions: Sequence[dict[str, Any]],
    weights: bytes,
    title: str,
    *,
    picture: str | None = None,
    caption: bool = True,
) -> str:
    """A ``<figure>`` that the page's script brings to life; without it, words and a picture.

    Args:
        descriptions: from :func:`~ncabook.live.export.describe`, of the automata side by side.
        weights: from there too, one after another.
        title: what the figure shows.
        picture: what stands there before and without the script, from
            :func:`~ncabook.live.poster.poster`; None for words only.
        caption: whether the title is shown below.

    """
    data = json.dumps(descriptions, ensure_ascii=False, separators=(",", ":"))
    title, alt = escape(title), escape(descriptions[0]["alt"])
    return (
        f'<figure class="nca-figure" data-nca="{escape(data)}" '
        f'data-weights="{base64.b64encode(weights).decode("ascii")}">'
        + (_picture(descriptions, picture, alt) if picture else "")
        + f"<noscript><p>{alt} (This figure is interactive and needs JavaScript.)</p></noscript>"
        + (f"<figcaption>{title}</figcaption>" if caption else "")
        + "</figure>"
    )


def _picture(descriptions: Sequence[dict[str, Any]], picture: str, alt: str) -> str:
    """At a size that also suits where style sheets are removed, as by GitHub's preview."""
    width = 300 if len(descriptions) == 1 and not descriptions[0].get("beside") else 700
    return (
        f'<img class="nca-poster" src="{picture}" width="{width}" alt="{alt}" '
        'style="image-rendering: pixelated; max-width: 100%">'
    )


def to_html(nca: NCA | Patchwork, height: int, width: int, **options: Any) -> str:
    """One page with engine and weights in it, which runs from ``file://`` without a network.

    Args:
        nca: the automaton.
        height: cells from top to bottom.
        width: cells from left to right.
        options: as in :func:`~ncabook.live.export.describe`.

    """
    description, weights = describe(nca, height, width, **options)
    return page_html(description, weights, figure_poster([nca], description, options))


def page_html(description: dict[str, Any], weights: bytes, picture: str) -> str:
    """The same of what :func:`~ncabook.live.export.describe` returned, and the figure's poster."""
    title = description["title"]
    return PAGE.format(
        title=escape(title),
        figure=figure_html([description], weights, title, picture=picture, caption=False),
        script=page_script(),
    )
