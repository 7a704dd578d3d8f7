"""Writes a Hugging Face folder, weights in f16, out of a checkpoint.

python export.py --checkpoint runs/main/final.pt --tokenizer runs/main --out runs/export
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file

import data
from check import MEAN, STD
from model import IMAGE, JOINT, TEXT

HEADS = ("image_head", "text_head")


def tower(shape, **more):
    return {
        "hidden_size": shape["width"],
        "intermediate_size": 4 * shape["width"],
        "num_hidden_layers": shape["layers"],
        "num_attention_heads": shape["heads"],
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "initializer_factor": 1.0,
        "projection_dim": JOINT,
        **more,
    }


def config(words):
    start, end = words - 2, words - 1
    text = tower(
        TEXT,
        model_type="clip_text_model",
        vocab_size=words,
        max_position_embeddings=TEXT["length"],
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
    )
    vision = tower(
        IMAGE, model_type="clip_vision_model", image_size=IMAGE["side"], patch_size=IMAGE["patch"], num_channels=3
    )
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": JOINT,
        "logit_scale_init_value": 2.6592,
        "initializer_factor": 1.0,
        "text_config": text,
        "vision_config": vision,
        "torch_dtype": "float16",
    }


def preprocessor():
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": data.SIDE},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": data.SIDE, "width": data.SIDE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [round(v, 8) for v in MEAN.flatten().tolist()],
        "image_std": [round(v, 8) for v in STD.flatten().tolist()],
    }


TOKENS = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
TOKENS |= {"unk_token": TOKENS["eos_token"], "pad_token": TOKENS["eos_token"]}
TOKENIZER = {"tokenizer_class": "CLIPTokenizer", **TOKENS, "model_max_length": TEXT["length"], "do_lower_case": True}
TOKENIZER |= {"errors": "replace"}


def read_into(model, folder):
    """The towers of a folder written here, into a model whose heads stay as they are."""
    weights = {n: w.float() for n, w in load_file(pathlib.Path(folder) / "model.safetensors").items()}
    missing, unknown = model.load_state_dict(weights, strict=False)
    if unknown or not all(name.startswith(HEADS) for name in missing):
        raise SystemExit(f"{folder} has other towers: lacking {missing}, unknown {unknown}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True, help="folder of vocab.json and merges.txt")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    average = torch.load(args.checkpoint, weights_only=True)["average"]
    kept = {n: w.half().contiguous() for n, w in average.items() if not n.startswith(HEADS)}
    save_file(kept, out / "model.safetensors", {"format": "pt"})
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(pathlib.Path(args.tokenizer) / name, out / name)
    files = {
        "config.json": config(len(json.loads((out / "vocab.json").read_text()))),
        "preprocessor_config.json": preprocessor(),
        "special_tokens_map.json": TOKENS,
        "tokenizer_config.json": TOKENIZER,
    }
    for name, content in files.items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
