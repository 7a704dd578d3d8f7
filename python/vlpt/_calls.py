"""Calls of the Rust side with the images of a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._images import Listed
from ._progress import Reporter, Watching

#: Makes a row for each of some images, or says why there is none.
Call: TypeAlias = Callable[[list[str], list[Any], Reporter], tuple[NDArray[np.float32], list[Any]]]


def rows(
    given: Listed, call: Call, what: str, progress: Watching, *, turn: bool = False, scale: bool = False
) -> tuple[NDArray[np.float32], list[Any]]:
    """What a call makes of images, piece by piece where images of Pillow have to be converted."""
    parts: list[NDArray[np.float32]] = []
    failed: list[Any] = []
    with Reporter(progress) as reporter:
        reporter.start(what, len(given))
        for names, sources in given.pieces(turn=turn, scale=scale):
            made, errors = call(names, sources, reporter)
            parts.append(made)
            failed += errors
    return parts[0] if len(parts) == 1 else np.concatenate(parts), failed
