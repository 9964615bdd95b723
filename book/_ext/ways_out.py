"""Ways out of a page: into Colab, as a notebook, as a package, as a citation.

The repository's address is ``repository.url`` in ``_config.yml``, which ``make set-repository``
writes. Until there is one, pages say so in a line, and name what works in a clone. ``{get}`` is
that part of the front page, ``{cite-book}`` the entries for a bibliography.
"""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

CHAPTER = re.compile(r"book/(\d\d_\w+)")
GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com/github"
PAPER = "spitznagel2026nca"  # in references.bib
NOTEBOOKS = "notebooks"  # in _static; front.js looks there
NO_ADDRESS = (
    "This copy of the book was built before it had a public address, so Colab cannot open it yet."
)


def address(config: Config) -> str | None:
    """The repository's public address, or None while there is none."""
    url = config.html_theme_options.get("repository_url", "")
    return url if url.startswith(GITHUB) else None


def install(url: str | None) -> str:
    """The command that installs the package: from its address, else in a clone."""
    return f'pip install "ncabook @ git+{url}"' if url else "pip install -e ."


def ways(chapter: str, notebook: str, url: str | None) -> str:
    """What stands at the end of a chapter.

    Args:
        chapter: its name, as ``03_growing_emoji``.
        notebook: where the page finds its notebook.
        url: from :func:`address`.

    """
    download = f'<a href="{escape(notebook)}" download="{chapter}.ipynb">Download notebook</a>'
    package = f"<p>Get the package: <code>{escape(install(url))}</code></p>"
    if url is None:
        first = f"<p>{download}</p>"
        package = (
            f"<p>{NO_ADDRESS} In a clone of the repository, <code>{install(url)}</code> installs "
            f"the package, and <code>pip install jupyterlab</code>, then <code>jupyter lab book/"
            f"{chapter}.ipynb</code>, opens this notebook.</p>"
        )
    else:
        path = f"{url.removeprefix(GITHUB)}/blob/main/book/{chapter}.ipynb"
        first = f'<p><a href="{COLAB}/{path}">Open in Colab</a> {download}</p>'
    return (
        f'<section class="ways-out" aria-label="Take this chapter with you">{first}{package}'
        "</section>"
    )


def _add(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    chapter = CHAPTER.fullmatch(page)
    if chapter and "body" in context:
        notebook = context["pathto"](f"_sources/{page}.ipynb", 1)
        context["body"] += ways(chapter[1], notebook, address(app.config))


class Get(SphinxDirective):
    """How to get book and package."""

    def run(self) -> list[nodes.Node]:
        """Paragraphs and commands."""
        url = address(self.config)
        if url:
            text = f"""\
The package, with the trained models in it:

```bash
{install(url)}
```

Package, book and experiments, from [{url.removeprefix("https://")}]({url}):

```bash
git clone {url}
cd {url.rsplit("/", 1)[1]}
make book
```
"""
        else:
            text = f"""\
{NO_ADDRESS} In a clone of the repository:

```bash
{install(url)}      # the package, with the trained models in it
make book             # executes what changed, builds these pages and a zipped copy of them
```
"""
        return _parsed(self, text)


class CiteBook(SphinxDirective):
    """Entries of BibTeX: this book from CITATION.cff, the paper from references.bib."""

    def run(self) -> list[nodes.Node]:
        """Two blocks that can be copied."""
        root = Path(self.env.srcdir)
        sources = root / "CITATION.cff", root / "book" / "references.bib"
        for path in sources:
            self.env.note_dependency(str(path))
        cff, bib = (path.read_text(encoding="utf-8") for path in sources)
        paper = re.search(rf"^@\w+\{{{PAPER},.*?^\}}", bib, re.MULTILINE | re.DOTALL)
        if paper is None:
            raise self.error(f"references.bib has no entry {PAPER}")
        entries = [software(yaml.safe_load(cff), self.config), paper[0]]
        return _parsed(self, "\n\n".join(f"```bibtex\n{entry}\n```" for entry in entries))


def software(cff: dict[str, Any], config: Config) -> str:
    """An entry of BibTeX of CITATION.cff."""
    people = [
        person.get("name") or f"{person['family-names']}, {person['given-names']}"
        for person in cff["authors"]
    ]
    # A name of several words that is no person's keeps its words together.
    author = " and ".join(name if ", " in name else f"{{{name}}}" for name in people)
    fields = {
        "title": f"{{{cff['title']}}}",
        "author": author,
        "year": re.search(r"\d{4}", config.copyright)[0],
        "version": cff["version"],
        **({"url": cff["repository-code"]} if address(config) else {}),
    }
    lines = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return f"@software{{ncabook,\n{lines}\n}}"


def _parsed(directive: SphinxDirective, text: str) -> list[nodes.Node]:
    """Markdown as nodes, in the directive's place."""
    parent = nodes.container()
    lines = StringList(text.splitlines(), source=directive.get_source_info()[0])
    directive.state.nested_parse(lines, directive.content_offset, parent)
    return parent.children


def _write(app: Sphinx, error: Exception | None) -> None:
    """Notebooks as scripts: a page from ``file://`` may load these, and nothing else."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / NOTEBOOKS
        folder.mkdir(exist_ok=True)
        for page in app.env.found_docs:
            if chapter := CHAPTER.fullmatch(page):
                text = Path(app.env.doc2path(page)).read_text(encoding="utf-8")
                script = f"ncabookNotebook({json.dumps(text)});\n"
                (folder / f"{chapter[1]}.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks the ends of chapters in, and the directives of the front page."""
    app.add_directive("get", Get)
    app.add_directive("cite-book", CiteBook)
    app.connect("html-page-context", _add)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
