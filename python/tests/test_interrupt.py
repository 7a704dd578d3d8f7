"""Long calls leave the interpreter to others, hear Ctrl-C, and tell how far they are."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import vlpt

#: Far more images than can be embedded in the time of a test.
MANY = "[np.full((600, 800, 3), 7, np.uint8)] * 100_000"


def interrupted(code: str, ready: str = "ready") -> tuple[str, float]:
    """What is printed by a program that Ctrl-C reaches when it has said that it is ready; seconds that it took."""
    program = "import sys, numpy as np, vlpt\n" + textwrap.dedent(code)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        assert line.strip() == ready, (line, child.communicate(timeout=10))
        time.sleep(0.5)
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        said, errors = child.communicate(timeout=60)
        return said + errors, time.monotonic() - began
    finally:
        child.kill()


def test_ctrl_c_ends_a_prediction(run):
    said, took = interrupted(
        f"""
        classifier = vlpt.Classifier.from_pretrained({str(run)!r})
        images = {MANY}
        print("ready", flush=True)
        try:
            classifier.predict_proba(images)
        except KeyboardInterrupt:
            print("interrupted", classifier.predict_proba(images[:2]).shape)
        """
    )
    assert "interrupted (2, 3)" in said, said
    assert took < 20


def test_ctrl_c_ends_a_tuning_and_leaves_nothing(photos, tmp_path):
    out = tmp_path / "run"
    said, took = interrupted(
        f"""
        class Told:
            def __call__(self, progress):
                if "held-out" in progress.what:
                    print("ready", flush=True)
        try:
            vlpt.tune({str(photos)!r}, out={str(out)!r}, minutes=10, progress=Told())
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert "interrupted" in said, said
    assert took < 30 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("phase", "images"),
    [
        ("packing images", f"({MANY})[:20_000]"),
        ("image features", "[np.full((224, 224, 3), number % 256, np.uint8) for number in range(4000)]"),
    ],
)
def test_ctrl_c_ends_a_tuning_that_looks_at_its_photos(tmp_path, phase, images):
    out = tmp_path / "run"
    said, took = interrupted(
        f"""
        begun = []
        def told(progress):
            if progress.what == {phase!r} and progress.done and not begun:
                begun.append(progress)
                print("ready", flush=True)
        images = {images}
        try:
            vlpt.tune(images, ["a", "b"] * (len(images) // 2), out={str(out)!r}, cache=False, broken="stop", progress=told)
        except KeyboardInterrupt:
            print("interrupted", vlpt.Clip.from_pretrained("mini-clip").encode_image(images[:2]).shape)
        """
    )
    assert "interrupted (2, 256)" in said, said
    assert took < 20 and list(tmp_path.iterdir()) == []


def test_a_handler_of_ones_own_is_called(run):
    said, _ = interrupted(
        f"""
        import signal
        def handler(number, frame):
            raise TimeoutError("mine")
        signal.signal(signal.SIGINT, handler)
        clip = vlpt.Clip.from_pretrained("mini-clip")
        print("ready", flush=True)
        try:
            clip.encode_image({MANY})
        except TimeoutError as error:
            print("raised", error)
        """
    )
    assert "raised mine" in said, said


def test_other_threads_go_on_meanwhile(run):
    classifier = vlpt.Classifier.from_pretrained(run)
    images = [np.full((600, 800, 3), 7, np.uint8)] * 200
    counted, end = [0], threading.Event()

    def count():
        while not end.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    began = time.monotonic()
    classifier.predict_proba(images)
    took = time.monotonic() - began
    end.set()
    thread.join()
    # a lock that was held would let it count once or twice
    assert counted[0] > 5 and counted[0] > 20 * took


def test_many_threads_may_use_one_classifier(run, new):
    classifier = vlpt.Classifier.from_pretrained(run)
    expected = classifier.predict_proba(new)
    made = [None] * 6

    def predict(place):
        made[place] = classifier.predict_proba(new)

    threads = [threading.Thread(target=predict, args=(place,)) for place in range(len(made))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(one, expected) for one in made)


def test_progress_is_told_in_the_thread_of_the_call(run, new):
    classifier = vlpt.Classifier.from_pretrained(run)
    told = []
    classifier.predict(new, progress=lambda progress: told.append((threading.get_ident(), progress)))
    assert {thread for thread, _ in told} == {threading.get_ident()}
    assert told[0][1] == vlpt.Progress("classifying", 0, 39)
    assert told[-1][1] == vlpt.Progress("classifying", 39, 39)


def test_what_a_progress_function_raises_ends_the_call(run, new):
    classifier = vlpt.Classifier.from_pretrained(run)

    def refuse(progress):
        if progress.done:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        classifier.predict([*new.iterdir()] * 10, progress=refuse)
    assert len(classifier.predict(new)) == 39


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_bars_are_drawn_on_standard_error(run, new, with_tqdm):
    hide = "" if with_tqdm else "sys.modules['tqdm'] = None\n"
    code = f"import sys\n{hide}import vlpt\nc = vlpt.Classifier.from_pretrained({str(run)!r})\n"
    shown = subprocess.run(
        [sys.executable, "-c", code + f"c.predict({str(new)!r}, progress=True)"],
        capture_output=True, text=True, check=True,
    )
    assert "classifying" in shown.stderr and "39" in shown.stderr and shown.stdout == ""
    silent = subprocess.run(
        [sys.executable, "-c", code + f"c.predict({str(new)!r})"], capture_output=True, text=True, check=True
    )
    assert silent.stderr == "" and silent.stdout == ""
