"""Temporary folders that go with an object."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref


class TemporaryFolder:
    """A folder that is there as long as this is, and is removed by the process that made it alone."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="vlpt-")
        weakref.finalize(self, _remove, self.name, os.getpid())


def _remove(name: str, process: int) -> None:
    # a forked process has a copy of the object, and another owner of the folder
    if os.getpid() == process:
        shutil.rmtree(name, ignore_errors=True)
