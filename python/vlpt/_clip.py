"""A frozen CLIP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _vlpt
from ._calls import rows
from ._classifier import Classifier
from ._images import Images, listed
from ._options import OnError, Precision, keeps, model_name, several, thread_count
from ._predictions import Predictions
from ._progress import Reporter, Watching


class Clip:
    """A CLIP as it is: features of images and texts, and classes by their names alone.

    Made by :meth:`from_pretrained`. It never changes, and any number of threads may use it at once.

    Examples
    --------
    >>> import numpy as np, vlpt
    >>> clip = vlpt.Clip.from_pretrained("mini-clip")
    >>> red = np.full((32, 32, 3), [250, 10, 10], np.uint8)
    >>> images = clip.encode_image([red])
    >>> texts = clip.encode_text(["a red square", "a blue square"])
    >>> (clip.logit_scale * images @ texts.T).shape
    (1, 2)
    """

    def __init__(self, model: _vlpt.Model) -> None:
        self._model = model

    @classmethod
    def of(cls, classifier: Classifier) -> Clip:
        """The model of a classifier, which shares its weights.

        Parameters
        ----------
        classifier : Classifier
            Of a prompt folder, or of class names alone.

        Returns
        -------
        Clip
        """
        return cls(_vlpt.Model.of(classifier._predictor))

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str] | None = None,
        *,
        precision: Precision | None = None,
        threads: int | None = None,
        progress: Watching = None,
    ) -> Clip:
        """Find, download if need be, and load a model.

        Parameters
        ----------
        name : str or PathLike, optional
            A folder, ``org/name``, ``ViT-B-16/openai``, each with ``@revision``; ``mini-clip`` is built in. By default
            ``VLPT_MODEL``, or ``openai/clip-vit-base-patch32``.
        precision : {"auto", "f32", "bf16"}, optional
            Number format of the towers; by default ``VLPT_PRECISION``, or what the processor is fastest with.
        threads : int, optional
            Threads to compute with; by default ``VLPT_THREADS``, or one for each core. Results do not depend on it.
        progress : bool or callable, optional
            How it is shown that a download goes on: see :class:`vlpt.Progress`.

        Returns
        -------
        Clip

        Raises
        ------
        ValueError
            A name that stands for no model.
        OSError, vlpt.Error
            A model that cannot be downloaded, read or used.
        """
        with Reporter(progress) as reporter:
            model = _vlpt.Model.open(model_name(name), precision, thread_count(threads), reporter)
        return cls(model)

    @property
    def name(self) -> str:
        """The name it was found by."""
        return self._model.name

    @property
    def logit_scale(self) -> float:
        """What cosine similarities are multiplied by before the softmax, about 100."""
        return self._model.logit_scale

    @property
    def embed_dim(self) -> int:
        """Length of a feature."""
        return self._model.embed_dim

    @property
    def image_size(self) -> int:
        """Side of the square that the image tower sees, in pixels."""
        return self._model.image_size

    @property
    def context_length(self) -> int:
        """The most tokens of a text, start and end included."""
        return self._model.context_length

    @property
    def precision(self) -> str:
        """Number format of the towers' products: ``"f32"`` or ``"bf16"``."""
        return self._model.precision

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and tensors, the same for the same model in different file formats."""
        return self._model.fingerprint

    @property
    def threads(self) -> int:
        """Threads that calls compute with."""
        return self._model.threads

    def preprocess(self, images: Images, *, progress: Watching = None) -> NDArray[np.float32]:
        """What the image tower sees: images resized, cropped and normalised as Pillow and torchvision do.

        Parameters
        ----------
        images : image, folder, or iterable of images
        progress : bool or callable, optional
            As in :meth:`vlpt.Classifier.predict`.

        Returns
        -------
        ndarray of shape (n, 3, image_size, image_size), float32

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :meth:`vlpt.Classifier.predict`.
        """

        def call(names: list[str], sources: list[Any], reporter: Reporter) -> tuple[Any, list[Any]]:
            return self._model.pixels(names, sources, reporter), []

        return rows(listed(images), call, "preparing", progress)[0]

    def encode_image(
        self, images: Images, *, normalize: bool = True, errors: OnError = "raise", progress: Watching = None
    ) -> NDArray[np.float32]:
        """Features of images: the rows of ``vlpt embed``.

        Parameters
        ----------
        images : image, folder, or iterable of images
        normalize : bool, default True
            Features of length one, or of the length that the tower gives.
        errors : {"raise", "keep"}, default "raise"
            With ``"keep"`` an image that cannot be decoded has a row of NaN.
        progress : bool or callable, optional
            As in :meth:`vlpt.Classifier.predict`.

        Returns
        -------
        ndarray of shape (n, embed_dim), float32

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :meth:`vlpt.Classifier.predict`.
        """
        keep = keeps(errors)

        def call(names: list[str], sources: list[Any], reporter: Reporter) -> tuple[NDArray[np.float32], list[Any]]:
            return self._model.features(names, sources, normalize, keep, reporter)

        return rows(listed(images), call, "embedding", progress)[0]

    def encode_text(
        self, texts: str | Iterable[str], *, normalize: bool = True, truncate: bool = False
    ) -> NDArray[np.float32]:
        """Features of texts: the rows of ``vlpt embed --text``.

        Parameters
        ----------
        texts : str or iterable of str
        normalize : bool, default True
            Features of length one, or of the length that the tower gives.
        truncate : bool, default False
            Cut texts that are too long instead of refusing them.

        Returns
        -------
        ndarray of shape (n, embed_dim), float32

        Raises
        ------
        ValueError
            A text of more than :attr:`context_length` tokens.
        TypeError
            What is no text.
        """
        given = [texts] if isinstance(texts, str) else several(texts, "texts")
        with Reporter(False) as reporter:
            return self._model.text_features(given, truncate, normalize, reporter)

    def classifier(self, classes: Sequence[str], templates: str | Sequence[str] | None = None) -> Classifier:
        """A classifier of class names alone, without any tuning.

        Parameters
        ----------
        classes : sequence of str
            The class names.
        templates : str or sequence of str, optional
            Texts with ``{}`` for the name; the features of several are averaged. By default ``"a photo of a {}."``.

        Returns
        -------
        Classifier

        Raises
        ------
        ValueError
            No class, no template, or one without ``{}``.
        TypeError
            A class or a template that is no text.
        """
        names = several(classes, "classes")
        if templates is None:
            templates = _vlpt.DEFAULT_TEMPLATE
        texts = [templates] if isinstance(templates, str) else several(templates, "templates")
        with Reporter(False) as reporter:
            return Classifier(self._model.classifier(names, texts, reporter))

    def zero_shot(
        self,
        images: Images,
        classes: Sequence[str],
        *,
        templates: str | Sequence[str] | None = None,
        top_k: int = 3,
        threshold: float | None = None,
        errors: OnError = "raise",
        progress: Watching = None,
    ) -> Predictions:
        """Classify images by class names alone: the answers are those of ``vlpt zeroshot --classes``.

        Parameters
        ----------
        images : image, folder, or iterable of images
        classes, templates
            As in :meth:`classifier`.
        top_k, threshold, errors, progress
            As in :meth:`vlpt.Classifier.predict`.

        Returns
        -------
        Predictions

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :meth:`vlpt.Classifier.predict`.
        """
        classifier = self.classifier(classes, templates)
        return classifier.predict(images, top_k=top_k, threshold=threshold, errors=errors, progress=progress)

    def __repr__(self) -> str:
        return f"<vlpt.Clip {self.name}: {self.image_size} pixels, {self.embed_dim} numbers, {self.precision}>"
