"""Turn a few photos into a classifier, by prompt tuning of a frozen CLIP.

================================  ===========================================================
``vlpt.tune(photos)``             makes the best classifier that labelled photos allow
``vlpt.Classifier``               a tuned prompt: classes with probabilities for images
``vlpt.Clip``                     a CLIP as it is: features, and classes by their names alone
``vlpt.sklearn.PromptClassifier`` the same as an estimator of scikit-learn
``vlpt.main()``                   the command line, as the script ``vlpt`` runs it
================================  ===========================================================

An image is a path, a ``PIL.Image``, the bytes of an image file, or an array (height, width, 3) of
``uint8``. All images of a call may be one image, a folder, a list of images, or an array (n, height, width, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._main import main

if TYPE_CHECKING:
    from ._classifier import Classifier
    from ._clip import Clip
    from ._errors import Error
    from ._images import Image, Images
    from ._predictions import Prediction, Predictions
    from ._progress import Progress
    from ._tuning import Estimate, Tuned, tune
    from ._vlpt import __version__

__all__ = [
    "Classifier",
    "Clip",
    "Error",
    "Estimate",
    "Image",
    "Images",
    "Prediction",
    "Predictions",
    "Progress",
    "Tuned",
    "__version__",
    "main",
    "tune",
]

# Where each name lives. Loaded when first asked for, so that the script `vlpt` starts without NumPy.
_PLACES = {
    "Classifier": "_classifier",
    "Clip": "_clip",
    "Error": "_errors",
    "Estimate": "_tuning",
    "Image": "_images",
    "Images": "_images",
    "Prediction": "_predictions",
    "Predictions": "_predictions",
    "Progress": "_progress",
    "Tuned": "_tuning",
    "__version__": "_vlpt",
    "tune": "_tuning",
}


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{place}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
