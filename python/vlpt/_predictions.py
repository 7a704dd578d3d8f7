"""What images were answered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from . import _vlpt


@dataclass(frozen=True)
class Prediction:
    """What one image was answered.

    Attributes
    ----------
    image : str
        Its path, or its place in the list of images such as ``"images[3]"``.
    label : str or None
        The most probable class; None where it is less probable than the threshold, or where there is none.
    probability : float
        That of the most probable class, from 0 to 1; NaN where there is none.
    top : tuple of (str, float)
        The most probable classes with their probabilities, the most probable first.
    error : str or None
        Why there is no class, with ``errors="keep"``.
    """

    image: str
    label: str | None
    probability: float
    top: tuple[tuple[str, float], ...]
    error: str | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return f"error: {self.error}"
        scored = [f"{name} {100 * share:.1f} %" for name, share in self.top]
        none = ["none"] if self.label is None else []
        return "\t".join([self.image, *none, *scored])


class Predictions(Sequence[Prediction]):
    """Answers in the order of the images.

    Attributes
    ----------
    classes : list of str
        The classes, in the order of the columns of ``probabilities``.
    probabilities : ndarray of shape (n, classes), float32
        A row for each image; NaN where there is none.
    threshold : float or None
        The least probability of an answer.

    Examples
    --------
    >>> import vlpt
    >>> clip = vlpt.Clip.from_pretrained("mini-clip")
    >>> red = np.full((32, 32, 3), [250, 10, 10], np.uint8)
    >>> answers = clip.zero_shot(red, ["red", "blue"])
    >>> len(answers), answers[0].image
    (1, 'images[0]')
    """

    def __init__(
        self,
        names: list[str],
        classes: list[str],
        probabilities: NDArray[np.float32],
        errors: list[str | None],
        top_k: int,
        threshold: float | None,
    ) -> None:
        self.classes = classes
        self.probabilities = probabilities
        self.threshold = threshold
        self._names = names
        self._errors = errors
        self._top_k = top_k

    @property
    def labels(self) -> list[str | None]:
        """The classes alone, as :attr:`Prediction.label`."""
        return [answer.label for answer in self]

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Prediction]: ...

    def __getitem__(self, place: int | slice) -> Prediction | Sequence[Prediction]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place]
        error = self._errors[place]
        if error is not None:
            return Prediction(self._names[place], None, float("nan"), (), error)
        row = self.probabilities[place]
        best = np.argsort(-row, kind="stable")
        first = int(best[0])
        # in the precision of probabilities, so that 0.9 is 0.9
        answers = self.threshold is None or row[first] >= np.float32(self.threshold)
        top = tuple((self.classes[at], float(row[at])) for at in best[: self._top_k])
        return Prediction(self._names[place], self.classes[first] if answers else None, float(row[first]), top)

    def to_json(self, *, none: str = "none") -> str:
        """The answers as JSON: what ``vlpt predict --json`` prints, byte for byte.

        Parameters
        ----------
        none : str, default "none"
            The word for none of the classes.

        Returns
        -------
        str
            Without a line feed at the end; ``print`` adds the one that the command has.
        """
        return _vlpt.to_json(
            self.classes, self._names, self.probabilities, self._errors, self._top_k, self.threshold, none
        )

    def save(self, path: str | os.PathLike[str], *, all_scores: bool = False, none: str = "none") -> None:
        """Write the answers to a file: what ``vlpt predict --out`` writes, byte for byte.

        Parameters
        ----------
        path : str or PathLike
            Its ending chooses the format: ``.csv``, ``.jsonl`` or ``.parquet``.
        all_scores : bool, default False
            Also the probability of every class.
        none : str, default "none"
            The word for none of the classes.

        Raises
        ------
        ValueError
            Another ending, or a word for none that is a class.
        OSError
            A file that cannot be written.
        """
        _vlpt.save_rows(
            os.fspath(path),
            self.classes,
            self._names,
            self.probabilities,
            self._errors,
            self._top_k,
            all_scores,
            self.threshold,
            none,
        )

    def __repr__(self) -> str:
        return f"<vlpt.Predictions of {len(self)} images among {len(self.classes)} classes>"

    def __str__(self) -> str:
        return "\n".join(str(answer) for answer in self)
