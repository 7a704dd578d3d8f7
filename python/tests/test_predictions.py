"""Answers are those of the command line, byte for byte, however images are given."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import vlpt
from PIL import Image


@pytest.fixture(scope="module")
def classifier(run: Path) -> vlpt.Classifier:
    return vlpt.Classifier.from_pretrained(run)


def test_json_has_the_bytes_of_the_command(classifier, run, new, vlpt_of_cargo):
    command = vlpt_of_cargo("predict", run, new, "--json")
    assert command.returncode == 0, command.stderr
    assert (classifier.predict(new).to_json() + "\n").encode() == command.stdout
    # and so has the list of the same files, whatever the batches and the number of threads
    one_thread = vlpt.Classifier.from_pretrained(run, threads=1)
    files = sorted(new.iterdir())
    assert (one_thread.predict(files).to_json() + "\n").encode() == command.stdout
    command = vlpt_of_cargo("predict", run, *files[:5], "--json", "-k", 1, "--threshold", 0.8)
    answers = classifier.predict(files[:5], top_k=1, threshold=0.8)
    assert (answers.to_json() + "\n").encode() == command.stdout


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_files_have_the_bytes_of_the_command(classifier, run, new, vlpt_of_cargo, tmp_path, ending):
    theirs, ours = tmp_path / f"theirs.{ending}", tmp_path / f"ours.{ending}"
    command = vlpt_of_cargo("predict", run, new, "--out", theirs, "--all-scores", "-k", 2)
    assert command.returncode == 0, command.stderr
    classifier.predict(new, top_k=2).save(ours, all_scores=True)
    assert ours.read_bytes() == theirs.read_bytes()


def test_prompts_in_the_image_tower_answer_alike(prompt, new, vlpt_of_cargo):
    command = vlpt_of_cargo("predict", prompt, new, "--json")
    classifier = vlpt.Classifier.from_pretrained(prompt)
    assert classifier.method == "vpt"
    assert (classifier.predict(new).to_json() + "\n").encode() == command.stdout


def test_pixels_answer_as_the_file_that_holds_them(classifier, new):
    files = sorted(new.iterdir())
    expected = classifier.predict_proba(files)
    opened = [Image.open(path) for path in files]
    arrays = [np.asarray(image.convert("RGB")) for image in opened]
    given = {
        "Pillow": opened,
        "arrays": arrays,
        "bytes": [path.read_bytes() for path in files],
        "a mix": [files[0], arrays[1], Image.open(files[2]), *files[3:]],
        "a generator": (path for path in files),
        "a tuple of texts": tuple(map(str, files)),
        "an array of texts": np.array([str(path) for path in files]),
    }
    for kind, images in given.items():
        assert np.array_equal(classifier.predict_proba(images), expected), kind
    square = np.stack([np.asarray(Image.open(path).convert("RGB").resize((50, 50))) for path in files[:4]])
    batch = classifier.predict_proba(square)
    assert np.array_equal(batch, np.concatenate([classifier.predict_proba(one) for one in square]))
    # rows that are not one after the other in memory
    assert np.array_equal(classifier.predict_proba(square[::-1]), batch[::-1])
    assert np.array_equal(classifier.predict_proba(square[:, :, ::-1][:, :, ::-1]), batch)


def test_many_images_of_pillow_are_converted_piece_by_piece(classifier):
    images = [Image.new("RGB", (8, 8), (number, 0, 0)) for number in range(150)]
    together = classifier.predict_proba(images)
    assert together.shape == (150, 3)
    assert np.array_equal(together[140:], classifier.predict_proba(images[140:]))


def test_a_photo_is_turned_alike_from_file_and_from_pillow(classifier, tmp_path, new):
    turned = tmp_path / "turned.jpg"
    image = Image.open(sorted(new.iterdir())[0])
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(turned, exif=exif)
    assert np.array_equal(classifier.predict_proba(Image.open(turned)), classifier.predict_proba(turned))


def test_an_answer_says_label_probability_and_the_most_probable_classes(classifier, new):
    answers = classifier.predict(new, threshold=0)
    assert len(answers) == 39 and answers.probabilities.shape == (39, 3)
    for answer, row in zip(answers, answers.probabilities):
        best = int(row.argmax())
        assert answer.label == classifier.classes[best] == answer.top[0][0]
        assert answer.probability == pytest.approx(float(row[best]))
        shares = [share for _, share in answer.top]
        assert shares == sorted(shares, reverse=True) and len(shares) == 3
    assert answers.labels[-1] == answers[-1].label
    assert [answer.image for answer in answers[1:3]] == [answers[1].image, answers[2].image]
    with pytest.raises(IndexError):
        answers[39]
    assert "39 images among 3 classes" in repr(answers) and "%" in str(answers)


def test_an_improbable_class_is_no_answer(classifier, new):
    assert classifier.threshold is not None
    strict = classifier.predict(new, threshold=1.0)
    sure = strict.probabilities.max(axis=1) >= 1
    assert [label is not None for label in strict.labels] == sure.tolist()
    own = classifier.predict(new)
    assert own.threshold == classifier.threshold
    assert '"predicted": "other"' in classifier.predict(new, threshold=1.0).to_json(none="other")
    with pytest.raises(ValueError, match="is a class"):
        own.to_json(none="circle")


def test_broken_images_raise_or_are_kept(classifier, run, new, vlpt_of_cargo, tmp_path):
    broken, absent = tmp_path / "broken.jpg", tmp_path / "absent.jpg"
    good = sorted(new.iterdir())[0]
    broken.write_bytes(good.read_bytes()[:300])
    with pytest.raises(vlpt.Error, match="broken.jpg: truncated JPEG"):
        classifier.predict([good, broken])
    with pytest.raises(FileNotFoundError, match="absent.jpg"):
        classifier.predict_proba([absent])
    answers = classifier.predict([broken, good, absent], errors="keep")
    command = vlpt_of_cargo("predict", run, broken, good, absent, "--json")
    assert command.returncode == 3
    assert (answers.to_json() + "\n").encode() == command.stdout
    assert "truncated" in answers[0].error and answers[0].label is None
    assert answers[1].error is None and answers[1].label is not None
    assert np.isnan(answers.probabilities[[0, 2]]).all()
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    vlpt_of_cargo("predict", run, broken, good, absent, "--out", theirs)
    answers.save(ours)
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are texts")
def test_names_that_are_no_text_are_read_and_shown(classifier, run, new, vlpt_of_cargo, tmp_path):
    odd = os.path.join(os.fsencode(tmp_path), b"photo-\xff.jpg")
    shutil.copy(sorted(new.iterdir())[0], odd)
    answers = classifier.predict(tmp_path)
    command = vlpt_of_cargo("predict", run, tmp_path, "--json")
    assert (answers.to_json() + "\n").encode() == command.stdout
    assert answers[0].image.endswith("photo-\ufffd.jpg")


def test_no_image_has_no_answer(classifier):
    assert classifier.predict([]).to_json() == "[]"
    assert classifier.predict_proba([]).shape == (0, 3)
    assert classifier.embed([]).shape[0] == 0


def test_other_classes_may_be_told_apart(prompt, new):
    classifier = vlpt.Classifier.from_pretrained(prompt, classes=["a red thing", "a blue thing"])
    assert classifier.classes == ["a red thing", "a blue thing"]
    assert classifier.predict_proba(new).shape == (39, 2)
    assert classifier.classes_.tolist() == classifier.classes


def test_a_prompt_opened_for_other_classes_is_not_saved(prompt, new, tmp_path):
    classifier = vlpt.Classifier.from_pretrained(prompt, classes=["a red thing", "a blue thing"])
    with pytest.raises(ValueError, match="(?s)opened with classes=.*prompt's own classes.*give classes= again"):
        classifier.save(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    # a pickle holds the classes beside the folder
    assert pickle.loads(pickle.dumps(classifier)).classes == classifier.classes


@pytest.mark.parametrize(
    ("options", "kind", "found"),
    [
        ({"top_k": 2.7}, TypeError, "top_k=2.7: expected a whole number"),
        ({"top_k": "2"}, TypeError, "top_k='2'"),
        ({"top_k": None}, TypeError, "top_k=None"),
        ({"top_k": True}, TypeError, "top_k=True"),
        ({"top_k": np.True_}, TypeError, "top_k="),
        ({"top_k": 0}, ValueError, "top_k=0: expected 1 or more"),
        ({"threshold": True}, TypeError, "threshold=True: expected a probability"),
        ({"threshold": np.False_}, TypeError, "threshold="),
        ({"threshold": 1.5}, ValueError, "threshold=1.5"),
        ({"threshold": float("nan")}, ValueError, "threshold=nan"),
    ],
)
def test_options_that_make_no_sense_are_refused(classifier, new, options, kind, found):
    with pytest.raises(kind, match=f"^{found}"):
        classifier.predict(new, **options)


def test_numbers_of_numpy_are_options(classifier, new):
    assert len(classifier.predict(new, top_k=np.int64(2), threshold=np.float32(0))[0].top) == 2


def test_probabilities_are_numpy_arrays_of_f32_that_sum_to_one(classifier, new):
    made = classifier.predict_proba(new)
    assert made.dtype == np.float32 and made.flags.c_contiguous and made.flags.writeable
    assert np.allclose(made.sum(axis=1), 1, atol=1e-5)
