"""Processes, threads, pickles and imports."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import vlpt

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def probabilities(classifier: vlpt.Classifier, images: list[str]) -> np.ndarray:
    return classifier.predict_proba(images)


def child(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    program = "import sys, os, numpy as np, vlpt\n" + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | variables,
    )


@forks
def test_a_forked_process_starts_threads_of_its_own(run, new):
    made = child(
        f"""
        classifier = vlpt.Classifier.from_pretrained({str(run)!r}, threads=2)
        expected = classifier.predict_proba({str(new)!r})
        for turn in range(3):
            number = os.fork()
            if number == 0:
                same = np.array_equal(classifier.predict_proba({str(new)!r}), expected)
                os._exit(0 if same else 1)
            print(os.waitpid(number, 0)[1])
        print(np.array_equal(classifier.predict_proba({str(new)!r}), expected))
        """
    )
    assert made.stdout.split() == ["0", "0", "0", "True"], made.stderr


@forks
def test_a_fork_in_the_middle_of_a_call_is_told_instead_of_hanging(run):
    made = child(
        f"""
        import threading, time
        classifier = vlpt.Classifier.from_pretrained({str(run)!r})
        images = [np.zeros((600, 800, 3), np.uint8)] * 300
        begun = threading.Event()
        told = lambda progress: begun.set() if progress.done else None
        thread = threading.Thread(target=classifier.predict_proba, args=(images,), kwargs=dict(progress=told))
        thread.start()
        begun.wait()
        number = os.fork()
        if number == 0:
            try:
                classifier.predict_proba(images[:1])
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.waitpid(number, 0)
        thread.join()
        """
    )
    assert "forked while another thread was inside a call of vlpt" in made.stdout, made.stderr
    assert 'get_context("spawn")' in made.stdout


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_of_every_kind_answer_alike(run, new, method):
    classifier = vlpt.Classifier.from_pretrained(run)
    files = [str(path) for path in sorted(new.iterdir())]
    expected = classifier.predict_proba(files)
    with multiprocessing.get_context(method).Pool(2) as pool:
        made = pool.starmap(probabilities, [(classifier, files[:20]), (classifier, files[20:])])
    assert np.array_equal(np.concatenate(made), expected)


def test_a_classifier_goes_through_a_pickle(run, prompt, new):
    for folder in (run, prompt):
        classifier = vlpt.Classifier.from_pretrained(folder)
        again = pickle.loads(pickle.dumps(classifier))
        assert np.array_equal(again.predict_proba(new), classifier.predict_proba(new))
        assert again.threshold == classifier.threshold
    assert copy.deepcopy(classifier) is classifier and copy.copy(classifier) is classifier
    names = vlpt.Clip.from_pretrained().classifier(["a", "b"])
    with pytest.raises(ValueError, match="class names alone"):
        pickle.dumps(names)
    error = pickle.loads(pickle.dumps(vlpt.Error("what", "way out")))
    assert (error.message, error.hint) == ("what", "way out")


def test_threads_are_as_asked_for_or_as_the_environment_says(run, monkeypatch):
    assert vlpt.Classifier.from_pretrained(run, threads=3).threads == 3
    monkeypatch.setenv("VLPT_THREADS", "2")
    assert vlpt.Clip.from_pretrained("mini-clip").threads == 2
    assert vlpt.Clip.from_pretrained("mini-clip", threads=1).threads == 1
    monkeypatch.setenv("VLPT_THREADS", "")
    assert vlpt.Clip.from_pretrained("mini-clip").threads == len(os.sched_getaffinity(0))
    monkeypatch.setenv("VLPT_THREADS", "many")
    with pytest.raises(ValueError, match="VLPT_THREADS=many"):
        vlpt.Clip.from_pretrained("mini-clip")
    with pytest.raises(ValueError, match="threads=0: expected 1 or more"):
        vlpt.Clip.from_pretrained("mini-clip", threads=0)
    with pytest.raises(ValueError, match="threads=100000"):
        vlpt.Clip.from_pretrained("mini-clip", threads=100_000)


def test_kernels_that_there_are_not_are_refused():
    made = child(
        """
        try:
            vlpt.Clip.from_pretrained("mini-clip")
        except ValueError as error:
            print(error)
        """,
        VLPT_KERNELS="mmx",
    )
    assert "mmx" in made.stdout and "this processor has" in made.stdout, made.stderr


def test_the_package_needs_no_numpy_to_be_imported():
    made = subprocess.run(
        [sys.executable, "-c", "import sys, vlpt; print('numpy' in sys.modules, vlpt.__version__)"],
        capture_output=True, text=True, check=True,
    )
    assert made.stdout.split()[0] == "False"


def test_the_package_lists_what_it_has():
    assert set(vlpt.__all__) <= set(dir(vlpt))
    for name in vlpt.__all__:
        assert getattr(vlpt, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        vlpt.nothing
