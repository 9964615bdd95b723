"""``python -m ncabook`` is the ``ncabook`` command."""

from ncabook.cli import main

main()
