"""Arguments that several calls share."""

from __future__ import annotations

import operator
import os
from typing import Any, Literal, TypeAlias

import numpy as np

from . import _vlpt

#: What becomes of an image that cannot be read or decoded.
OnError: TypeAlias = Literal["raise", "keep"]
#: Number format of the towers.
Precision: TypeAlias = Literal["auto", "f32", "bf16"]


def thread_count(threads: int | None) -> int:
    """So many threads as are asked for, or as the environment or the machine says."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads={threads}: expected 1 or more\nhint: leave it out for one thread a core")
    return _vlpt.thread_count(threads)


def keeps(errors: str) -> bool:
    if errors not in ("raise", "keep"):
        raise ValueError(f"errors={errors!r}: expected 'raise' or 'keep'")
    return errors == "keep"


def model_name(model: str | os.PathLike[str] | None) -> str:
    if model is not None:
        return os.fspath(model)
    return os.environ.get("VLPT_MODEL") or _vlpt.DEFAULT_MODEL


def several(values: Any, name: str) -> list[str]:
    """A list of texts; one text is most likely meant as a list of one, so it is refused."""
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{name} is a text\nhint: give a list, such as [{values!r}]")
    texts: list[str] = []
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise TypeError(f"{name}[{place}] is {kind(value)}: expected a text")
        texts.append(str(value))
    if not texts:
        raise ValueError(f"{name} is empty\nhint: give at least one")
    return texts


def kind(value: object) -> str:
    """What a value is, in the words of a message."""
    return "None" if value is None else type(value).__name__


def check_top(top_k: int) -> int:
    if isinstance(top_k, bool) or not hasattr(top_k, "__index__"):
        raise TypeError(f"top_k={top_k!r}: expected a whole number, 1 or more")
    number = operator.index(top_k)
    if number < 1:
        raise ValueError(f"top_k={number}: expected 1 or more")
    return number


def check_threshold(threshold: float | None) -> float | None:
    if isinstance(threshold, (bool, np.bool_)):
        raise TypeError(f"threshold={threshold!r}: expected a probability from 0 to 1")
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise ValueError(f"threshold={threshold}: expected a probability from 0 to 1")
    return threshold
