"""The five terms of the loss. Each takes features and targets and returns a mean over its rows."""

import torch
import torch.nn.functional as F

# How much of an image's target over the concepts is the teacher's opinion and not its label.
OPINION = 0.4
TEXT_SHARPNESS = 20.0
RELATION_SHARPNESS = 10.0
WEIGHTS = {"label": 1.0, "caption": 0.25, "feature": 2.0, "relation": 0.5, "phrase": 0.5, "sentence": 1.0}


def image_targets(where, opinions, count):
    """A distribution over the batch's concepts for each image: `where` is its own concept, and
    `opinions` what the image teacher thinks of the concepts that it knows."""
    own = F.one_hot(where, count).float()
    total = opinions.sum(1, keepdim=True)
    # A teacher that puts next to nothing on this batch's concepts has no opinion on them.
    share = OPINION * (total > 0.05).float()
    return (1 - share) * own + share * opinions / total.clamp(min=1e-6)


def label(scale, images, texts, targets):
    """Which concept an image shows."""
    return -(targets * F.log_softmax(scale * images @ texts.T, 1)).sum(1).mean()


def caption(scale, images, texts, where):
    """Which images a caption tells of, for the concepts that have any in the batch."""
    positive = (torch.arange(len(texts))[:, None] == where[None, :]).float()
    present = positive.sum(1) > 0
    positive = positive[present] / positive[present].sum(1, keepdim=True)
    return -(positive * F.log_softmax(scale * texts[present] @ images.T, 1)).sum(1).mean()


def feature(guess, target):
    """How far the direction of a guessed feature is from the teacher's."""
    return (1 - F.cosine_similarity(guess.float(), target, dim=-1)).mean()


def relation(images, target):
    """Whether each image's likeness to the others of the batch is the teacher's."""
    self_ = torch.eye(len(images), dtype=torch.bool)
    target = F.normalize(target, dim=-1)
    likeness = lambda x: (RELATION_SHARPNESS * x @ x.T).masked_fill(self_, -1e4)
    wanted = F.softmax(likeness(target), 1)
    return F.kl_div(F.log_softmax(likeness(images), 1), wanted, reduction="none").sum(1).mean()


def phrase_targets(phrases, concepts, below):
    """A distribution over the batch's concepts for each phrase: likeness of the text teacher's
    embeddings, mixed evenly with the concepts below the phrase in WordNet where there are any."""
    alike = F.softmax(TEXT_SHARPNESS * phrases @ concepts.T, 1)
    total = below.sum(1, keepdim=True)
    share = 0.5 * (total > 0).float()
    return (1 - share) * alike + share * below / total.clamp(min=1)


def phrase(scale, texts, concepts, targets):
    """Whether a phrase without images stands where its like stand."""
    return F.kl_div(F.log_softmax(scale * texts @ concepts.T, 1), targets, reduction="none").sum(1).mean()


def total(model, batch, read_images, read_texts, weights):
    """The weighted sum, and each term by its name."""
    images, image_guess = read_images
    texts, text_guess = read_texts
    count = batch.count
    concepts, phrases = texts[:count], texts[count:]
    scale = model.logit_scale.exp().clamp(max=100)
    terms = {
        "label": lambda: label(scale, images, concepts, batch.targets),
        "caption": lambda: caption(scale, images, concepts, batch.where),
        "feature": lambda: feature(image_guess, batch.features),
        "relation": lambda: relation(images, batch.features),
        "phrase": lambda: phrase(TEXT_SHARPNESS, phrases, concepts, batch.phrase_targets),
        "sentence": lambda: feature(text_guess, batch.sentences),
    }
    values = {name: terms[name]() for name, weight in weights.items() if weight}
    return sum(weights[name] * value for name, value in values.items()), values
