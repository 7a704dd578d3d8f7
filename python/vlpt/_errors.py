"""The exception of its own."""

from __future__ import annotations


class Error(Exception):
    """What is wrong with an image, a folder, a model or the way to it.

    Arguments that cannot be used as given raise ``ValueError`` or ``TypeError``, and files that cannot be read or
    written ``OSError`` and its kinds.

    Attributes
    ----------
    message : str
        What was found, and what was expected.
    hint : str or None
        The way out, where one is known.
    """

    message: str
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"
