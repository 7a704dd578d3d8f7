"""Every example of docs/guides/python.md, and its notebook, run as they stand there."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, SCRIPT, SHAPES, draw_photos, drawn
from nbclient import NotebookClient

GUIDES = ROOT / "docs/guides"
#: What sets up a machine is shown, and done by what runs these tests.
SETS_UP = ("pip", "uvx")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the page's blocks, in order."""
    found: list[tuple[str, str]] = []
    language, lines = None, []
    for line in page.splitlines():
        if language is None and line.startswith("```"):
            language, lines = line[3:], []
        elif line == "```" and language is not None:
            found.append((language, "\n".join(lines) + "\n"))
            language = None
        else:
            lines.append(line)
    assert language is None, "a block without an end"
    return found


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the examples name."""
    monkeypatch.chdir(tmp_path)
    draw_photos(Path("photos"), 5)
    Path("new").mkdir()
    for shape in SHAPES:
        drawn(shape, 70).save(f"new/{shape}.jpg")
    return tmp_path


@pytest.mark.filterwarnings("default")
def test_the_example_of_the_readme_runs(place):
    found = [text for language, text in blocks((ROOT / "README.md").read_text(encoding="utf-8")) if language == "python"]
    assert len(found) == 1
    names: dict[str, object] = {}
    exec(found[0].replace("minutes=10", "minutes=0.05"), names)  # noqa: S102
    assert names["shares"].shape == (3, 3) and len(names["answers"]) == 3


@pytest.mark.filterwarnings("default")
def test_every_example_of_the_guide_runs(place, capsys):
    names: dict[str, object] = {"__name__": "guide"}
    ran = {"python": 0, "sh": 0}
    for language, text in blocks((GUIDES / "python.md").read_text(encoding="utf-8")):
        if language == "python":
            # what fits the time is another matter: here a moment is enough
            exec(compile(text.replace("minutes=2", "minutes=0.05"), f"example {ran}", "exec"), names)  # noqa: S102
            ran["python"] += 1
        elif language == "sh":
            for line in text.splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0] not in SETS_UP:
                    assert words[0] == "vlpt"
                    made = subprocess.run([SCRIPT, *words[1:]], capture_output=True, check=True)
                    ran["sh"] += 1
                    if "--json" in words:
                        assert Path("answers.json").read_bytes() == made.stdout
        else:
            pytest.fail(f"a block of another language: {language}")
    assert ran["python"] >= 9 and ran["sh"] >= 2, ran
    assert Path("answers.csv").read_bytes() == Path("command.csv").read_bytes()
    said = capsys.readouterr().out
    for words in ("interval", "runs/photos/report.html", "broken.jpg: truncated", "hint: name a run folder"):
        assert words in said, said


@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_and_holds_no_outputs(tmp_path):
    path = GUIDES / "python.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    nbformat.validate(notebook)
    shutil.copy(path, tmp_path)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    assert "expected accuracy" in text and "circle" in text
    assert not any(output.output_type == "error" for output in outputs)
