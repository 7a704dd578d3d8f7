"""The part of vlpt that is written in Rust; import vlpt instead."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str
DEFAULT_MODEL: str
DEFAULT_TEMPLATE: str

def run(arguments: Sequence[str], program: str | PathLike[str] | None = None) -> int: ...
def thread_count(threads: int | None = None) -> int: ...
def images_of_folder(folder: str | PathLike[str]) -> tuple[list[Path], list[str]]: ...
def name_of(photos: str) -> str: ...
def to_json(
    classes: Sequence[str],
    names: Sequence[str],
    probabilities: NDArray[np.float32],
    errors: Sequence[str | None],
    top: int,
    threshold: float | None,
    none: str,
) -> str: ...
def save_rows(
    path: str | PathLike[str],
    classes: Sequence[str],
    names: Sequence[str],
    probabilities: NDArray[np.float32],
    errors: Sequence[str | None],
    top: int,
    scores: bool,
    threshold: float | None,
    none: str,
) -> None: ...
def tune(
    folders: Sequence[str],
    names: Sequence[str],
    images: Sequence[Any],
    labels: Sequence[int],
    classes: Sequence[str],
    wanted: dict[str, Any],
    reporter: Any,
) -> tuple[Predictor, list[str]]: ...
@final
class Predictor:
    @staticmethod
    def open(
        folder: str | PathLike[str],
        model: str | None,
        classes: Sequence[str] | None,
        precision_name: str | None,
        force: bool,
        threads: int,
        reporter: Any,
    ) -> Predictor: ...
    def probabilities(
        self, names: Sequence[str], images: Sequence[Any], keep: bool, reporter: Any
    ) -> tuple[NDArray[np.float32], list[str | None]]: ...
    def features(
        self, names: Sequence[str], images: Sequence[Any], normalize: bool, keep: bool, reporter: Any
    ) -> tuple[NDArray[np.float32], list[str | None]]: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def method(self) -> str: ...
    @property
    def base_model(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def applies_exif(self) -> bool: ...
    @property
    def scales_grey(self) -> bool: ...

@final
class Model:
    @staticmethod
    def of(predictor: Predictor) -> Model: ...
    @staticmethod
    def open(name: str, precision_name: str | None, threads: int, reporter: Any) -> Model: ...
    def features(
        self, names: Sequence[str], images: Sequence[Any], normalize: bool, keep: bool, reporter: Any
    ) -> tuple[NDArray[np.float32], list[str | None]]: ...
    def text_features(
        self, texts: Sequence[str], truncate: bool, normalize: bool, reporter: Any
    ) -> NDArray[np.float32]: ...
    def pixels(self, names: Sequence[str], images: Sequence[Any], reporter: Any) -> NDArray[np.float32]: ...
    def classifier(self, classes: Sequence[str], templates: Sequence[str], reporter: Any) -> Predictor: ...
    @property
    def name(self) -> str: ...
    @property
    def logit_scale(self) -> float: ...
    @property
    def embed_dim(self) -> int: ...
    @property
    def image_size(self) -> int: ...
    @property
    def context_length(self) -> int: ...
    @property
    def precision(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def threads(self) -> int: ...
