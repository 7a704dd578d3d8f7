"""A CLIP ViT-B/16 of random weights by transformers, with another model's tokenizer: make_model.py TOKENIZER OUT.

torch 2.x, transformers 5.x.
"""

import pathlib
import shutil
import sys

import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

tokenizer, out = map(pathlib.Path, sys.argv[1:])
torch.manual_seed(0)
text = {
    "hidden_size": 512,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
    "vocab_size": 4610,
    "bos_token_id": 4608,
    "eos_token_id": 4609,
    "pad_token_id": 4609,
}
vision = {
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "patch_size": 16,
    "image_size": 224,
}
model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=512))
# near what training leaves, so that attention and norms are not those of zeros and ones
with torch.no_grad():
    for name, tensor in model.named_parameters():
        if "norm" in name or "layrnorm" in name or name.endswith(".bias"):
            tensor.add_(0.1 * torch.randn_like(tensor))
        elif name == "logit_scale":
            tensor.fill_(4.6052)
model.save_pretrained(out)
CLIPImageProcessor().save_pretrained(out)
for file in ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"]:
    shutil.copy(tokenizer / file, out / file)
