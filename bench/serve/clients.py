"""tritonclient asks the server by HTTP with binary tensors; its answers beside those of `vlpt predict`.

python clients.py VLPT ADDRESS RUN PHOTO
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import tritonclient.http as triton

vlpt, address, run, photo = sys.argv[1:]
name = pathlib.Path(run).name
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
about = client.get_model_metadata(name)
labels = about["parameters"]["labels"]
assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]

image = triton.InferInput("image", [1], "BYTES")
image.set_data_from_numpy(np.array([pathlib.Path(photo).read_bytes()], dtype=object))
answer = client.infer(name, [image])
probabilities = answer.as_numpy("probabilities")[0]
assert answer.as_numpy("label")[0].decode() == labels[probabilities.argmax()]

pixels = pathlib.Path(photo).with_suffix(".npy")
subprocess.run([vlpt, "preprocess", photo, "--model", "mini-clip", "--out", pixels], check=True)
tensor = np.load(pixels).reshape(1, 3, 64, 64).astype(np.float32)
ready = triton.InferInput("pixel_values", list(tensor.shape), "FP32")
ready.set_data_from_numpy(tensor)
asked = [triton.InferRequestedOutput("logits", binary_data=False), triton.InferRequestedOutput("probabilities")]
again = client.infer(name, [ready], outputs=asked, request_id="by-hand")
assert again.get_response()["id"] == "by-hand"
assert np.abs(again.as_numpy("probabilities")[0] - probabilities).max() < 1e-6

told = json.loads(subprocess.check_output([vlpt, "predict", run, photo, "--json"]))
told = json.dumps(told)
print(f"tritonclient: {len(labels)} classes, best {labels[probabilities.argmax()]} {probabilities.max():.6f}")
print(f"vlpt predict: {told[:300]}")
