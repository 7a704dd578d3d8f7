"""Writes tokenizer.jsonl: odd texts with the ids that OpenAI's published steps give them.

The steps are written again here from their description, on the same Python packages that the
published code uses (ftfy 6.3, regex, html): clean, cut, byte alphabet, merge by rank.

    python make_tokenizer.py                 # from this folder
"""

import gzip
import html
import json
import pathlib
import random

import ftfy
import regex

HERE = pathlib.Path(__file__).parent
ASSETS = HERE / "../../assets"
SOT, EOT = "<|startoftext|>", "<|endoftext|>"
PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)


def alphabet():
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in own]
    return {b: chr(b) for b in own} | {b: chr(256 + i) for i, b in enumerate(rest)}


ALPHABET = alphabet()


class Tokenizer:
    def __init__(self, ids, merges):
        self.ids = ids
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}

    @staticmethod
    def openai():
        raw = (ASSETS / "openai-bpe/bpe_simple_vocab_16e6.txt.gz").read_bytes()
        lines = gzip.decompress(raw).decode().split("\n")[1 : 49152 - 256 - 2 + 1]
        merges = [tuple(line.split()) for line in lines]
        vocabulary = list(ALPHABET.values())
        vocabulary += [text + "</w>" for text in vocabulary]
        vocabulary += ["".join(pair) for pair in merges] + [SOT, EOT]
        return Tokenizer({text: i for i, text in enumerate(vocabulary)}, merges)

    @staticmethod
    def folder(path):
        lines = (path / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
        ids = json.loads((path / "vocab.json").read_text(encoding="utf-8"))
        return Tokenizer(ids, [tuple(line.split()) for line in lines if line])

    def piece(self, text):
        if text in (SOT, EOT):
            return [self.ids[text]]
        word = [ALPHABET[b] for b in text.encode()]
        word[-1] += "</w>"
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self.ranks.get(pair, 1 << 60))
            if best not in self.ranks:
                break
            merged, i = [], 0
            while i < len(word):
                if tuple(word[i : i + 2]) == best:
                    merged.append(word[i] + word[i + 1])
                    i += 2
                else:
                    merged.append(word[i])
                    i += 1
            word = merged
        return [self.ids[symbol] for symbol in word]

    def __call__(self, text):
        text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
        text = regex.sub(r"\s+", " ", text).strip().lower()
        return [i for piece in PATTERN.findall(text) for i in self.piece(piece)]


PLAIN = """
a photo of a cat|a photo of a dog.|x|.|..|side..|snoopy (cartoon beagle).|U.S. Virgin Is..|
A  photo\tof\n a   cat|   |hello, world!!!|3.14159|747-400|F-16A/B|McDonnell Douglas DC-9-30|2012 Ferrari 458|
it's we're they've I'm you'll he'd don't|IT'S|o'clock|''s|'S|rock'n'roll|'\u017f x\u017f|
<|startoftext|>|a <|endoftext|> b|<|EndOfText|>|<|endoftext|><|startoftext|>x|<| startoftext|>|
\u201ccurly\u201d \u2018quotes\u2019 it\u2019s|\u201elow\u201f \u201ahm\u201b|\u02bcn|caf\u00e9|cafe\u0301|na\u00efve r\u00e9sum\u00e9|
\uff26\uff35\uff2c\uff2c \uff57\uff49\uff44\uff54\uff48 \uff11\uff12\uff13|\uff76\uff9e\uff80\uff76\uff85|a\u3000b|\ufb01ne \ufb02u\ufb03 \ufb06|\u0132 \u01c6 \u0149 \ufb05|
\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8|\ud55c\uad6d\uc5b4|\u0928\u092e\u0938\u094d\u0924\u0947|\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35|\u05e2\u05d1\u05e8\u05d9\u05ea|\u0627\u0644\u0639\u0631\u0628\u064a\u0629|\u039f\u0394\u039f\u03a3 \u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3 \u03a3|
\u0130stanbul I \u0131|\u00df \u1e9e|\u00bd \u00b2 \u2460 \u2167 \u0664|\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467|\U0001f1e9\U0001f1ea|\u2764\ufe0f|\u00ad|a\u00adb|a\u200bb|\u2028a\u2029b|
\ufeffbom|\x00\x01nul|tab\tform\x0cfeed\x0bvt|\x1b[31mred\x1b[0m|\x85 next|\x93old quotes\x94|a\x1c\x1d\x1e\x1fb|\ufffc\ufffd|\u206aa|
Tom &amp; Jerry|Tom &amp;amp; Jerry|&lt;b&gt;|5 &lt 6|&eacute; &EACUTE; &nTILDE;|&notit; &notin; &not|&hellip &hellip;|&#39;s &#x27;s|&#0; &#128; &#x80; &#xD800; &#1114112; &#99999999999999;|&#1;|&#xA0;x|&;&#;&#x;|&amp|&ampx|&AMP;&AMP|&copy2020|<b>&amp;</b>|&#59;|&amp;#59;|&amp;lt;|&NotEqualTilde;|&CounterClockwiseContourIntegral;|
cr\u00c3\u00a8me br\u00c3\u00bbl\u00c3\u00a9e|it\u00e2\u20ac\u2122s|caf\u00c3\u0192\u00c2\u00a9|S\u00c3\u00a3o Paulo|\u00f0\u0178\u02dc\u20ac|\u00d0\u009f\u00d1\u0080\u00d0\u00b8|\u00c3|\u00c5ngstr\u00f6m|\u0345 a\u0345|e\u0327\u0301|
!!!???...|#hashtag @user_name|https://example.org/a?b=c&d=e|C++ / C#|$100 \u20ac100 \u00a5100|50%|a_b_c|under_score name|--- -- -|(((x)))|\\n \\t|"quoted"|`tick`|~!@#$%^&*()_+{}|:\"<>?|
supercalifragilisticexpialidocious|antidisestablishmentarianism|pneumonoultramicroscopicsilicovolcanoconiosis|zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz|ababababababababab|lololololololol
""".replace("|\n", "|").strip("\n")


def texts():
    """Hand-made texts, then random ones from a few alphabets; all well-formed Unicode."""
    out = [text for text in PLAIN.split("|") if text]
    random.seed(0)
    words = [w for text in out for w in text.split() if w.isprintable() and "\u00c3" not in w]
    for _ in range(90):
        glue = random.choice([" ", "", "  ", "-", "'"])
        out.append(glue.join(random.choice(words) for _ in range(random.randint(1, 6))))
    ranges = [(0x20, 0x7F), (0xA1, 0x180), (0x370, 0x500), (0x2010, 0x2070), (0x3040, 0x3100)]
    ranges += [(0xFB00, 0xFB07), (0xFF01, 0xFF60), (0x1F300, 0x1F600)]
    for _ in range(90):
        low, high = random.choice(ranges)
        out.append("".join(chr(random.randrange(low, high)) for _ in range(random.randint(1, 9))))
    return list(dict.fromkeys(out))


def main():
    openai = Tokenizer.openai()
    mini = Tokenizer.folder(ASSETS / "mini-clip")
    assert openai("a photo of a cat") == [320, 1125, 539, 320, 2368]
    lines = (
        json.dumps({"text": text, "openai": openai(text), "mini": mini(text)}, separators=(",", ":"))
        for text in texts()
    )
    (HERE / "tokenizer.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
