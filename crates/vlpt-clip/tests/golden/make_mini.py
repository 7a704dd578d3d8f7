"""Features of the embedded model by transformers: `python make_mini.py` writes mini_features.json."""

import json
import pathlib

import torch
from transformers import CLIPModel

HERE = pathlib.Path(__file__).parent


def tokens(text):
    """Ids written by hand, so that this file needs no tokenizer: start, some ids, end."""
    return [[text.bos_token_id, *range(300, 300 + n), text.eos_token_id] for n in (1, 5, 40)]


def main():
    model = CLIPModel.from_pretrained(HERE / "../../assets/mini-clip", dtype=torch.float32).eval()
    ids_of_texts = tokens(model.config.text_config)
    index = torch.arange(2 * 3 * 64 * 64, dtype=torch.float64)
    images = (torch.sin(index * 0.37) + torch.cos(index * 0.0011)).float().view(2, 3, 64, 64)
    with torch.no_grad():
        text = []
        for ids in ids_of_texts:
            hidden = model.text_model(input_ids=torch.tensor([ids])).pooler_output
            text.append(model.text_projection(hidden)[0].tolist())
        pooled = model.vision_model(pixel_values=images).pooler_output
        image = model.visual_projection(pooled).tolist()
    rounded = {name: [[round(v, 6) for v in row] for row in rows] for name, rows in (("text", text), ("image", image))}
    rounded["tokens"] = ids_of_texts
    (HERE / "mini_features.json").write_text(json.dumps(rounded) + "\n")


if __name__ == "__main__":
    main()
