"""tritonclient, the usual client of the Open Inference Protocol, asks ``vlpt serve``; the package answers the same."""

from __future__ import annotations

import json
import signal
import subprocess

import numpy as np
import pytest
import tritonclient.http as triton
from conftest import SCRIPT

import vlpt


@pytest.fixture(scope="module")
def server(run, prompt):
    """A server of two prompts, one with its own image pass; where it listens."""
    words = ["serve", f"head={run}", f"rows={prompt}", "--listen", "127.0.0.1:0", "--json", "--log", "off"]
    child = subprocess.Popen([SCRIPT, *words], stdout=subprocess.PIPE, text=True)
    lines = ""
    while "}" not in lines:
        line = child.stdout.readline()
        assert line, "the server ended"
        lines += line
    yield json.loads(lines)["listening"].removeprefix("http://")
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)
    assert child.returncode == 143


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient(server) as client:
        yield client


def test_the_server_says_what_it_has(client, run):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("head") and not client.is_model_ready("nothing")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    classes = client.get_model_metadata("head")["parameters"]["labels"]
    assert classes == list(vlpt.Classifier.from_pretrained(run).classes)


@pytest.mark.parametrize("name", ["head", "rows"])
def test_image_files_in_binary_tensors_are_answered_as_the_package_does(client, run, prompt, new, name):
    files = sorted(new.iterdir())[:5]
    classifier = vlpt.Classifier.from_pretrained({"head": run, "rows": prompt}[name])
    expected = classifier.predict_proba(files)
    images = triton.InferInput("image", [len(files)], "BYTES")
    images.set_data_from_numpy(np.array([file.read_bytes() for file in files], dtype=object))
    answer = client.infer(name, [images])
    found = answer.as_numpy("probabilities")
    assert found.shape == expected.shape and np.abs(found - expected).max() < 1e-6
    labels = [label.decode() for label in answer.as_numpy("label")]
    assert labels == [classifier.classes[best] for best in expected.argmax(1)]


def test_pixels_made_ready_by_the_client_and_outputs_by_name(client, run, new, tmp_path):
    photo, pixels = sorted(new.iterdir())[0], tmp_path / "pixels.npy"
    subprocess.run([SCRIPT, "preprocess", photo, "--model", "mini-clip", "--out", pixels], check=True)
    tensor = np.load(pixels).reshape(1, 3, 64, 64).astype(np.float32)
    ready = triton.InferInput("pixel_values", list(tensor.shape), "FP32")
    ready.set_data_from_numpy(tensor)
    asked = [triton.InferRequestedOutput("logits", binary_data=False), triton.InferRequestedOutput("probabilities")]
    answer = client.infer("head", [ready], outputs=asked, request_id="by-name")
    assert answer.get_response()["id"] == "by-name"
    expected = vlpt.Classifier.from_pretrained(run).predict_proba(photo)
    assert np.abs(answer.as_numpy("probabilities") - expected).max() < 1e-6
    assert answer.as_numpy("logits").argmax() == expected.argmax()


def test_a_model_that_is_not_there_is_the_clients_own_error(client, new):
    image = triton.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([sorted(new.iterdir())[0].read_bytes()], dtype=object))
    with pytest.raises(triton.InferenceServerException, match="nothing"):
        client.infer("nothing", [image])
