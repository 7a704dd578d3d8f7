"""Tuning: from a folder, from images with labels."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import vlpt
from conftest import SHAPES, draw_photos, drawn
from PIL import Image

QUICK = {"minutes": 0.3, "methods": ["gda"], "progress": False}


def test_a_folder_becomes_a_run_that_the_command_reads(run, new, vlpt_of_cargo):
    assert (run / "report.html").is_file() and (run / "tune.json").is_file()
    command = vlpt_of_cargo("predict", run, sorted(new.iterdir())[0])
    assert command.returncode == 0 and command.stderr == b""


def test_the_result_is_that_of_the_command(photos, vlpt_of_cargo, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    command = vlpt_of_cargo("tune", photos, "--out", theirs, "--minutes", 0.3, "--methods", "gda")
    assert command.returncode == 0, command.stderr
    made = vlpt.tune(photos, out=ours, **QUICK)
    for file in ("classifier.safetensors", "adapter_config.json", "class_names.txt"):
        assert (ours / "prompt" / file).read_bytes() == (theirs / "prompt" / file).read_bytes(), file
    record = json.loads((theirs / "tune.json").read_text())
    for key in ("estimate", "chosen", "why", "calibration", "confusion", "suspects", "photos", "data"):
        assert made.record[key] == record[key], key


def test_a_result_says_what_came_of_it(photos, tmp_path):
    made = vlpt.tune(str(photos), out=tmp_path / "run", **QUICK)
    assert made.report.is_file() and made.folder == tmp_path / "run"
    assert made.classifier.classes == list(SHAPES)
    assert made.estimate is not None and made.estimate.photos == 24
    assert 0 <= made.estimate.low <= made.estimate.value <= made.estimate.high <= 1
    assert made.method in {one["method"] for one in made.tried} and made.why in str(made)
    assert f"{100 * made.estimate.value:.1f} %" in str(made)
    with pytest.raises(FileExistsError, match="(?s)something already.*out="):
        vlpt.tune(photos, out=tmp_path / "run", **QUICK)


def test_the_folder_is_called_as_the_photos_are(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert vlpt.tune(photos, **QUICK).folder == Path("runs/photos")
    assert (tmp_path / "runs/photos/prompt").is_dir()


@pytest.mark.parametrize("given", [lambda path: [path], str, Path], ids=["a list", "a text", "a path"])
def test_more_photos_are_taken_in(photos, tmp_path, given):
    more = draw_photos(tmp_path / "more", 2, first=50)
    made = vlpt.tune(photos, add=given(more), out=tmp_path / "run", **QUICK)
    assert len(made.record["photos"]) == 30
    with pytest.raises(ValueError, match="result of an earlier tuning"):
        vlpt.tune(tmp_path / "run", out=tmp_path / "again", **QUICK)


def test_images_with_labels_are_as_good_as_a_folder(photos, new, tmp_path):
    files = sorted(photos.glob("*/*"))
    labels = [path.parent.name for path in files]
    # in the order of the files, where a folder's photos are drawn into splits and joined again
    paths = vlpt.tune(files, labels, out=tmp_path / "run", **QUICK)
    expected = paths.classifier.predict_proba(new)
    assert (tmp_path / "run/report.html").is_file()
    for kind, images in {
        "Pillow": [Image.open(path) for path in files],
        "arrays": [np.asarray(Image.open(path).convert("RGB")) for path in files],
        "bytes": [path.read_bytes() for path in files],
    }.items():
        made = vlpt.tune(images, labels, **QUICK)
        assert made.classifier.classes == list(SHAPES), kind
        assert np.array_equal(made.classifier.predict_proba(new), expected), kind
        assert made.estimate == paths.estimate, kind
    pair = vlpt.tune((files, labels), **QUICK)
    assert np.array_equal(pair.classifier.predict_proba(new), expected)


def test_labels_may_be_numbers_with_names(tmp_path):
    images = [drawn(shape, number) for shape in SHAPES for number in range(5)]
    labels = np.repeat([2, 0, 1], 5)
    made = vlpt.tune(images, labels, class_names={0: "square", 1: "triangle", 2: "circle"}, **QUICK)
    assert made.classifier.classes == ["square", "triangle", "circle"]
    with pytest.warns(UserWarning, match="class names are numbers"):
        plain = vlpt.tune(images, labels, **QUICK)
    assert plain.classifier.classes == ["0", "1", "2"]
    plain.classifier.save(tmp_path / "kept")
    del plain
    assert vlpt.Classifier.from_pretrained(tmp_path / "kept").classes == ["0", "1", "2"]


class NAType:
    """As the NA of pandas: neither like nor unlike anything."""

    __hash__ = object.__hash__

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")


@pytest.mark.parametrize(
    "missing",
    [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), NAType()],
    ids=lambda one: type(one).__name__,
)
def test_a_missing_label_is_no_class(missing):
    images = [np.zeros((8, 8, 3), np.uint8)] * 4
    with pytest.raises(ValueError, match=r"(?s)^labels\[3\] is .*missing.*leave out"):
        vlpt.tune(images, ["a", "b", "a", missing], **QUICK)
    with pytest.raises(ValueError, match=r"^labels\[3\] is .*missing"):
        vlpt.tune(images, np.array(["a", "b", "a", missing], dtype=object), **QUICK)


@pytest.mark.parametrize(
    ("labels", "kind", "found"),
    [
        (["a", ""], ValueError, r"labels\[1\] has the text ''"),
        (["a", " "], ValueError, r"labels\[1\] has the text ' '"),
        (["a", "b\nc"], ValueError, r"labels\[1\] has the text 'b\\nc': expected one line"),
        (["a", ["b"]], ValueError, r"labels\[1\] is a list: expected one label for each image"),
        (["a", ("b", "c")], ValueError, r"labels\[1\] is a tuple: expected one"),
        (["a", np.array(["b"])], ValueError, r"labels\[1\] is a ndarray: expected one"),
        (np.array([[0], [1]]), ValueError, r"labels\[0\] is a list: expected one"),
        (np.array([0.0, np.nan]), ValueError, r"labels\[1\] is nan"),
        ("ab", TypeError, "labels is of type str: expected a list"),
        (b"ab", TypeError, "labels is of type bytes"),
        ({"a", "b"}, TypeError, "labels is of type set"),
        (np.array("ab"), TypeError, "labels is of type str"),
    ],
)
def test_labels_that_are_none_are_named_by_their_place(labels, kind, found):
    images = [np.zeros((8, 8, 3), np.uint8)] * 2
    with pytest.raises(kind, match=f"^{found}"):
        vlpt.tune(images, labels, **QUICK)


@pytest.mark.parametrize(
    ("names", "kind", "found"),
    [
        (["cat", "dog"], TypeError, "class_names is of type list: expected a mapping"),
        ("cat", TypeError, "class_names is of type str"),
        ({"0": "cat", 1: "dog"}, ValueError, "(?s)class_names has '0', and no label is that.*labels are 0, 1"),
        ({0: None}, ValueError, r"class_names\[0\] is None: expected a text"),
        ({0: 7}, ValueError, r"class_names\[0\] is int"),
        ({0: ""}, ValueError, r"class_names\[0\] is empty"),
        ({0: "a\nb"}, ValueError, r"labels\[1\] has the text 'a\\nb'"),
    ],
)
def test_class_names_are_texts_of_labels(names, kind, found):
    images = [np.zeros((8, 8, 3), np.uint8)] * 2
    with pytest.raises(kind, match=found):
        vlpt.tune(images, [1, 0], class_names=names, **QUICK)


@pytest.mark.parametrize(
    ("names", "texts"),
    [(None, ["0", "1"]), ({}, ["0", "1"]), ({1: "dog"}, ["0", "dog"]), ({np.int64(0): np.str_("cat")}, ["cat", "1"])],
)
def test_a_label_without_a_name_keeps_its_text(names, texts):
    from vlpt._tuning import numbered

    for labels in ([1, 0, 1], np.array([1, 0, 1]), (label for label in (1, 0, 1))):
        assert numbered(labels, 3, names) == ([1, 0, 1], texts)


def test_broken_photos_are_left_out_and_named(photos, tmp_path):
    files = sorted(photos.glob("*/*"))
    labels = [path.parent.name for path in files]
    broken = tmp_path / "broken.png"
    broken.write_bytes(files[1].read_bytes()[:200])
    made = vlpt.tune([*files, broken], [*labels, "circle"], **QUICK)
    assert any("cannot be decoded" in note and "broken.png" in note for note in made.notes)
    assert len(made.record["photos"]) == len(files)
    with pytest.raises(vlpt.Error, match="broken.png"):
        vlpt.tune([*files, broken], [*labels, "circle"], broken="stop", **QUICK)


@pytest.mark.filterwarnings("ignore:.*only class:UserWarning")
def test_what_cannot_be_tuned_on_says_why(photos, tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="fewer than two classes"):
        vlpt.tune([image, image], ["a", "a"], **QUICK)
    with pytest.raises(ValueError, match="1 labels for 2 images"):
        vlpt.tune([image, image], ["a"], **QUICK)
    with pytest.raises(ValueError, match="images without labels"):
        vlpt.tune([image], **QUICK)
    with pytest.raises(ValueError, match="two labels have the text '1'"):
        vlpt.tune([image, image], [1, "1"], **QUICK)
    with pytest.raises(ValueError, match="minutes=-1: expected a number above 0"):
        vlpt.tune(photos, out=tmp_path / "a", minutes=-1)
    with pytest.raises(ValueError, match="minutes=1000"):
        vlpt.tune(photos, out=tmp_path / "a", minutes=1e300)
    with pytest.raises(ValueError, match="seed=-1"):
        vlpt.tune(photos, out=tmp_path / "a", seed=-1)
    with pytest.raises(ValueError, match='there is no method "gad"'):
        vlpt.tune(photos, out=tmp_path / "a", methods=["gad"])
    with pytest.raises(ValueError, match="reject_rate"):
        vlpt.tune(photos, out=tmp_path / "a", reject_rate=2)
    with pytest.raises(ValueError, match="shots=0"):
        vlpt.tune(photos, out=tmp_path / "a", shots=0)
    with pytest.raises(ValueError, match="exif='yes': expected 'apply' or 'ignore'"):
        vlpt.tune(photos, out=tmp_path / "a", exif="yes")
    with pytest.raises(ValueError, match="data set"):
        vlpt.tune(photos, out=photos / "a", **QUICK)
    with pytest.raises(FileNotFoundError):
        vlpt.tune(tmp_path / "nowhere", **QUICK)
    assert not (tmp_path / "a").exists() and not (photos / "a").exists()


def test_what_goes_on_is_told(photos, tmp_path):
    told: list[vlpt.Progress] = []
    vlpt.tune(photos, out=tmp_path / "run", minutes=0.3, methods=["gda"], cache=False, progress=told.append)
    phases = {one.what: one for one in told}
    assert any(one.total == 24 and one.done == 24 for one in phases.values()), phases
    assert any("gda: " in what and "held-out" in what for what in phases), phases


def test_the_command_goes_on_from_a_result(run, photos, tmp_path):
    command = [Path(__import__("sys").executable).with_name("vlpt"), "tune", run, "--minutes", "0.05"]
    made = subprocess.run([*command, "--out", tmp_path / "again"], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
