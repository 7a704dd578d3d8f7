"""``PromptClassifier``: prompt tuning as an estimator of scikit-learn, which has to be installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ._images import listed
from ._options import Precision
from ._progress import Watching
from ._tuning import Estimate, is_missing, tune

__all__ = ["PromptClassifier"]


class PromptClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of images by prompt tuning of a frozen CLIP.

    ``X`` is a list of paths, of images of Pillow or of arrays (height, width, 3) of ``uint8``, or one array
    (n, height, width, 3). ``fit`` is :func:`vlpt.tune`, so with several methods it chooses among them by
    cross-validation of its own. Features of images are kept in the cache, so the next fit on the same images is quick.

    Parameters
    ----------
    methods : sequence of str, optional
        Methods to choose from, beside class names alone; by default all that fit the time.
    minutes : float, default 2
        How long a fit may take.
    shots : int, optional
        Images of each class to use; by default all.
    model : str or PathLike, optional
        The model: a folder, ``org/name``, ``ViT-B-16/openai``, or the small built-in ``mini-clip``; by default
        ``VLPT_MODEL``, or ``openai/clip-vit-base-patch32``.
    class_names : mapping, optional
        Texts of labels, such as ``{0: "cat", 1: "dog"}``; by default ``str(label)``.
        Labels that a fit does not have may be among them.
    precision : {"auto", "f32", "bf16"}, optional
        Number format of the towers.
    cache : bool, str or PathLike, default True
        Where features of images are kept: see :func:`vlpt.tune`.
    threads : int, optional
        Threads to compute with; by default ``VLPT_THREADS``, or one for each core.
    random_state : int, optional
        Seed of folds, draws and fits; by default 1, so that fits are reproducible.
    progress : bool or callable, default False
        Whether fits and predictions show how far they are.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    classifier_ : vlpt.Classifier
        What was fitted.
    method_ : str
        The method that was chosen.
    estimate_ : vlpt.Estimate or None
        The expected accuracy, None where too few images could be held out.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from vlpt.sklearn import PromptClassifier
    >>> cross_val_score(PromptClassifier(), paths, labels)  # doctest: +SKIP
    array([0.95, 1.  , 0.9 , 1.  , 0.95])
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        *,
        methods: Any = None,
        minutes: float = 2.0,
        shots: int | None = None,
        model: Any = None,
        class_names: Mapping[Any, str] | None = None,
        precision: Precision | None = None,
        cache: Any = True,
        threads: int | None = None,
        random_state: int | None = None,
        progress: Watching = False,
    ) -> None:
        self.methods = methods
        self.minutes = minutes
        self.shots = shots
        self.model = model
        self.class_names = class_names
        self.precision = precision
        self.cache = cache
        self.threads = threads
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any) -> PromptClassifier:
        """Tune on images and their labels.

        Parameters
        ----------
        X : images
        y : array-like of shape (n,)

        Returns
        -------
        PromptClassifier
            Itself.

        Raises
        ------
        ValueError, OSError, vlpt.Error
            As :func:`vlpt.tune`.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        # of objects, because among texts a missing label would become one
        for place, label in enumerate(np.asarray(y, dtype=object).ravel()):
            if is_missing(label):
                hint = "leave out images without a label"
                raise ValueError(f"y[{place}] is {label}: a missing label is no class\nhint: {hint}")
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        images = listed(X, folders=False)
        if len(images) != len(y):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[len(images), len(y)]}")
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(f"images of one class alone, {classes.tolist()}: nothing is to be told apart")
        names = self.class_names
        if isinstance(names, Mapping):
            # a fold of a cross-validation may lack a class; where all are of another type, tune says so
            names = {label: text for label, text in names.items() if label in classes.tolist()} or names
        tuned = tune(
            images.images,
            y.tolist(),
            minutes=self.minutes,
            methods=self.methods,
            shots=self.shots,
            seed=1 if self.random_state is None else self.random_state,
            class_names=names,
            model=self.model,
            precision=self.precision,
            cache=self.cache,
            threads=self.threads,
            progress=self.progress,
        )
        self.classes_ = classes
        self.classifier_ = tuned.classifier
        self.method_ = tuned.method
        self.estimate_: Estimate | None = tuned.estimate
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : images

        Returns
        -------
        ndarray of shape (n, n_classes), float32
            Columns in the order of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        ValueError, OSError, vlpt.Error
            As :meth:`vlpt.Classifier.predict`.
        """
        check_is_fitted(self)
        return self.classifier_._probabilities(listed(X, folders=False), "raise", self.progress)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each image.

        Parameters
        ----------
        X : images

        Returns
        -------
        ndarray of shape (n,)
            Elements of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        ValueError, OSError, vlpt.Error
            As :meth:`vlpt.Classifier.predict`.
        """
        places = self.predict_proba(X).argmax(axis=1)
        chosen: NDArray[Any] = self.classes_[places]
        return chosen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        tags.requires_fit = True
        return tags
