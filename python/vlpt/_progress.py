"""How long calls tell that they go on."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias, Union

#: Calls of less time than this show no bar unless one is asked for.
QUIET = 2.0


class Progress(NamedTuple):
    """What a call is at.

    Attributes
    ----------
    what : str
        The phase, such as ``"classifying"``, or a sentence about a candidate that was judged.
    done : int
        Units done in this phase: images, epochs, or bytes of a download.
    total : int or None
        Units of the whole phase, where that is known.
    """

    what: str
    done: int
    total: int | None


#: ``None``: a bar on a terminal and in notebooks, once a call has taken two seconds; ``True``: a bar at once;
#: ``False``: none; or a function that is called with each :class:`Progress`, in the thread of the call.
Watching: TypeAlias = Union[bool, Callable[[Progress], object], None]


class Reporter:
    """What the Rust side tells, as bars or as calls of a function. Used as a context manager."""

    def __init__(self, progress: Watching = None) -> None:
        self._call = progress if callable(progress) else None
        self._always = progress is True
        self._shown = self._always or (progress is None and _can_show())
        self._phase = Progress("", 0, None)
        self._bar: Any = None

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def start(self, what: str, total: int) -> None:
        self._close()
        self._phase = Progress(what, 0, total or None)
        if self._shown:
            delay = 0.0 if self._always else QUIET
            self._bar = _bar(what, total or None, delay)
        self._tell()

    def advance(self, by: int) -> None:
        self._phase = self._phase._replace(done=self._phase.done + by)
        if self._bar is not None:
            self._bar.update(by)
        self._tell()

    def finish(self) -> None:
        self._close()

    def note(self, text: str) -> None:
        # as the command line's lines on standard error; who does not want them silences the logger
        logging.getLogger("vlpt").warning(text)

    def warn(self, text: str) -> None:
        warnings.warn(text, UserWarning, stacklevel=3)

    def tried(self, method: str, share: float | None, left_out: str | None, seconds: float) -> None:
        if left_out is not None:
            text = f"{method}: left out: {left_out}"
        elif share is not None:
            text = f"{method}: {100 * share:.1f} % of held-out photos, {seconds:.0f} s"
        else:
            text = f"{method}: {seconds:.0f} s"
        if self._call is not None:
            self._call(Progress(text, 1, 1))
        elif self._shown:
            self._close()
            print(text, file=sys.stderr)

    def _tell(self) -> None:
        if self._call is not None:
            self._call(self._phase)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Line:
    """A line on standard error, where tqdm is not installed."""

    def __init__(self, what: str, total: int | None, delay: float) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._next = time.monotonic() + delay
        self._drawn = False

    def update(self, by: int) -> None:
        self._done += by
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.2
        self._drawn = True
        of = "" if self._total is None else f"/{self._total}"
        print(f"\r{self._what} {self._done}{of}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._drawn:
            print(file=sys.stderr, flush=True)


def _bar(what: str, total: int | None, delay: float) -> Any:
    try:
        import tqdm
    except ImportError:
        return _Line(what, total, delay)
    # In notebooks its own widgets need ipywidgets; the bar of text works everywhere.
    return tqdm.tqdm(desc=what, total=total, delay=delay, leave=False, file=sys.stderr)


def _can_show() -> bool:
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    shell = sys.modules.get("IPython")
    if shell is None:
        return False
    interactive = shell.get_ipython()
    return interactive is not None and hasattr(interactive, "kernel")
