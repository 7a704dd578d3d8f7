"""Puts results.json into the page: table.py PAGE. What stands above the first table and below the last stays."""

import json
import pathlib
import sys

START, END = "<!-- made by bench/export/check.sh -->", "<!-- end -->"
NAMES = {
    "mini-clip-maple": "mini-clip, `maple`",
    "mini-clip-lora": "mini-clip, `clip-lora`",
    "vit-b-16-vpt": "random ViT-B/16, `vpt`",
}

results = json.loads(pathlib.Path("results.json").read_text())
lines = [START, "", "| prompt | form | run by | largest difference of a probability | size MB | ms a photo |", "|---|---|---|---|---|---|"]
for r in results["graphs"]:
    lines.append(f"| {NAMES[r['name']]} | {r['form']} | {r['runtime']} | {r['apart']:.1e} | {r['bytes'] / 1e6:.1f} | {r['ms']:.0f} |")
lines += ["", "In the browser, decoding included; of photos of any size also the library's own resizing, which is not Pillow's:", ""]
lines += ["| prompt | photos of | dtype | run by | same answer | largest difference of a probability | ms a photo |", "|---|---|---|---|---|---|---|"]
for r in results["browser"]:
    lines.append(f"| {NAMES[r['name']]} | {r['images']} | {r['dtype']} | {r['runtime']} | {r['same']} of {r['photos']} | {r['apart']:.1e} | {r['ms']:.0f} |")
lines += ["", "Features of length one of the low-rank updates, three ways:", "", "| way | largest difference of a feature |", "|---|---|"]
for r in results["folders"]:
    lines.append(f"| {r['way']} | {r['apart']:.1e} |")
page = pathlib.Path(sys.argv[1])
text = page.read_text()
before, rest = text.split(START)
after = rest.split(END)[1]
page.write_text(before + "\n".join(lines) + "\n\n" + END + after)
