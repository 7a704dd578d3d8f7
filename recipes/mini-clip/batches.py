"""What one step trains on. All of it follows from the seed and the step's number, so that a run that
goes on from a checkpoint sees what it would have seen."""

import pathlib
import random
from dataclasses import dataclass

import numpy as np
import torch

import data
import image_teacher
import loss
import text_teacher
import words

COMPONENTS = 384
CONCEPTS, PHRASES = 160, 48


@dataclass
class Batch:
    pixels: torch.Tensor
    features: torch.Tensor
    captions: list
    sentences: torch.Tensor
    count: int
    where: torch.Tensor
    targets: torch.Tensor
    phrase_targets: torch.Tensor


def photometric(x):
    """Brightness, contrast, a tint, now and then grey."""
    n = len(x)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (0.7 + 0.6 * torch.rand(n, 1, 1, 1)) + mean * (0.7 + 0.6 * torch.rand(n, 1, 1, 1))
    x = x * (0.9 + 0.2 * torch.rand(n, 3, 1, 1))
    grey = (torch.rand(n, 1, 1, 1) < 0.1).float()
    return (grey * x.mean(1, keepdim=True) + (1 - grey) * x).clamp(0, 1)


def components(cache, rows):
    """Mean and leading directions of the image teacher's features, half whitened: the cosine would
    else be about a few wide directions. Computed once, so that a run going on has the same."""
    path = pathlib.Path(cache) / "components.npz"
    if not path.exists():
        rows = torch.from_numpy(rows.astype(np.float32))
        mean = rows.mean(0)
        values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        basis = vectors[:, -COMPONENTS:] * values[-COMPONENTS:].clamp(min=1e-8) ** -0.25
        np.savez(path, mean=mean.numpy(), basis=basis.numpy())
    with np.load(path) as file:
        return torch.from_numpy(file["mean"]), torch.from_numpy(file["basis"])


class Source:
    def __init__(self, folder, cache, size, seed, left_out=()):
        self.images, self.labels, self.names = data.load(folder, cache)
        self.size, self.seed, count = size, seed, len(self.labels)
        views = image_teacher.views(cache)
        self.features = [image_teacher.features(cache, v, count) for v in views]
        self.boxes = [data.boxes(v, count) for v in views]
        # A view still being written serves as far as it is.
        self.ready = np.stack([rows[:, :64].any(1) for rows in self.features], 1)
        self.held_out, train = data.split(self.labels)
        self.train = train[~np.isin(self.labels[train], left_out) & self.ready[train].any(1)]
        known = self.train[self.ready[self.train, 0]][:20000]
        self.mean, self.basis = components(cache, self.features[0][np.sort(known)])
        self.weight, self.bias = image_teacher.classifier()

        wordnet = words.WordNet()
        self.concepts = words.Concepts(self.names, wordnet)
        self.phrases = words.Phrases(self.concepts, wordnet)
        self.concept_text, self.phrase_text = map(torch.from_numpy, text_teacher.load(cache))
        self.open = np.ones(len(self.concepts.names), bool)
        self.open[self.concepts.of_class[list(left_out)]] = False

    def pixels(self, chosen):
        return data.pixels(self.images, chosen)

    def chosen(self, step, size):
        """The step's images: each once an epoch."""
        first, count = step * size, len(self.train)
        places = np.arange(first, first + size)
        orders = {e: np.random.RandomState((self.seed, e)).permutation(count) for e in set(places // count)}
        return np.sort([self.train[orders[p // count][p % count]] for p in places])

    def batch(self, step):
        torch.manual_seed(self.seed * 1_000_003 + step)
        draw, dice = np.random.RandomState((self.seed, step, 1)), random.Random(self.seed * 1_000_003 + step)
        chosen = self.chosen(step, self.size)
        view = (draw.uniform(size=(len(chosen), len(self.boxes))) * self.ready[chosen]).argmax(1)
        box = np.stack([self.boxes[v][i] for v, i in zip(view, chosen)])
        rows = np.stack([self.features[v][i] for v, i in zip(view, chosen)]).astype(np.float32)
        x = data.crop(self.pixels(chosen), box, data.SIDE, flip=torch.rand(len(chosen)) < 0.5)

        rows = torch.from_numpy(rows)
        opinions = torch.zeros(len(chosen), len(self.open))
        opinions[:, : self.concepts.teacher] = torch.softmax(rows @ self.weight.T + self.bias, 1)
        opinions[:, ~self.open] = 0
        concept = self.concepts.of_class[self.labels[chosen]]
        picked = self.pick(concept, opinions, draw)
        where = torch.from_numpy(np.searchsorted(picked, concept))

        phrase = np.concatenate([
            draw.choice(self.phrases.common, PHRASES // 2), draw.randint(len(self.phrase_text), size=PHRASES // 2)
        ])
        place = {c: i for i, c in enumerate(picked)}
        below = torch.zeros(PHRASES, len(picked))
        for row, p in enumerate(phrase):
            below[row, [place[c] for c in self.phrases.below[p] if c in place]] = 1
        names = [self.name(c, dice) for c in picked] + [self.phrases.text[p] for p in phrase]
        concept_text, phrase_text = self.concept_text[picked], self.phrase_text[phrase]
        return Batch(
            pixels=photometric(x),
            features=(rows - self.mean) @ self.basis,
            captions=[data.caption(name, dice) for name in names],
            sentences=torch.cat([concept_text, phrase_text]),
            count=len(picked),
            where=where,
            targets=loss.image_targets(where, opinions[:, picked], len(picked)),
            phrase_targets=loss.phrase_targets(phrase_text, concept_text, below),
        )

    def pick(self, own, opinions, draw):
        """The step's concepts, in order: those of its images, and others as the teacher names them."""
        own = np.unique(own)
        chance = opinions.mean(0).numpy().astype(np.float64) + 1e-4
        chance[~self.open] = 0
        chance[own] = 0
        more = draw.choice(len(chance), max(0, CONCEPTS - len(own)), replace=False, p=chance / chance.sum())
        return np.sort(np.concatenate([own, more]))

    def name(self, concept, dice):
        """Mostly the first name, which is the usual one."""
        names = self.concepts.names[concept]
        return names[0] if dice.random() < 0.6 else dice.choice(names)
