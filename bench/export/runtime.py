"""Exported graphs in ONNX Runtime, and the PEFT and Hugging Face folders in their libraries; run by check.sh in its
folder. Writes results.json.

numpy, onnx 1.23.2, onnxruntime 1.32.0, Pillow 11.3, torch, transformers 5.x, peft 0.21.2.
"""

import json
import pathlib
import statistics
import sys
import time

import numpy
import onnx
import onnxruntime
import torch
from peft import PeftModel
from PIL import Image
from transformers import CLIPModel

PHOTOS = sorted(pathlib.Path("photos").glob("*.png"))
ROUNDS = 5


def softmax(logits):
    powers = numpy.exp(logits.astype(numpy.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def seconds(call):
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def row(name, form, path, apart, took):
    beside = path.with_name(path.name + "_data")
    size = path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
    return {"name": name, "form": form, "runtime": f"onnxruntime {onnxruntime.__version__}", "bytes": size, "apart": apart, "ms": 1000 * took}


def classifier(name):
    folder = pathlib.Path("exports", name)
    config = json.loads((folder / "config.json").read_text())
    classes = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
    predicted = json.loads(pathlib.Path("exports", f"{name}.json").read_text())
    own = {}
    for answer in predicted:
        by_name = {c["class"]: c["probability"] for c in answer["classes"]}
        own[pathlib.Path(answer["image"]).name] = numpy.array([by_name[c] for c in classes])
    expected = numpy.stack([own[photo.name] for photo in PHOTOS])

    # of the graphs that take pixels, by `vlpt preprocess`: another version of Pillow resizes in another order
    batch = numpy.load(f"exports/{name}.npy")
    # the same pixels as images, for which a browser has nothing to resize
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    mean, std = [numpy.array(processor[key]).reshape(3, 1, 1) for key in ["image_mean", "image_std"]]
    squares = pathlib.Path("squares", name)
    squares.mkdir(parents=True, exist_ok=True)
    for photo, pixels in zip(PHOTOS, batch):
        square = numpy.rint((pixels * std + mean) * 255).astype(numpy.uint8).transpose(1, 2, 0)
        Image.fromarray(numpy.ascontiguousarray(square)).save(squares / photo.name)
    rows = []
    for form, file in [("f32", "model.onnx"), ("int8", "model_quantized.onnx")]:
        path = folder / "onnx" / file
        run = session(path)
        logits = numpy.concatenate([run.run(["logits"], {"pixel_values": batch[i : i + 1]})[0] for i in range(len(batch))])
        if form == "f32":
            # any batch, the same numbers
            together = run.run(["logits"], {"pixel_values": batch})[0]
            assert numpy.abs(together - logits).max() < 1e-3, numpy.abs(together - logits).max()
        one = {"pixel_values": batch[:1]}
        rows.append(row(name, form, path, float(numpy.abs(softmax(logits) - expected).max()), seconds(lambda: run.run(None, one))))
    path = folder / "onnx" / "image_classifier.onnx"
    run = session(path)
    images = [numpy.asarray(Image.open(photo).convert("RGB")) for photo in PHOTOS]
    probs = numpy.concatenate([run.run(["probs"], {"image": image})[0] for image in images])
    rows.append(row(name, "f32, photo in", path, float(numpy.abs(probs - expected).max()), seconds(lambda: run.run(None, {"image": images[0]}))))
    return rows


def folders(base):
    """Text and image features of three ways to one tuned model, of length one: PEFT, Hugging Face, towers apart."""
    torch.manual_seed(0)
    config = json.loads(pathlib.Path(base, "config.json").read_text())
    side = config["vision_config"]["image_size"]
    images = torch.randn(2, 3, side, side)
    end = config["text_config"]["eos_token_id"]
    ids = torch.tensor([[end - 1, 320, 1000, 537, end, end], [end - 1, 320, 1125, 539, 2368, end]])

    def unit(x):
        x = x.pooler_output if hasattr(x, "pooler_output") else x
        return torch.nn.functional.normalize(x.detach(), dim=-1).numpy()

    def features(model):
        with torch.no_grad():
            return unit(model.get_text_features(input_ids=ids)), unit(model.get_image_features(pixel_values=images))

    plain = features(CLIPModel.from_pretrained(base, dtype=torch.float32).eval())
    merged = features(CLIPModel.from_pretrained("exports/hf", dtype=torch.float32).eval())
    peft = features(PeftModel.from_pretrained(CLIPModel.from_pretrained(base, dtype=torch.float32), "exports/peft").eval())
    text = session(pathlib.Path("exports/towers/onnx/text_model.onnx")).run(None, {"input_ids": ids.numpy()})[0]
    image = session(pathlib.Path("exports/towers/onnx/vision_model.onnx")).run(None, {"pixel_values": images.numpy()})[0]
    towers = unit(torch.tensor(text)), unit(torch.tensor(image))

    def apart(a, b):
        return max(float(numpy.abs(x - y).max()) for x, y in zip(a, b))

    moved = apart(plain, merged)
    assert moved > 1e-3, f"updates move features by {moved} only"
    return [
        {"way": "towers apart, onnxruntime, beside the Hugging Face folder", "apart": apart(towers, merged)},
        {"way": "PEFT folder on the base model, beside the Hugging Face folder", "apart": apart(peft, merged)},
        {"way": "the base model itself, beside the Hugging Face folder", "apart": moved},
    ]


names = ["mini-clip-maple", "vit-b-16-vpt", "mini-clip-lora"]
results = {"graphs": [r for name in names for r in classifier(name)], "folders": folders(sys.argv[1])}
pathlib.Path("results.json").write_text(json.dumps(results, indent=1))
print(json.dumps(results, indent=1))
