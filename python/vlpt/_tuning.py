"""From labelled photos to the best classifier that they allow."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import _vlpt
from ._classifier import Classifier
from ._images import Images, Listed, is_path, is_pillow, listed, pixels_of_pillow
from ._options import Precision, kind, model_name, several, thread_count
from ._progress import Reporter, Watching
from ._temporary import TemporaryFolder


@dataclass(frozen=True)
class Estimate:
    """What a classifier is expected to do with new photos like those that it was tuned on.

    Attributes
    ----------
    value, low, high : float
        The share that it gets right, from 0 to 1, and the ends of its interval; corrected for having chosen the best
        of several candidates.
    confidence : float
        How often such intervals hold the truth.
    photos : int
        Photos behind it, each judged by a classifier that had not seen it.
    uncorrected : float
        The share before the correction, which is too good.
    """

    value: float
    low: float
    high: float
    confidence: float
    photos: int
    uncorrected: float

    def __str__(self) -> str:
        ends = f"{100 * self.confidence:.0f} % interval {100 * self.low:.1f} to {100 * self.high:.1f} %"
        return f"{100 * self.value:.1f} % ({ends})"


@dataclass(frozen=True)
class Tuned:
    """What :func:`tune` made.

    Attributes
    ----------
    folder : Path
        The run folder, as ``vlpt tune`` writes it.
    classifier : Classifier
        The best classifier that was found, fitted to all photos.
    record : dict
        Everything that is known of the result: what stands in ``tune.json``.
    notes : list of str
        What the reader should know first.
    """

    folder: Path
    classifier: Classifier
    record: dict[str, Any]
    notes: list[str]

    @property
    def estimate(self) -> Estimate | None:
        """The expected accuracy; None where too few photos could be held out."""
        found = self.record["estimate"]
        return None if found is None else Estimate(**found)

    @property
    def report(self) -> Path:
        """The report for people: learning curve, confusions, photos that may be labelled wrong."""
        return self.folder / "report.html"

    @property
    def method(self) -> str:
        """The method that was chosen."""
        return str(self.record["chosen"])

    @property
    def why(self) -> str:
        """Why it was chosen, in a sentence."""
        return str(self.record["why"])

    @property
    def tried(self) -> list[dict[str, Any]]:
        """All candidates in the order in which they were tried.

        Each has ``method``, ``share`` of the held-out photos that it was right on or None, ``left_out``, the reason where
        it was not tried, or None, and ``seconds``.
        """
        return [{"share": None, "left_out": None, **one} for one in self.record["tried"]]

    def __str__(self) -> str:
        expected = "accuracy not estimated" if self.estimate is None else f"expected accuracy {self.estimate}"
        return "\n".join([f"{self.method}: {expected}", self.why, *self.notes])


def tune(
    photos: Images | tuple[Images, Iterable[Hashable] | NDArray[Any]],
    labels: Iterable[Hashable] | NDArray[Any] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    add: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    minutes: float = 10.0,
    methods: Sequence[str] | None = None,
    shots: int | None = None,
    seed: int = 1,
    class_names: Mapping[Any, str] | None = None,
    model: str | os.PathLike[str] | None = None,
    precision: Precision | None = None,
    reject_rate: float = 0.05,
    exif: Literal["apply", "ignore"] = "apply",
    broken: Literal["skip", "stop"] = "skip",
    cache: bool | str | os.PathLike[str] = True,
    threads: int | None = None,
    progress: Watching = None,
) -> Tuned:
    """Make the best classifier that photos allow, and say how good it is: ``vlpt tune``.

    Class names alone, fits to features, and prompts are tried as far as the time goes. Each is judged on photos that it
    has not seen; the best of the cheapest kind that is not clearly behind is taken and fitted to all photos.

    Parameters
    ----------
    photos : str, PathLike, or images
        A folder with a folder for each class, or any other data set; or images, of which ``labels`` says the classes.
        ``(images, labels)`` is the same in one argument.
    labels : iterable, optional
        The class of each image, none missing. The text of a class is ``str(label)``, or what ``class_names`` has.
    out : str or PathLike, optional
        The folder to write, which must not exist; by default ``runs/`` and the name of the photos' folder. Of images, by
        default a temporary folder that goes with the result; :meth:`vlpt.Classifier.save` keeps the classifier.
    add : str, PathLike, or iterable of them
        More folders of photos of the same classes.
    minutes : float, default 10
        How long it may take, features of the photos included.
    methods : sequence of str, optional
        Try these methods alone, beside class names alone; by default all that fit the time.
    shots : int, optional
        Photos of each class to use, drawn by the seed; by default all.
    seed : int, default 1
        Seed of folds, draws and fits. Results depend on it, on the photos and on what the time allows.
    class_names : mapping, optional
        Texts of labels, such as ``{0: "cat", 1: "dog"}``; a label without one keeps its own.
    model : str or PathLike, optional
        The model: a folder, ``org/name``, ``ViT-B-16/openai``; by default ``VLPT_MODEL``, or
        ``openai/clip-vit-base-patch32``. ``mini-clip`` is built in: right for trying, too weak for real work.
    precision : {"auto", "f32", "bf16"}, optional
        Number format of the towers; by default ``VLPT_PRECISION``, or what the processor is fastest with.
    reject_rate : float, default 0.05
        Share of photos of the classes that the threshold may reject as none of them.
    exif : {"apply", "ignore"}, default "apply"
        Whether photos are turned as their EXIF data says. The prompt remembers it.
    broken : {"skip", "stop"}, default "skip"
        What becomes of photos that cannot be decoded: they are left out and listed, or the first raises.
    cache : bool, str or PathLike, default True
        Where features are kept: in ``VLPT_CACHE_DIR`` or ``vlpt`` below the user's cache folder; nowhere; or in a folder.
    threads : int, optional
        Threads to compute with; by default ``VLPT_THREADS``, or one for each core. Results do not depend on it.
    progress : bool or callable, optional
        As in :meth:`vlpt.Classifier.predict`; each candidate is told as it is judged.

    Returns
    -------
    Tuned

    Raises
    ------
    ValueError
        Options that make no sense, photos of fewer than two classes, labels that are not as many as images or of
        which one is missing, ``class_names`` of what is no label.
    TypeError
        Labels, names or options of another type.
    OSError
        A folder that is not there, is taken (``FileExistsError``), or cannot be written.
    vlpt.Error
        Photos or a model that cannot be used.
    KeyboardInterrupt
        Ctrl-C; nothing was written then.

    Examples
    --------
    >>> import vlpt
    >>> result = vlpt.tune("photos", minutes=2)  # doctest: +SKIP
    >>> print(result.estimate)  # doctest: +SKIP
    96.0 % (95 % interval 91.2 to 99.1 %)
    >>> result.classifier.predict("new/")  # doctest: +SKIP
    """
    source: Any = photos
    if labels is None and isinstance(source, tuple) and len(source) == 2 and not is_path(source[0]):
        source, labels = source
    for name, value in (("seed", seed), ("shots", shots)):
        if value is not None and value < 0:
            raise ValueError(f"{name}={value}: expected no negative number")
    check_choices(exif=(exif, ("apply", "ignore")), broken=(broken, ("skip", "stop")))
    home: TemporaryFolder | None = None
    more = [add] if isinstance(add, (str, os.PathLike)) else list(add)
    folders: list[str] = []
    given = Listed([], [])
    numbers: list[int] = []
    names: list[str] = []
    if labels is None:
        if not is_path(source):
            raise ValueError("images without labels\nhint: give labels, a class for each image")
        folders = [os.fspath(folder) for folder in [source, *more]]
        target = Path("runs", _vlpt.name_of(folders[0])) if out is None else Path(out)
    else:
        if more:
            raise ValueError("add= has folders of photos, but images were given\nhint: put all into the images")
        given = listed(source, folders=False)
        numbers, names = numbered(labels, len(given), class_names)
        if out is None:
            home = TemporaryFolder()
            target = Path(home.name, "images")
        else:
            target = Path(out)
    turn = exif == "apply"
    sources = [
        pixels_of_pillow(image, name, turn=turn) if is_pillow(image) else image
        for image, name in zip(given.images, given.names)
    ]
    wanted = {
        "out": os.fspath(target),
        "model": model_name(model),
        "precision": precision,
        "threads": thread_count(threads),
        "minutes": float(minutes),
        "methods": [] if methods is None else several(methods, "methods"),
        "shots": shots,
        "seed": seed,
        "reject_rate": float(reject_rate),
        "cache": os.environ.get("VLPT_CACHE_DIR") or None if isinstance(cache, bool) else os.fspath(cache),
        "keep_cache": cache is not False,
        "skip_broken": broken == "skip",
        "apply_exif": turn,
    }
    with Reporter(progress) as reporter:
        predictor, notes = _vlpt.tune(folders, given.names, sources, numbers, names, wanted, reporter)
    record = json.loads((target / "tune.json").read_text(encoding="utf-8"))
    options = {"model": wanted["model"], "precision": precision, "threads": threads}
    return Tuned(target, Classifier(predictor, options, home), record, notes)


def numbered(
    labels: Iterable[Hashable] | NDArray[Any], count: int, class_names: Mapping[Any, str] | None
) -> tuple[list[int], list[str]]:
    """Labels as places in the list of class names, which is in the order of the labels."""
    given: Any = labels.tolist() if hasattr(labels, "tolist") else labels
    if isinstance(given, (str, bytes, bytearray, set, frozenset)):
        raise TypeError(f"labels is of type {kind(given)}: expected a list with a label for each image, in their order")
    values: list[Any] = list(given)
    if len(values) != count:
        raise ValueError(f"{len(values)} labels for {count} images: expected one for each image")
    for place, value in enumerate(values):
        check_label(value, f"labels[{place}]")
    distinct = set(values)
    try:
        order = sorted(distinct)
    except TypeError:
        order = sorted(distinct, key=str)
    texts = checked_names(class_names, distinct)
    names = [texts.get(label, str(label)) for label in order]
    place_of = {label: place for place, label in enumerate(order)}
    for place, name in enumerate(names):
        if not name.strip() or "\n" in name or "\r" in name:
            first = next(at for at, value in enumerate(values) if place_of[value] == place)
            raise ValueError(
                f"labels[{first}] has the text {name!r}: expected one line that is not empty\n"
                "hint: give it another text with class_names, or leave out images without a label"
            )
        if names.index(name) != place:
            raise ValueError(f"two labels have the text {name!r}\nhint: give them other texts with class_names")
    return [place_of[value] for value in values], names


def check_label(label: Any, name: str) -> None:
    """Refuses what says the class of no image, or of several."""
    try:
        hash(label)
        single = not isinstance(label, (tuple, np.ndarray))
    except TypeError:
        single = False
    if not single:
        raise ValueError(f"{name} is a {kind(label)}: expected one label for each image")
    if is_missing(label):
        raise ValueError(f"{name} is {label}: a missing label is no class\nhint: leave out images without a label")


def is_missing(label: Any) -> bool:
    """Whether it is None, NaN or NaT, which are unlike themselves, or the NA of pandas, which says neither."""
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):
        return type(label).__name__ == "NAType"


def checked_names(class_names: Mapping[Any, str] | None, labels: set[Any]) -> Mapping[Any, str]:
    """The texts that a user gave to labels."""
    if class_names is None:
        return {}
    if not isinstance(class_names, Mapping):
        raise TypeError(
            f"class_names is of type {kind(class_names)}: expected a mapping of labels to texts\n"
            'hint: such as {0: "cat", 1: "dog"}'
        )
    for label, text in class_names.items():
        if not isinstance(text, str):
            raise ValueError(f"class_names[{label!r}] is {kind(text)}: expected a text")
        if not text.strip():
            raise ValueError(f"class_names[{label!r}] is empty: expected a text")
    strange = [repr(label) for label in class_names if label not in labels]
    if strange:
        named = ", ".join(strange[:5]) + (", ..." if len(strange) > 5 else "")
        known = sorted(map(repr, labels))
        here = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "")
        raise ValueError(f"class_names has {named}, and no label is that\nhint: labels are {here}")
    return {label: str(text) for label, text in class_names.items()}


def check_choices(**choices: tuple[str, tuple[str, ...]]) -> None:
    for name, (found, expected) in choices.items():
        if found not in expected:
            raise ValueError(f"{name}={found!r}: expected {' or '.join(map(repr, expected))}")
