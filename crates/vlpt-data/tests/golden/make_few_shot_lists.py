"""Writes few-shot lists as CPython's pickle writes Dassl's records, and loads those that Rust wrote.

    python make_few_shot_lists.py            writes few_shot_lists/protocol-{2,3,4,5}.pkl and hostile-*.pkl
    python make_few_shot_lists.py FILE.pkl   loads a list of `vlpt data sample` and prints it

Needs CPython alone (3.11 was used). The records are of a class of the same name and module as Dassl's, made
here from its documented attributes.
"""

import pathlib
import pickle
import sys
import types

OUT = pathlib.Path(__file__).parent / "few_shot_lists"


class Datum:
    def __init__(self, impath="", label=0, domain=0, classname=""):
        self._impath = impath
        self._label = label
        self._domain = domain
        self._classname = classname


def known_as_dassl():
    name = "dassl"
    for part in ["", ".data", ".data.datasets", ".data.datasets.base_dataset"]:
        sys.modules[name + part] = types.ModuleType(name + part)
    module = sys.modules["dassl.data.datasets.base_dataset"]
    module.Datum = Datum
    Datum.__module__ = module.__name__


class Attack:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def subset():
    classes = ["class 0", "class 1", "class 2", "class 3"]
    image = lambda part, n: Datum(f"/home/someone/data/small/{part}/{n}", n % 4, 0, classes[n % 4])
    # two images a class, one of them twice, and one validation image a class
    train = [image("train", n) for n in [0, 4, 1, 5, 2, 2, 3, 7]]
    return {"train": train, "val": [image("val", n) for n in range(4)]}


def write():
    OUT.mkdir(exist_ok=True)
    for protocol in [2, 3, 4, 5]:
        (OUT / f"protocol-{protocol}.pkl").write_bytes(pickle.dumps(subset(), protocol))
    (OUT / "no-val.pkl").write_bytes(pickle.dumps({"train": subset()["train"]}, 5))
    import os

    for protocol in [2, 5]:
        call = {"train": Attack(os.system, "echo attacked")}
        (OUT / f"hostile-call-{protocol}.pkl").write_bytes(pickle.dumps(call, protocol))
    inside = subset()
    inside["train"][1]._label = Attack(eval, "1 + 1")
    (OUT / "hostile-label.pkl").write_bytes(pickle.dumps(inside, 4))


def show(path):
    data = pickle.loads(pathlib.Path(path).read_bytes())
    for part, images in data.items():
        for image in images:
            print(part, image._impath, image._label, image._domain, image._classname)


if __name__ == "__main__":
    known_as_dassl()
    if len(sys.argv) > 1:
        show(sys.argv[1])
    else:
        write()
