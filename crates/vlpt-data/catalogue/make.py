"""Writes catalogue.json: names, classes, templates and expected sizes of the known benchmarks.

    python make.py [folder with the source files, default ../../../../shared/spec/data]

Class names and templates come from the source files (see README.md for their origin and licences); the
rest is in the tables below. A trap that begins with `layout: ` is about files, and matters only to who reads
the set in its own layout.
"""

import ast
import hashlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPEC = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "../../../../shared/spec/data"

# ELEVATER: task: (title, aliases, metric, traps)
ELEVATER = {
    "hateful-memes": ("Hateful Memes", ["hatefulmemes"], "roc_auc", [
        "ELEVATER judges by ROC-AUC, MVLPT by accuracy: a figure says nothing until its metric is named.",
    ]),
    "cifar-10": ("CIFAR-10", ["cifar10", "cifar-10-batches-py", "cifar-10-batches-bin"], "accuracy", [
        "layout: The test images lie in `val.zip`.",
        "The templates are those of CIFAR-100; both lists are the same 18.",
    ]),
    "mnist": ("MNIST", [], "accuracy", [
        "layout: The test images lie in `val.zip`.",
        "Class names are the digits themselves, in quotes in the template.",
    ]),
    "oxford-flower-102": ("Oxford Flowers 102", ["oxford-flowers-102", "flowers102", "flowers"], "mean_per_class", [
        "Train and val have 10 images a class, as the authors split the set; CoOp's own split trains on 4,093.",
    ]),
    "oxford-iiit-pets": ("Oxford-IIIT Pets", ["pets", "oxford-iiit-pet"], "mean_per_class", [
        "layout: The test images lie in `val.zip`.",
        "Judged by the mean over the classes, while CoOp judges the same set by accuracy.",
    ]),
    "resisc45_clip": ("RESISC45", ["resisc45"], "accuracy", [
        "layout: All three splits read one `images.zip`.",
    ]),
    "country211": ("Country211", [], "accuracy", [
        "layout: The index of the val split is called `valid.txt`.",
    ]),
    "food-101": ("Food-101", [], "accuracy", [
        "layout: The test images lie in `val.zip`.",
        "`cheesecake` comes before `cheese plate`: the order of OpenAI's list and of CoOp's set is the other way round.",
    ]),
    "stanford-cars": ("Stanford Cars", ["cars"], "accuracy", [
        "layout: The test images lie in `val.zip`.",
        "The year stands last in a name, and the order ignores case; CoOp puts the year first and numbers the classes otherwise.",
    ]),
    "fgvc-aircraft-2013b-variants102": ("FGVC Aircraft", ["aircraft"], "mean_per_class", [
        "The name says 102, the set has 100 classes.",
        "The order ignores case, so labels differ from those of the set's own `variants.txt`.",
    ]),
    "caltech-101": ("Caltech-101", ["vtab/caltech101"], "mean_per_class", [
        "102 classes, `background` and both kinds of faces among them; CoOp has 100.",
    ]),
    "dtd": ("Describable Textures", ["vtab/dtd"], "accuracy", [
        "The authors' first split, 1,880 images each; CoOp made its own of 2,820, 1,128 and 1,692, so scores do not compare.",
    ]),
    "voc-2007-classification": ("PASCAL VOC 2007", ["voc2007", "voc-2007", "voc2007_multilabel", "pascalvoc2007"], "11point_mAP", [
        "layout: `train.zip` holds the images of train and of val.",
        "Images show several classes. ELEVATER ranks by softmax probabilities, MVLPT by raw logits: the two give different mAP.",
    ]),
    "cifar-100": ("CIFAR-100", ["cifar100", "cifar-100-python", "cifar-100-binary"], "accuracy", [
        "Classes are numbered in an order of its own (chimpanzee, trout, skunk, ...), not in the alphabetical one of the set and its other copies.",
        "layout: The folder is of another year than the rest, and index files are called `train_images.txt` and `test_images.txt`.",
    ]),
    "patch-camelyon": ("PatchCamelyon", ["pcam", "patch_camelyon"], "accuracy", [
        "By far the largest set; the toolkit searched its hyper-parameters on 10,000 images a class where it trained on all.",
        "The template has no full stop.",
    ]),
    "rendered-sst2": ("Rendered SST2", ["renderedsst2", "sst2"], "accuracy", [
        "layout: The index of the val split is called `valid.txt`.",
    ]),
    "gtsrb": ("German Traffic Signs", [], "accuracy", [
        "layout: The label file is called `labelmap.txt`, and the test images lie in `final_test.zip`.",
        "Images are frames of short films of one sign each, so a random split puts near copies on both sides.",
    ]),
    "eurosat_clip": ("EuroSAT", ["vtab/eurosat"], "accuracy", [
        "layout: All three splits read one `2750.zip`.",
        "5,000 images a split; CoOp's split of the same set has 13,500, 5,400 and 8,100 and other class names.",
    ]),
    "fer-2013": ("FER 2013", ["fer2013", "facialemotionrecognition2013"], "accuracy", [
        "Some classes have several names, such as happy and smiling; published classifiers use the first.",
    ]),
    "kitti-distance": ("KITTI Distance", ["kitti", "kitti_closest_vehicle_distance"], "accuracy", [
        "Class names are whole sentences with their full stop, and the template adds nothing: a prompt that ends in its own full stop doubles it.",
        "Images are resized whole, without a centre crop: a car to the left or right would be cut off.",
    ]),
}

# CoOp: name: (title, aliases, folder, image folders, split file, classes, train, val, test, template, traps)
COOP = {
    "ImageNet": ("ImageNet", ["imagenet"], "imagenet", ["images/train", "images/val"], None, 1000,
        1281167, None, 50000, "a photo of a {}.", [
        "The 50,000 images called validation are used for val and for test: choosing by val chooses by test.",
        "layout: Class names come from `classnames.txt` beside the images.",
        "Published code takes the files of a class in the order of the file system, so published few-shot subsets of ImageNet cannot be drawn again; here names are sorted.",
    ]),
    "Caltech101": ("Caltech-101", ["caltech101"], "caltech-101", ["101_ObjectCategories"],
        "split_zhou_Caltech101.json", 100, None, None, None, "a photo of a {}.", [
        "The folders BACKGROUND_Google and Faces_easy are left out, and airplanes, Faces, Leopards and Motorbikes are renamed.",
        "Labels follow the order of the folders before renaming: face, leopard, motorbike, accordion, airplane.",
    ]),
    "OxfordPets": ("Oxford-IIIT Pets", ["oxford_pets"], "oxford_pets", ["images"],
        "split_zhou_OxfordPets.json", 37, None, None, None, "a photo of a {}, a type of pet.", [
        "Class names are in lower case here and in mixed case in ELEVATER; judged by accuracy, not by the mean over the classes.",
    ]),
    "StanfordCars": ("Stanford Cars", ["stanford_cars"], "stanford_cars", ["cars_train", "cars_test"],
        "split_zhou_StanfordCars.json", 196, None, None, None, "a photo of a {}.", [
        "The year stands first in a name, as in 2012 Tesla Model S.",
        "The first home of the images is gone from the web; paths in the split file begin at the set's folder.",
    ]),
    "OxfordFlowers": ("Oxford Flowers 102", ["oxford_flowers"], "oxford_flowers", ["jpg"],
        "split_zhou_OxfordFlowers.json", 102, None, None, None, "a photo of a {}, a type of flower.", [
        "Labels count from 0, the numbers in `cat_to_name.json` from 1.",
        "The split is CoOp's own, with four times the training images of the authors' split.",
    ]),
    "Food101": ("Food-101", ["food101"], "food-101", ["images"],
        "split_zhou_Food101.json", 101, 50500, 20200, 30300, "a photo of {}, a type of food.", [
        "The split is CoOp's own and mixes the authors' train and test images.",
    ]),
    "FGVCAircraft": ("FGVC Aircraft", ["fgvc_aircraft", "fgvc-aircraft-2013b"], "fgvc_aircraft", ["images"],
        None, 100, 3334, 3333, 3333, "a photo of a {}, a type of aircraft.", [
        "layout: There is no split file: labels are lines of `variants.txt`, splits are `images_variant_{train,val,test}.txt`.",
        "`variants.txt` writes F-16A/B and F/A-18 with a slash.",
    ]),
    "SUN397": ("SUN397", ["sun397"], "sun397", ["SUN397"],
        "split_zhou_SUN397.json", 397, 15880, 3970, 19850, "a photo of a {}.", [
        "A name is made of the parts of its path, last first, so `apartment_building/outdoor` reads outdoor apartment building; OpenAI's list has them the other way round.",
    ]),
    "DescribableTextures": ("Describable Textures", ["describable_textures"], "dtd", ["images"],
        "split_zhou_DescribableTextures.json", 47, None, None, None, "{} texture.", [
        "The split is CoOp's own: half, a fifth, and three tenths of all 5,640 images.",
    ]),
    "EuroSAT": ("EuroSAT", ["eurosat"], "eurosat", ["2750"],
        "split_zhou_EuroSAT.json", 10, None, None, None, "a centered satellite photo of {}.", [
        "Class names are longer than the folder names, as AnnualCrop becomes Annual Crop Land; they differ from ELEVATER's.",
    ]),
    "UCF101": ("UCF101", ["ucf101"], "ucf101", ["UCF-101-midframes"],
        "split_zhou_UCF101.json", 101, None, None, None, "a photo of a person doing {}.", [
        "Images are the middle frames of videos; names in CamelCase are split into words.",
    ]),
}

# ImageNet and its variants: name: (title, aliases, folder, images at, classes, class list, test, traps)
IMAGENET = {
    "ImageNetV2": ("ImageNetV2", ["imagenetv2"], "imagenetv2",
        ["imagenetv2-matched-frequency-format-val"], 1000, True, 10000, [
        "layout: Folder k belongs to line k of `classnames.txt`, counted from 0: folders must be sorted as numbers, not as text.",
    ]),
    "ImageNet-Sketch": ("ImageNet-Sketch", ["imagenet_sketch"], "imagenet-sketch", ["images"], 1000, True, 50889, []),
    "ImageNet-A": ("ImageNet-A", ["imagenet_a", "imagenet-adversarial"], "imagenet-adversarial", ["imagenet-a"],
        200, False, 7500, [
        "200 of ImageNet's classes: a label is the place among these 200 sorted folders, and a prompt learned on ImageNet is judged among these 200 names only.",
        "layout: A `README.txt` lies among the class folders.",
    ]),
    "ImageNet-R": ("ImageNet-R", ["imagenet_r", "imagenet-rendition"], "imagenet-rendition", ["imagenet-r"],
        200, False, 30000, [
        "200 of ImageNet's classes, not the same as those of ImageNet-A: a label is the place among these 200 sorted folders, and a prompt learned on ImageNet is judged among these 200 names only.",
        "layout: A `README.txt` lies among the class folders.",
    ]),
}
IMAGENET_TRAP = "Two pairs of classes share a name, missile and sunglasses: no text can tell them apart."
SPELLING_TRAP = "Names are OpenAI's; a `classnames.txt` beside the images may spell some otherwise."


def prompt_tables():
    """The assignments of the ELEVATER prompt file, as data; nothing of it is run."""
    tree = ast.parse((SPEC / "elevater_prompts.py.txt").read_text())
    lists, maps = {}, {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        name = node.targets[0].id
        if isinstance(node.value, ast.List):
            lists[name] = ast.literal_eval(node.value)
        elif isinstance(node.value, ast.Dict):
            maps[name] = {k.value: v.id for k, v in zip(node.value.keys, node.value.values)}
    return lists, maps


def openai_classes(section):
    """The class list of a section of OpenAI's prompts.md."""
    text = (SPEC / "openai_prompts.md").read_text()
    body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.S | re.M).group(1)
    return ast.literal_eval(re.search(r"classes = (\[.*?\n\])", body, re.S).group(1))


def split_facts(file):
    """Class names (underscores read as blanks, as texts have them) and sizes of a CoOp split file."""
    data = json.loads((SPEC / "splits" / file).read_text())
    names = {label: name for rows in data.values() for _, label, name in rows}
    assert sorted(names) == list(range(len(names))), file
    return [names[i].replace("_", " ") for i in range(len(names))], [len(data[s]) for s in ("train", "val", "test")]


def elevater_entries(lists, maps):
    registry = {d["name"]: d for d in json.loads((SPEC / "vision_datasets.json").read_text())}
    for name, (title, aliases, metric, traps) in ELEVATER.items():
        info = registry[name]
        raw = lists[maps["class_map"][name]]
        splits = {}
        for split in ("train", "val", "test"):
            if split in info:
                s = info[split]
                splits[split] = {"images": s["num_images"], "index": s["index_path"], "archives": s["files_for_local_usage"]}
        entry = {
            "name": name, "title": title, "suite": "elevater", "aliases": aliases,
            "folders": [info["root_folder"].split("/")[-1]],
            "class_count": len(raw),
            "classes": [c if isinstance(c, str) else c[0] for c in raw],
            "templates": lists[maps["template_map"][name]],
            "metric": metric,
            "multi_label": info["type"] == "classification_multilabel",
            "center_crop": name != "kitti-distance",
            "splits": splits,
            "traps": traps,
        }
        if any(not isinstance(c, str) for c in raw):
            entry["synonyms"] = [[c] if isinstance(c, str) else c for c in raw]
        if "labelmap" in info:
            entry["label_file"] = info["labelmap"]
        assert info.get("num_classes") in (None, len(raw)), name
        yield entry


def coop_entries():
    for name, row in COOP.items():
        title, aliases, folder, images, split_file, count, train, val, test, template, traps = row
        classes = None
        if train is None:
            classes, (train, val, test) = split_facts(split_file)
            assert len(classes) == count, name
        elif name == "Food101":
            classes = openai_classes("Food101")  # the order of the folders' names
            folders = [c.replace(" ", "_") for c in classes]
            assert folders == sorted(folders)
        elif name == "FGVCAircraft":
            classes = openai_classes("FGVCAircraft")  # the order of variants.txt
            assert classes == sorted(classes)
        entry = {
            "name": name, "title": title, "suite": "coop", "aliases": aliases, "folders": [folder],
            "class_count": count, "classes": classes, "templates": [template], "metric": "accuracy",
            "splits": {s: {"images": n} for s, n in (("train", train), ("val", val), ("test", test)) if n},
            "image_folders": images, "traps": traps,
        }
        if split_file:
            entry["split_file"] = split_file
            if (SPEC / "splits" / split_file).exists():
                entry["split_sha256"] = hashlib.sha256((SPEC / "splits" / split_file).read_bytes()).hexdigest()
        yield entry


def imagenet_entries(lists):
    classes = lists["imagenet_classes"]
    registry = {d["name"]: d for d in json.loads((SPEC / "vision_datasets.json").read_text())}["imagenet-1k"]
    yield {
        "name": "imagenet-1k", "title": "ImageNet", "suite": "imagenet", "aliases": ["imagenet1k", "ilsvrc2012"],
        "folders": [registry["root_folder"].split("/")[-1]], "class_count": 1000, "classes": classes,
        "templates": "imagenet-80", "metric": "accuracy",
        "splits": {
            "train": {"images": 1281167, "index": registry["train"]["index_path"], "archives": registry["train"]["files_for_local_usage"]},
            "test": {"images": 50000, "index": registry["test"]["index_path"], "archives": registry["test"]["files_for_local_usage"]},
        },
        "traps": [IMAGENET_TRAP],
    }
    for name, (title, aliases, folder, images, count, known, test, traps) in IMAGENET.items():
        yield {
            "name": name, "title": title, "suite": "imagenet", "aliases": aliases, "folders": [folder],
            "class_count": count, "classes": "imagenet-1k" if known else None,
            "templates": ["a photo of a {}."], "metric": "accuracy", "splits": {"test": {"images": test}},
            "image_folders": images, "traps": traps + ([SPELLING_TRAP, IMAGENET_TRAP] if known else []),
        }


def main():
    lists, maps = prompt_tables()
    entries = [*elevater_entries(lists, maps), *coop_entries(), *imagenet_entries(lists)]
    for entry in entries:
        traps = entry.pop("traps")
        entry["traps"] = [t for t in traps if not t.startswith("layout: ")]
        entry["layout_traps"] = [t.removeprefix("layout: ") for t in traps if t.startswith("layout: ")]
    data = {"template_sets": {"imagenet-80": lists["imagenet_templates"]}, "entries": entries}
    text = json.dumps(data, ensure_ascii=False, indent=1)
    # lists of short strings on one line: a diff stays readable, and the file half as long
    text = re.sub(r"\[\n\s+((?:\"(?:[^\"\\]|\\.)*\"(?:,\n\s+)?)+)\n\s+\]", lambda m: "[" + re.sub(r"\n\s+", " ", m.group(1)) + "]", text)
    (HERE / "catalogue.json").write_text(text + "\n")


main()
