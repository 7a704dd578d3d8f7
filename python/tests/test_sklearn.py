"""The estimator, as scikit-learn uses one."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import SHAPES, drawn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data
from vlpt.sklearn import PromptClassifier

#: Numbers for labels are fine here, and said to be poor names for classes.
pytestmark = pytest.mark.filterwarnings("ignore:class names are numbers:UserWarning")

QUICK = {"minutes": 0.2, "methods": ["gda"]}


@pytest.fixture(scope="module")
def data(photos: Path) -> tuple[list[str], list[str]]:
    files = sorted(photos.glob("*/*"))
    return [str(path) for path in files], [path.parent.name for path in files]


def arrays(each: int) -> tuple[np.ndarray, np.ndarray]:
    images = [drawn(shape, number).resize((64, 64)) for shape in SHAPES for number in range(each)]
    return np.stack([np.asarray(image) for image in images]), np.repeat([5, 3, 4], each)


def test_it_fits_predicts_and_scores(data, new):
    paths, labels = data
    fitted = PromptClassifier(**QUICK).fit(paths, labels)
    assert fitted.classes_.tolist() == list(SHAPES)
    shares = fitted.predict_proba(sorted(new.iterdir()))
    assert shares.shape == (39, 3) and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(fitted.predict(sorted(new.iterdir())), fitted.classes_[shares.argmax(axis=1)])
    assert fitted.score(paths, labels) > 0.5
    assert fitted.estimate_ is not None and fitted.method_ in ("gda", "zero-shot")
    assert np.array_equal(PromptClassifier(**QUICK).fit(paths, labels).predict_proba(paths), fitted.predict_proba(paths))


def test_an_element_is_one_image_and_no_folder(data, new):
    fitted = PromptClassifier(**QUICK).fit(*data)
    with pytest.raises((OSError, ValueError, RuntimeError)):
        fitted.predict([str(new)])


def test_labels_come_back_as_they_were(data):
    images, labels = arrays(4)
    fitted = PromptClassifier(**QUICK, class_names={5: "circle", 3: "square", 4: "triangle"}).fit(images, labels)
    assert fitted.classes_.tolist() == [3, 4, 5]
    assert fitted.classifier_.classes == ["square", "triangle", "circle"]
    assert fitted.predict(images).dtype == labels.dtype
    assert fitted.score(images, labels) > 0.5
    truths = PromptClassifier(**QUICK).fit(images, labels == 5)
    assert truths.classes_.tolist() == [False, True] and set(truths.predict(images)) <= {False, True}


def test_class_names_may_have_labels_that_a_fold_lacks():
    images, labels = arrays(4)
    names = {3: "square", 4: "triangle", 5: "circle", 9: "star"}
    fitted = PromptClassifier(**QUICK, class_names=names).fit(images, labels)
    assert fitted.classifier_.classes == ["square", "triangle", "circle"]
    with pytest.raises(ValueError, match="class_names has '3', '4', and no label is that"):
        PromptClassifier(**QUICK, class_names={"3": "square", "4": "triangle"}).fit(images, labels)


@pytest.mark.parametrize("missing", [None, float("nan"), np.datetime64("NaT")], ids=str)
def test_a_missing_label_is_no_class(data, missing):
    paths, labels = data
    broken = [*labels[:3], missing, *labels[4:]]
    for y in (broken, np.array(broken, dtype=object)):
        with pytest.raises(ValueError, match=r"(?s)^y\[3\] is .*missing.*leave out"):
            PromptClassifier(**QUICK).fit(paths, y)


def test_it_is_cross_validated_on_lists_of_paths_and_on_arrays(data):
    paths, labels = data
    scores = cross_val_score(PromptClassifier(**QUICK), paths, labels, cv=2)
    assert scores.shape == (2,) and np.isfinite(scores).all()
    images, numbers = arrays(4)
    made = cross_val_predict(PromptClassifier(**QUICK), images, numbers, cv=2, method="predict_proba")
    assert made.shape == (12, 3)


def test_it_is_searched_over_in_a_pipeline(data):
    images, labels = arrays(4)
    pipeline = Pipeline([("darker", FunctionTransformer(lambda x: x // 2, validate=False)), ("prompt", PromptClassifier(**QUICK))])
    search = GridSearchCV(pipeline, {"prompt__methods": [["gda"], ["lp++"]]}, cv=2, error_score="raise").fit(images, labels)
    assert search.best_params_["prompt__methods"] in (["gda"], ["lp++"])
    assert search.predict(images).shape == (12,)


def test_parameters_are_got_and_set_and_cloned():
    estimator = PromptClassifier(shots=4, random_state=7)
    assert estimator.get_params()["shots"] == 4
    assert clone(estimator.set_params(shots=2)).shots == 2
    assert "shots=2" in repr(estimator)
    with pytest.raises(ValueError, match="Invalid parameter"):
        estimator.set_params(nothing=1)


def test_what_was_fitted_goes_through_a_pickle(data):
    paths, labels = data
    fitted = PromptClassifier(**QUICK).fit(paths, labels)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(paths), fitted.predict_proba(paths))


def test_misuse_is_told(data):
    paths, labels = data
    with pytest.raises(NotFittedError):
        PromptClassifier().predict(paths)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PromptClassifier(**QUICK).fit(paths, labels[:-1])
    with pytest.raises(ValueError, match="one class alone"):
        PromptClassifier(**QUICK).fit(paths[:3], labels[:3])
    with pytest.raises(ValueError, match="continuous"):
        PromptClassifier(**QUICK).fit(paths, np.linspace(0, 1, len(paths)))
    with pytest.raises(ValueError, match="there is no method"):
        PromptClassifier(methods=["nothing"]).fit(paths, labels)


class OfTables(PromptClassifier):
    """Draws each row of a table as an image, because scikit-learn's checks know tables alone."""

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        return super().fit(self._images(X), y)

    def predict_proba(self, X):
        check_is_fitted(self)
        return super().predict_proba(self._images(validate_data(self, X, reset=False)))

    @staticmethod
    def _images(table):
        levels = (127.5 + 127.5 * np.tanh(np.asarray(table, dtype=float))).astype(np.uint8)
        return np.repeat(levels[:, :, None, None], 16, axis=2).repeat(3, axis=3)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        tags.no_validation = False
        # a CLIP has never seen a table, and the small one sees little
        tags.classifier_tags.poor_score = True
        return tags


@pytest.mark.filterwarnings("ignore")
def test_the_checks_of_scikit_learn_pass():
    """All of them, so that none is named as expected to fail; two are skipped for what is not installed."""
    estimator = OfTables(minutes=0.02, methods=["gda"], cache=False)
    outcomes = check_estimator(estimator, expected_failed_checks={}, on_fail=None, on_skip=None)
    failed = {one["check_name"]: one["exception"] for one in outcomes if one["status"] == "failed"}
    assert not failed, failed
    skipped = {one["check_name"] for one in outcomes if one["status"] == "skipped"}
    assert skipped <= {"check_array_api_input", "check_classifier_data_not_an_array"}, skipped
    passed = [one["check_name"] for one in outcomes if one["status"] == "passed"]
    assert len(passed) >= 50, passed


def test_an_estimator_of_images_does_not_claim_to_take_tables():
    tags = PromptClassifier().__sklearn_tags__()
    assert not tags.input_tags.two_d_array and tags.target_tags.required
    with pytest.raises(ValueError, match=r"array of shape \(4, 2\)"):
        PromptClassifier(**QUICK).fit(np.zeros((4, 2), np.uint8), [0, 1, 0, 1])
