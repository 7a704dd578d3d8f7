"""OpenAI's tokenizer cut to its first merges: `vocab.json`, `merges.txt`, and text to ids."""

import gzip
import html
import json
import pathlib

import regex
import torch

START, END = "<|startoftext|>", "<|endoftext|>"
PIECES = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)


def byte_symbols():
    """A printable character for each byte, in the order of the vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    symbols = {byte: chr(byte) for byte in plain}
    symbols.update({byte: chr(256 + i) for i, byte in enumerate(rest)})
    return symbols


def write(merges_gz, folder, count):
    """Writes the tokenizer files of the first `count` merges."""
    lines = gzip.open(merges_gz).read().decode().split("\n")[1 : 1 + count]
    symbols = list(byte_symbols().values())
    words = symbols + [s + "</w>" for s in symbols] + ["".join(line.split()) for line in lines]
    words += [START, END]
    folder = pathlib.Path(folder)
    vocabulary = {word: i for i, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n")


class Tokenizer:
    """Reads the files that `write` wrote."""

    def __init__(self, folder, length=77):
        folder = pathlib.Path(folder)
        self.ids = json.loads((folder / "vocab.json").read_text())
        lines = (folder / "merges.txt").read_text().splitlines()[1:]
        self.ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
        self.symbols, self.length, self.cache = byte_symbols(), length, {}
        self.size, self.start, self.end = len(self.ids), self.ids[START], self.ids[END]

    def word(self, piece):
        if piece not in self.cache:
            parts = [*piece[:-1], piece[-1] + "</w>"]
            while len(parts) > 1:
                pairs = list(zip(parts, parts[1:]))
                best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                merged, i = [], 0
                while i < len(parts):
                    if tuple(parts[i : i + 2]) == best:
                        merged.append("".join(best))
                        i += 2
                    else:
                        merged.append(parts[i])
                        i += 1
                parts = merged
            self.cache[piece] = [self.ids[part] for part in parts]
        return self.cache[piece]

    def encode(self, text):
        text = regex.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip().lower()
        pieces = ("".join(self.symbols[b] for b in p.encode()) for p in PIECES.findall(text))
        ids = [i for piece in pieces for i in self.word(piece)]
        return [self.start, *ids[: self.length - 2], self.end]

    def batch(self, texts):
        """Ids padded with the end of text, and where each text ends."""
        rows = [self.encode(text) for text in texts]
        ids = torch.full((len(rows), max(map(len, rows))), self.end)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return ids, torch.tensor([len(row) - 1 for row in rows])
