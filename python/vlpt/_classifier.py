"""A tuned prompt and what it says of images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _vlpt
from ._calls import Call, rows
from ._images import Images, Listed, listed
from ._options import OnError, Precision, check_threshold, check_top, keeps, several, thread_count
from ._predictions import Predictions
from ._progress import Reporter, Watching
from ._temporary import TemporaryFolder


class Classifier:
    """A tuned prompt on its model: classes with probabilities for images.

    Made by :meth:`from_pretrained`, by :func:`vlpt.tune`, or of class names alone by :meth:`vlpt.Clip.classifier`.
    It never changes, and any number of threads may use it at once.

    Examples
    --------
    >>> import vlpt
    >>> flowers = vlpt.Classifier.from_pretrained("runs/flowers")  # doctest: +SKIP
    >>> for answer in flowers.predict("new/"):  # doctest: +SKIP
    ...     print(answer.image, answer.label, answer.probability)
    """

    def __init__(self, predictor: _vlpt.Predictor, options: dict[str, Any] | None = None, keep: object = None) -> None:
        self._predictor = predictor
        self._options = options or {}
        self._keep = keep  # a temporary folder that goes with it

    @classmethod
    def from_pretrained(
        cls,
        folder: str | os.PathLike[str],
        *,
        model: str | os.PathLike[str] | None = None,
        classes: Sequence[str] | None = None,
        precision: Precision | None = None,
        force: bool = False,
        threads: int | None = None,
        progress: Watching = None,
    ) -> Classifier:
        """Open a prompt folder and its base model.

        Parameters
        ----------
        folder : str or PathLike
            A prompt folder, or a run folder that holds one.
        model : str or PathLike, optional
            The base model, where it is not to be found by the name in the folder: a folder, ``org/name``,
            ``ViT-B-16/openai``, or ``mini-clip``. It is downloaded where it is not at hand.
        classes : sequence of str, optional
            Tell these classes apart instead of those that the prompt was tuned for.
        precision : {"auto", "f32", "bf16"}, optional
            Number format of the towers; by default ``VLPT_PRECISION``, or what the processor is fastest with.
        force : bool, default False
            Use the prompt although it was tuned on other weights.
        threads : int, optional
            Threads to compute with; by default ``VLPT_THREADS``, or one for each core. Results do not depend on it.
        progress : bool or callable, optional
            How it is shown that a download goes on: see :class:`vlpt.Progress`.

        Returns
        -------
        Classifier

        Raises
        ------
        OSError
            The folder is not there or cannot be read.
        vlpt.Error
            A folder that is damaged, or a model that is not found or is another one.
        ValueError
            Class names that the prompt cannot be used with.
        """
        options: dict[str, Any] = {
            "model": None if model is None else os.fspath(model),
            "classes": None if classes is None else several(classes, "classes"),
            "precision": precision,
            "force": force,
            "threads": threads,
        }
        with Reporter(progress) as reporter:
            predictor = _vlpt.Predictor.open(
                os.fspath(folder),
                options["model"],
                options["classes"],
                precision,
                force,
                thread_count(threads),
                reporter,
            )
        return cls(predictor, options)

    @property
    def classes(self) -> list[str]:
        """The class names, in the order of the probabilities."""
        return self._predictor.classes

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The class names as an array, as scikit-learn calls them."""
        return np.asarray(self.classes, dtype=np.str_)

    @property
    def threshold(self) -> float | None:
        """The least probability of an answer that ``tune`` found on photos it had not learned from."""
        return self._predictor.threshold

    @property
    def method(self) -> str:
        """The method that tuned it."""
        return self._predictor.method

    @property
    def folder(self) -> Path | None:
        """The prompt folder; None for class names alone."""
        folder = self._predictor.folder
        return None if folder is None else Path(folder)

    @property
    def threads(self) -> int:
        """Threads that calls compute with."""
        return self._predictor.threads

    def predict(
        self,
        images: Images,
        *,
        top_k: int = 3,
        threshold: float | None = None,
        errors: OnError = "raise",
        progress: Watching = None,
    ) -> Predictions:
        """Classify images: the answers are those of ``vlpt predict``.

        Parameters
        ----------
        images : image, folder, or iterable of images
            Paths are decoded as the command does. Images of Pillow give their pixels, and so what Pillow decoded.
        top_k : int, default 3
            How many of the most probable classes are named.
        threshold : float, optional
            No class is answered where the most probable one is less probable; 0 always answers. By default
            :attr:`threshold`, where the prompt has one.
        errors : {"raise", "keep"}, default "raise"
            What becomes of an image that cannot be read or decoded: the first raises, or each has an answer with its
            ``error``.
        progress : bool or callable, optional
            A bar on a terminal and in notebooks once it has taken two seconds; True, False, or a function that is
            called with each :class:`vlpt.Progress`.

        Returns
        -------
        Predictions
            An answer for each image, in their order.

        Raises
        ------
        ValueError
            An array that is no image, or an option that makes no sense.
        OSError
            A file that cannot be read.
        vlpt.Error
            An image that cannot be decoded.
        """
        top_k, threshold = check_top(top_k), check_threshold(threshold)
        given = listed(images)
        probabilities, failed = self._rows(given, self._call(errors), "classifying", progress)
        threshold = self.threshold if threshold is None else threshold
        return Predictions(given.names, self.classes, probabilities, failed, top_k, threshold)

    def predict_proba(
        self, images: Images, *, errors: OnError = "raise", progress: Watching = None
    ) -> NDArray[np.float32]:
        """Probabilities of each class.

        Parameters
        ----------
        images : image, folder, or iterable of images
        errors : {"raise", "keep"}, default "raise"
            With ``"keep"`` an image that cannot be decoded has a row of NaN.
        progress : bool or callable, optional
            As in :meth:`predict`.

        Returns
        -------
        ndarray of shape (n, classes), float32
            Rows in the order of the images, columns in that of :attr:`classes`.

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :meth:`predict`.
        """
        return self._probabilities(listed(images), errors, progress)

    def embed(
        self, images: Images, *, normalize: bool = True, errors: OnError = "raise", progress: Watching = None
    ) -> NDArray[np.float32]:
        """Features of images under the prompt: the rows of ``vlpt embed --prompt``.

        Parameters
        ----------
        images : image, folder, or iterable of images
        normalize : bool, default True
            Features of length one, or of the length that the tower gives.
        errors : {"raise", "keep"}, default "raise"
            With ``"keep"`` an image that cannot be decoded has a row of NaN.
        progress : bool or callable, optional
            As in :meth:`predict`.

        Returns
        -------
        ndarray of shape (n, embed), float32

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :meth:`predict`.
        """
        keep = keeps(errors)

        def call(names: list[str], sources: list[Any], reporter: Reporter) -> tuple[NDArray[np.float32], list[Any]]:
            return self._predictor.features(names, sources, normalize, keep, reporter)

        return self._rows(listed(images), call, "embedding", progress)[0]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Copy the prompt folder, for :meth:`from_pretrained` and ``vlpt predict``.

        Parameters
        ----------
        folder : str or PathLike
            A folder that does not exist yet.

        Raises
        ------
        FileExistsError
            There is something already.
        ValueError
            A classifier of class names alone has no folder; that of one opened with ``classes=`` holds other classes.
        """
        own = self._own_folder()
        if self._options.get("classes") is not None:
            raise ValueError(
                f"it was opened with classes=, but the folder {own} holds the prompt's own classes\n"
                "hint: save it opened without classes=, and give classes= again when loading"
            )
        shutil.copytree(own, folder)

    def _probabilities(self, given: Listed, errors: str, progress: Watching) -> NDArray[np.float32]:
        return self._rows(given, self._call(errors), "classifying", progress)[0]

    def _own_folder(self) -> Path:
        if self.folder is None:
            raise ValueError(
                "a classifier of class names alone has no prompt folder\nhint: keep the class names and the model's name"
            )
        return self.folder

    def _call(self, errors: str) -> Call:
        keep = keeps(errors)

        def call(names: list[str], sources: list[Any], reporter: Reporter) -> tuple[NDArray[np.float32], list[Any]]:
            return self._predictor.probabilities(names, sources, keep, reporter)

        return call

    def _rows(
        self, given: Listed, call: Call, what: str, progress: Watching
    ) -> tuple[NDArray[np.float32], list[Any]]:
        turn, scale = self._predictor.applies_exif, self._predictor.scales_grey
        return rows(given, call, what, progress, turn=turn, scale=scale)

    def __repr__(self) -> str:
        names = ", ".join(self.classes[:5]) + (", ..." if len(self.classes) > 5 else "")
        return f"<vlpt.Classifier by {self.method}: {len(self.classes)} classes ({names})>"

    # It never changes, so it is its own copy.
    def __copy__(self) -> Classifier:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Classifier:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        folder = self._own_folder()
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        options = {**self._options, "model": self._options.get("model") or self._predictor.base_model}
        return _restored, (files, options)


def _restored(files: dict[str, bytes], options: dict[str, Any]) -> Classifier:
    """A classifier of the files of a prompt folder, as it comes out of a pickle."""
    home = TemporaryFolder()
    for name, data in files.items():
        Path(home.name, Path(name).name).write_bytes(data)
    classifier = Classifier.from_pretrained(home.name, progress=False, **options)
    classifier._keep = home
    return classifier
