"""The command line."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the interpreter with its exit code.

    It is the program ``vlpt`` itself: the same options, output, signals and exit codes. Threads and signals of the
    process are its own from here on, so in a program of your own start it as a process (``python -m vlpt``).

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``vlpt``; by default those of ``sys.argv``.

    Raises
    ------
    SystemExit
        Always, with the exit code.

    Examples
    --------
    >>> import vlpt
    >>> vlpt.main(["tokenize", "a photo of a cat"])  # doctest: +SKIP
    """
    from . import _vlpt

    words = list(sys.argv[1:] if argv is None else argv)
    # What starts the program again, as jobs of a cluster do; `python -m vlpt` has no file of its own.
    script = os.path.abspath(sys.argv[0]) if sys.argv else ""
    program = script if os.path.isfile(script) and os.access(script, os.X_OK) else None
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who called
            stream.flush()
    try:
        # Python's own handlers would wait for the interpreter, which has nothing to do until the command ends.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if hasattr(signal, "SIGXFSZ"):
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    except ValueError:
        pass  # not the main thread, which alone may say so
    sys.exit(_vlpt.run(["vlpt", *words], program))
