"""``python -m vlpt``: the command line."""

from ._main import main

main()
