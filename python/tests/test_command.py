"""The script ``vlpt`` is the program: the same bytes on both streams, the same exit codes, the same signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import SCRIPT

COMMANDS = {
    "help": ["--help"],
    "help of a command": ["predict", "--help"],
    "version": ["--version"],
    "no command": [],
    "no such flag": ["predict", "--nothing"],
    "a missing file": ["predict", "nowhere", "a.png"],
    "an error as JSON": ["predict", "nowhere", "a.png", "--json"],
    "tokens": ["tokenize", "a photo of a cat"],
    "tokens as JSON": ["tokenize", "a photo of a cat", "--json"],
    "a bad value": ["--threads", "100000", "tokenize", "a"],
    "a model": ["model", "check", "mini-clip"],
    "methods": ["methods", "--json"],
    "a name that is no text": ["predict", b"\xff\xfe", "a.png"],
}


def script(*words, **options):
    return subprocess.run([SCRIPT, *words], capture_output=True, check=False, **options)


@pytest.mark.parametrize("name", COMMANDS)
def test_output_and_exit_code_are_those_of_the_program(program, tmp_path, name):
    words = COMMANDS[name]
    ours = script(*words, cwd=tmp_path)
    theirs = subprocess.run([program, *words], capture_output=True, check=False, cwd=tmp_path)
    assert ours.stdout == theirs.stdout
    assert ours.stderr == theirs.stderr
    assert ours.returncode == theirs.returncode


def test_predictions_are_those_of_the_program(program, run, new):
    words = ["predict", run, new, "--json"]
    theirs = subprocess.run([program, *words], capture_output=True, check=True)
    assert script(*words).stdout == theirs.stdout
    module = subprocess.run([sys.executable, "-m", "vlpt", *words], capture_output=True, check=True)
    assert module.stdout == theirs.stdout


def test_a_reader_that_goes_away_ends_it_in_silence(run, new):
    words = " ".join(map(str, [SCRIPT, "predict", run, *[new] * 20]))
    made = subprocess.run(["bash", "-c", f"{words} | head -1; echo ${{PIPESTATUS[0]}} >&2"], capture_output=True, check=False)
    assert made.stderr == b"0\n" and made.stdout.count(b"\n") == 1


def test_a_closed_output_is_no_traceback(program):
    for command in (SCRIPT, program):
        made = subprocess.run(["bash", "-c", f"{command} --version >&-"], capture_output=True, check=False)
        assert (made.returncode, made.stderr) == (0, b""), command


def test_main_ends_the_interpreter_with_the_exit_code():
    code = 'import vlpt\ntry:\n    vlpt.main(["predict"])\nfinally:\n    print("after", flush=True)'
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert made.returncode == 2 and made.stdout == b"after\n"
    code = 'import vlpt; print("before"); vlpt.main(["tokenize", "a cat"])'
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    lines = made.stdout.splitlines()
    assert lines[0] == b"before" and len(lines) > 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_as_they_end_the_program(program, photos, tmp_path, number):
    outcomes = []
    for name, command in (("ours", SCRIPT), ("theirs", program)):
        out = tmp_path / f"{name}-{number}"
        words = ["train", photos, "--method", "coop", "--epochs", "100000", "--shots", "2", "--out", out]
        child = subprocess.Popen([command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while not (out / "events.jsonl").exists() and not list(out.glob("*.jsonl")):
            assert child.poll() is None and time.monotonic() < until, child.communicate()
            time.sleep(0.05)
        time.sleep(0.5)
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
        outcomes.append((child.returncode, said.decode().replace(str(out), "OUT").splitlines()[-1].split("epoch")[-1]))
    assert outcomes[0][0] == 128 + number
    assert outcomes[0] == outcomes[1]
    assert "--resume" in outcomes[0][1]


def test_a_server_answers_and_ends_as_the_program_does(program, run, new):
    outcomes = []
    for command in (SCRIPT, program):
        words = ["serve", run, "--listen", "127.0.0.1:0", "--json", "--log", "off"]
        child = subprocess.Popen([command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = ""
        while "}" not in lines:
            lines += child.stdout.readline()
        address = json.loads(lines)["listening"]
        photo = sorted(new.iterdir())[0].read_bytes()
        with urllib.request.urlopen(urllib.request.Request(f"{address}/models/run", data=photo)) as answer:
            answered = answer.read()
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
        outcomes.append((answered, child.returncode, said))
    assert outcomes[0] == outcomes[1]


def test_jobs_of_a_cluster_start_the_script_again(photos, tmp_path):
    """`vlpt study launch` writes scripts that start the program that wrote them."""
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text("#!/bin/sh\necho 7\n")
    sbatch.chmod(0o755)
    words = ["--task", "synthetic:shapes", "--task", "synthetic:textures", "--method", "coop", "--out", "study"]
    planned = script("study", "plan", *words, cwd=tmp_path)
    if planned.returncode != 0:
        pytest.fail(planned.stderr.decode())
    environment = os.environ | {"PATH": f"{sbatch.parent}:{os.environ['PATH']}"}
    launched = script("study", "launch", "study", "--on", "slurm", "--json", cwd=tmp_path, env=environment)
    assert launched.returncode == 0, launched.stderr
    written = [tmp_path / job["script"] for job in json.loads(launched.stdout)]
    assert written and all(str(SCRIPT) in path.read_text() for path in written)
