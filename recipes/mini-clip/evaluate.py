"""Zero-shot and 16-shot linear probe of Hugging Face CLIP folders on sets of images, as a table.

Zero-shot is over all of a set's images and, as is the probe, over its test split: the first has less noise,
but CIFAR-100's training images may be among those trained on.

python evaluate.py --data ../shared/data OLD NEW
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from transformers import CLIPModel

import data
import sets
import vocabulary

SHOTS, SEEDS = 16, 3


class Reader:
    """A model folder as two functions to normalised features."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = vocabulary.Tokenizer(folder)
        settings = json.loads((folder / "preprocessor_config.json").read_text())
        self.side = settings["crop_size"]["height"]
        self.mean = torch.tensor(settings["image_mean"]).view(1, 3, 1, 1)
        self.std = torch.tensor(settings["image_std"]).view(1, 3, 1, 1)

    @torch.inference_mode()
    def images(self, pictures):
        pooled = []
        for start in range(0, len(pictures), 100):
            x = np.stack([sets.prepare(p, self.side) for p in pictures[start : start + 100]])
            x = (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
            pooled.append(self.model.vision_model(pixel_values=x).pooler_output)
        pooled = torch.cat(pooled)
        return unit(self.model.visual_projection(pooled))

    @torch.inference_mode()
    def classes(self, names, templates):
        """The mean of each name's captions."""
        rows = []
        for name in names:
            ids, ends = self.tokenizer.batch([t.format(name) for t in templates])
            mask = (torch.arange(ids.shape[1])[None] <= ends[:, None]).long()
            pooled = self.model.text_model(input_ids=ids, attention_mask=mask).pooler_output
            rows.append(unit(unit(self.model.text_projection(pooled)).mean(0)))
        return torch.stack(rows)


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def probe(train, labels, test, answers, count):
    """Mean accuracy of a logistic regression on 16 images a class over a few draws of them."""
    scores = []
    for seed in range(SEEDS):
        order = np.random.RandomState(seed).permutation(len(labels))
        chosen = np.concatenate([order[labels[order] == c][:SHOTS] for c in range(count)])
        x, y = train[chosen], torch.from_numpy(labels[chosen])
        mean, std = x.mean(0), x.std(0) + 1e-6
        x, z = (x - mean) / std, (test - mean) / std
        weight = torch.zeros(count, x.shape[1], requires_grad=True)
        bias = torch.zeros(count, requires_grad=True)
        solver = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

        def loss():
            solver.zero_grad()
            fit = torch.nn.functional.cross_entropy(x @ weight.T + bias, y)
            total = fit + 0.5 * weight.square().sum() / len(x)
            total.backward()
            return total

        solver.step(loss)
        scores.append(((z @ weight.T + bias).argmax(1).numpy() == answers).mean())
    return float(np.mean(scores))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    readers = [Reader(folder) for folder in args.models]
    print("| set | classes | images | test |" + " zero-shot, all | test | probe |" * len(readers))
    print("|---|---|---|---|" + "---|---|---|" * len(readers))
    means = []
    for name, opened in sets.all(pathlib.Path(args.data)):
        names, (train, labels), (test, answers) = opened()
        row = []
        for reader in readers:
            shown, asked = reader.images(train), reader.images(test)
            texts = reader.classes(names, data.TEMPLATES[:7])
            guesses = (torch.cat([shown, asked]) @ texts.T).argmax(1).numpy()
            right = guesses == np.concatenate([labels, answers])
            zero = [float(right.mean()), float(right[len(labels) :].mean())]
            row += [*zero, probe(shown, labels, asked, answers, len(names))]
        means.append(row)
        cells = "".join(f" {100 * v:.1f} % |" for v in row)
        print(f"| {name} | {len(names)} | {len(guesses)} | {len(answers)} |{cells}", flush=True)
    print("| mean | | | |" + "".join(f" {100 * v:.1f} % |" for v in np.mean(means, 0)))


if __name__ == "__main__":
    main()
