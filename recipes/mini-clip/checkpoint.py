"""Checkpoints that are whole or absent, the last two kept."""

import os
import pathlib

import torch


def save(folder, step, state):
    folder = pathlib.Path(folder)
    beside = folder / "checkpoint.part"
    torch.save({"step": step, **state}, beside)
    os.replace(beside, folder / f"checkpoint-{step:07}.pt")
    for old in sorted(folder.glob("checkpoint-*.pt"))[:-2]:
        old.unlink()


def last(folder):
    """The newest checkpoint, or none."""
    found = sorted(pathlib.Path(folder).glob("checkpoint-*.pt"))
    return torch.load(found[-1], weights_only=True) if found else None
