"""The laboratory: one page with every model that may be shown, one to four of them side by side.

The page is ``lab.js`` and ``lab.css``; it builds itself in an element ``#nca-lab``. What it shows
lies in files of their own, which are asked for when somebody chooses a model: scripts, because
pages that are opened from ``file://`` may load nothing else. The book's page *The laboratory* has
them from :func:`~ncabook.lab.shelf.write`; ``ncabook lab`` from :mod:`ncabook.lab.server`, which
also follows trainings (:mod:`ncabook.lab.runs`).
"""
