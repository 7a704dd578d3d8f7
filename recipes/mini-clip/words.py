"""Words without images: WordNet's concrete nouns, and the concepts that images are told from.

A concept is a class of the pre-training images or of the image teacher (ImageNet's 1,000). Phrases are
names of things that may have no image at all; each has a target distribution over the concepts.
"""

import importlib.util
import pathlib

import numpy as np

WORDNET = pathlib.Path("/usr/share/wordnet")
# WordNet's lexicographer files of what can be seen: animals, artifacts, bodies, food, objects, people,
# phenomena, plants, quantities, shapes, substances.
SEEN = {5, 6, 8, 13, 17, 18, 19, 20, 23, 25, 27}


class WordNet:
    """Nouns: the lemmas and hypernyms of each synset, and the first sense of each lemma."""

    def __init__(self, folder=WORDNET):
        self.lemmas, self.above, self.kind, self.first = {}, {}, {}, {}
        self.common = set()
        for line in open(folder / "data.noun", encoding="utf-8"):
            if line[0] == " ":
                continue
            field = line.split(" | ")[0].split()
            synset, count = int(field[0]), int(field[3], 16)
            self.kind[synset] = int(field[1])
            self.lemmas[synset] = [field[4 + 2 * i].replace("_", " ") for i in range(count)]
            rest = field[5 + 2 * count :]
            pointers = [rest[i : i + 4] for i in range(0, len(rest) - 3, 4)]
            self.above[synset] = [int(p[1]) for p in pointers if p[0] in ("@", "@i")]
        for line in open(folder / "index.noun", encoding="utf-8"):
            if line[0] == " ":
                continue
            field = line.split()
            lemma, senses = field[0].replace("_", " "), int(field[2])
            self.first[lemma] = int(field[-senses])
            if int(field[-1 - senses]):
                self.common.add(lemma)

    def ancestors(self, synset):
        found, open_ = set(), [synset]
        while open_:
            for above in self.above[open_.pop()]:
                if above not in found:
                    found.add(above)
                    open_.append(above)
        return found


def adjectives(folder=WORDNET):
    """Single words that say how things look or feel; those with a counted use only."""
    words = []
    for line in open(folder / "index.adj", encoding="utf-8"):
        field = line.split()
        if line[0] != " " and field[0].isalpha() and int(field[-1 - int(field[2])]) > 0:
            words.append(field[0])
    return words


def imagenet(wordnet):
    """Names and synset of each of the image teacher's classes, in its order."""
    folder = importlib.util.find_spec("timm").submodule_search_locations[0]
    lines = (pathlib.Path(folder) / "data/_info/imagenet_synsets.txt").read_text().split()
    synsets = [int(line[1:]) for line in lines]
    return [wordnet.lemmas[s] for s in synsets], synsets


class Concepts:
    """The union of the images' classes and the teacher's: where a first name is shared, they are one."""

    def __init__(self, classes, wordnet):
        self.names, self.synsets = map(list, imagenet(wordnet))
        self.teacher = len(self.names)
        # All names together tell the bird crane from the machine; else the first name decides.
        known = {}
        for i, names in enumerate(self.names):
            known.setdefault(tuple(n.lower() for n in names), i)
        by_name = {}
        for i, names in enumerate(self.names):
            for name in names:
                by_name.setdefault(name.lower(), i)
        self.of_class = []
        for names in classes:
            whole = tuple(n.lower() for n in names)
            at = known.get(whole, by_name.get(whole[0]))
            if at is None:
                at = len(self.names)
                self.names.append(names)
                self.synsets.append(wordnet.first.get(whole[0]))
            self.of_class.append(at)
        self.of_class = np.array(self.of_class)


class Phrases:
    """Names of things, with the concepts below each in WordNet."""

    def __init__(self, concepts, wordnet):
        below = {}
        for i, synset in enumerate(concepts.synsets):
            if synset is not None:
                for above in {synset, *wordnet.ancestors(synset)}:
                    below.setdefault(above, []).append(i)
        under = {}
        for synset, lemmas in wordnet.lemmas.items():
            # Capitals are names of people, places and genera.
            if wordnet.kind[synset] in SEEN or synset in below:
                for lemma in lemmas:
                    if lemma.islower() and len(lemma) < 30:
                        senses = under.setdefault(lemma, [])
                        if wordnet.first.get(lemma) == synset:
                            senses.extend(below.get(synset, []))
        for word in adjectives():
            under.setdefault(word, [])
        self.text = sorted(under)
        self.below = [under[text] for text in self.text]
        common = wordnet.common.union(adjectives())
        self.common = np.array([i for i, t in enumerate(self.text) if t in common or self.below[i]])
