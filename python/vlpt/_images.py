"""Images as users have them, made into what the Rust side takes: paths, bytes, arrays of pixels."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from . import _vlpt

if TYPE_CHECKING:
    import PIL.Image

    Image: TypeAlias = Union[str, os.PathLike[str], bytes, NDArray[np.uint8], PIL.Image.Image]
else:
    Image = Union[str, os.PathLike, bytes, NDArray[np.uint8], "PIL.Image.Image"]
#: One image: a path, a ``PIL.Image``, the bytes of an image file, or pixels (height, width, 3) of ``uint8``.
Images: TypeAlias = Union[Image, Iterable[Image]]
#: Images of a call: one, a folder's path, any number of them, or pixels (n, height, width, 3) of ``uint8``.

#: Images of Pillow whose pixels are held at a time.
AT_ONCE = 128


class Listed:
    """Images with their names; those of Pillow become pixels when their turn comes."""

    def __init__(self, names: list[str], images: list[Any]) -> None:
        self.names = names
        self.images = images

    def __len__(self) -> int:
        return len(self.names)

    def pieces(self, *, turn: bool = False, scale: bool = False) -> Iterator[tuple[list[str], list[Any]]]:
        """Names and images, all at once where no image has to be converted."""
        step = AT_ONCE if any(is_pillow(image) for image in self.images) else max(len(self), 1)
        for start in range(0, max(len(self), 1), step):
            names = self.names[start : start + step]
            given = self.images[start : start + step]
            yield names, [
                pixels_of_pillow(image, name, turn=turn, scale=scale) if is_pillow(image) else image
                for name, image in zip(names, given)
            ]


def listed(images: Any, *, folders: bool = True) -> Listed:
    """The images of a call in order. With ``folders``, a folder stands for the images below it."""
    if is_path(images):
        return Listed(*_of_paths([images], folders))
    if isinstance(images, (bytes, bytearray)) or is_pillow(images):
        return Listed(["images[0]"], [_one(images, "images[0]")])
    if isinstance(images, np.ndarray) or (hasattr(images, "__array__") and not isinstance(images, (list, tuple))):
        array = np.asarray(images)
        if array.dtype.kind not in "OU":
            if array.ndim == 3:
                return Listed(["images[0]"], [_pixels(array, "images[0]")])
            if array.ndim != 4:
                raise _wrong_shape("images", array)
        images = list(array) if array.ndim > 0 else [array.item()]
    if hasattr(images, "read"):
        # an open file gives its lines
        raise _no_image(images, "images")
    if not isinstance(images, Iterable):
        raise TypeError(f"images are a path, an image or a list of them, not {type(images).__name__}")
    names: list[str] = []
    sources: list[Any] = []
    for place, image in enumerate(images):
        if is_path(image):
            more_names, more = _of_paths([image], folders)
            names += more_names
            sources += more
        else:
            name = f"images[{place}]"
            names.append(name)
            sources.append(_one(image, name))
    return Listed(names, sources)


def is_path(image: Any) -> bool:
    return isinstance(image, (str, os.PathLike))


def is_pillow(image: Any) -> bool:
    """Whether it is an image of Pillow, which need not be installed."""
    return hasattr(image, "convert") and hasattr(image, "mode") and hasattr(image, "size")


def pixels_of_pillow(image: Any, name: str, *, turn: bool = False, scale: bool = False) -> NDArray[np.uint8]:
    """The pixels that a file of the image would have. ``turn``: as its EXIF data says."""
    if scale and image.mode.startswith("I"):
        raise ValueError(
            f"{name}: an image of mode {image.mode}, and the prompt was tuned with 16-bit grey scaled to 8 bits\n"
            "hint: give the path of the file"
        )
    if turn:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), dtype=np.uint8))


def _of_paths(paths: list[Any], folders: bool) -> tuple[list[str], list[Any]]:
    names: list[str] = []
    for path in paths:
        # an entry of `os.scandir(b"...")` has a path of bytes, which would be taken for an image
        path = os.fsdecode(path)
        if folders and os.path.isdir(path):
            found, _ = _vlpt.images_of_folder(path)
            names += [os.fspath(image) for image in found]
        else:
            names.append(path)
    # what a text cannot hold of a name is replaced in it, as the command line does when it prints one
    return [os.fsencode(name).decode("utf-8", "replace") for name in names], names


def _one(image: Any, name: str) -> Any:
    if isinstance(image, (bytes, bytearray)):
        return bytes(image)
    if is_pillow(image):
        return image
    if isinstance(image, np.ndarray) or hasattr(image, "__array__"):
        return _pixels(np.asarray(image), name)
    raise _no_image(image, name)


def _no_image(image: Any, name: str) -> TypeError:
    hint = "an image is a path, a PIL.Image, bytes of an image file, or an array (height, width, 3) of uint8"
    if hasattr(image, "read"):
        hint += "; of an open file give its path or its bytes"
    return TypeError(f"{name}: {type(image).__name__}\nhint: {hint}")


def _pixels(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if array.dtype != np.uint8:
        hint = "expected uint8, values from 0 to 255"
        if array.dtype.kind == "f":
            hint += '; of values from 0 to 1 make it with (x * 255).round().astype("uint8")'
        raise ValueError(f"{name}: an array of {array.dtype}\nhint: {hint}")
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise _wrong_shape(name, array)
    return np.ascontiguousarray(array)


def _wrong_shape(name: str, array: NDArray[Any]) -> ValueError:
    shape = array.shape
    hint = "expected (height, width, 3), or (n, height, width, 3) for several images"
    if len(shape) in (3, 4) and shape[-3] == 3:
        hint += "; channels go last: np.moveaxis(x, -3, -1)"
    elif len(shape) in (3, 4) and shape[-1] == 4:
        hint += "; drop alpha: x[..., :3]"
    elif len(shape) == 2:
        hint += "; of grey make three channels: np.stack([x] * 3, axis=-1)"
    return ValueError(f"{name}: an array of shape {shape}\nhint: {hint}")
