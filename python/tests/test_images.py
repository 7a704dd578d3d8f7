"""What is no image says what was found and what would do."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import vlpt
from PIL import Image


@pytest.fixture(scope="module")
def clip(home: Path) -> vlpt.Clip:
    return vlpt.Clip.from_pretrained("mini-clip")


@pytest.mark.parametrize(
    ("array", "found", "way_out"),
    [
        (np.zeros((4, 4, 3)), "an array of float64", "astype"),
        (np.zeros((4, 4, 3), np.int32), "an array of int32", "expected uint8"),
        (np.zeros((3, 4, 5), np.uint8), r"shape \(3, 4, 5\)", "np.moveaxis"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"shape \(3, 8, 8\)", "np.moveaxis"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)", "drop alpha"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)", "expected"),
        (np.zeros((4, 4), np.uint8), r"shape \(4, 4\)", "np.stack"),
        (np.zeros((1, 1, 1, 4, 4), np.uint8), "shape", "several images"),
    ],
)
def test_arrays_that_are_no_image_are_refused(clip, array, found, way_out):
    with pytest.raises(ValueError, match=f"(?s){found}.*{way_out}"):
        clip.encode_image(array)


def test_a_bad_image_in_a_list_is_named_by_its_place(clip):
    good = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"images\[2\]: an array of float64"):
        clip.encode_image([good, good, good / 255])
    with pytest.raises(TypeError, match=r"images\[1\]: int"):
        clip.encode_image([good, 7])
    with pytest.raises(TypeError, match="not int"):
        clip.encode_image(7)
    with pytest.raises(vlpt.Error, match=r"images\[1\]: not an image") as caught:
        clip.encode_image([good, b"no image"])
    assert caught.value.message in str(caught.value)


def test_an_open_file_is_refused_alone_and_in_a_list(clip, new):
    path = sorted(new.iterdir())[0]
    with open(path, "rb") as file:
        for stream in (file, io.BytesIO(path.read_bytes())):
            kind = type(stream).__name__
            with pytest.raises(TypeError, match=f"(?s)^images: {kind}.*of an open file give its path or its bytes"):
                clip.encode_image(stream)
            with pytest.raises(TypeError, match=rf"(?s)^images\[0\]: {kind}.*of an open file"):
                clip.encode_image([stream])


def test_entries_of_a_folder_are_paths(clip, new):
    expected = clip.preprocess(new)
    for folder in (os.fspath(new), os.fsencode(new)):
        with os.scandir(folder) as entries:
            files = sorted(entries, key=lambda entry: entry.name)
        assert np.array_equal(clip.preprocess(files), expected)
        assert np.array_equal(clip.preprocess(files[0]), expected[:1])


def test_a_folder_without_images_says_what_is_there(clip, tmp_path):
    with pytest.raises(ValueError, match="(?s)no images in the folder.*empty.*hint"):
        clip.encode_image(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="such as notes.txt"):
        clip.encode_image([tmp_path])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        clip.encode_image(tmp_path / "nowhere")


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_modes_of_pillow_are_as_their_files(clip, tmp_path, mode):
    """PNG and TIFF hold what Pillow has in memory, so file and image are the same pixels."""
    random = np.random.default_rng(0)
    colours = Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    if mode == "I;16":
        image = Image.fromarray(random.integers(0, 700, (40, 50), dtype=np.uint16))
    else:
        image = colours.convert(mode)
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    image.save(path)
    assert np.array_equal(clip.preprocess(image), clip.preprocess(path))


def test_a_jpeg_has_the_pixels_that_pillow_decodes(clip, new):
    files = sorted(new.glob("*.jpg"))
    assert files
    assert np.array_equal(clip.preprocess(files), clip.preprocess([Image.open(path) for path in files]))


def test_objects_that_become_arrays_are_images(clip):
    class Tensor:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return self.array

    batch = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    assert np.array_equal(clip.preprocess(Tensor(batch)), clip.preprocess(batch))
    assert np.array_equal(clip.preprocess([Tensor(batch[0])]), clip.preprocess(batch[0]))


def test_pixels_are_not_copied_before_the_call():
    from vlpt import _images

    batch = np.zeros((2, 8, 8, 3), np.uint8)
    given = _images.listed(batch)
    assert all(np.shares_memory(one, batch) for one in given.images)
