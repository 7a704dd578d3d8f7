"""One tiny random model in every file format that vlpt reads.

    python make_formats.py

writes beside this script (PyTorch, safetensors). The values are multiples of 1/64 below 2 in
size, so f32, f16 and bf16 files hold exactly the same numbers. A second model, of width 64, is
there because OpenAI's archives carry no sizes and its heads are always 64 wide.
"""

import json
import pathlib
import warnings

import torch
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "formats"
VOCAB = 56
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def draw(generator, *shape):
    return torch.randint(-127, 128, shape, generator=generator).float() / 64


class Block(nn.Module):
    def __init__(self, width, mlp):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 1)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, mlp), "c_proj": nn.Linear(mlp, width)})

    def forward(self, x):
        return x


class Transformer(nn.Module):
    def __init__(self, width, layers, mlp):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, mlp) for _ in range(layers)])

    def forward(self, x):
        return self.resblocks(x)


class Visual(nn.Module):
    def __init__(self, width, layers, mlp, image, patch, embed):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(1 + (image // patch) ** 2, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, mlp)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, embed))

    def forward(self, x):
        return self.conv1(x)


class Clip(nn.Module):
    """The names of OpenAI's modules; what it computes does not matter here."""

    def __init__(self, text, vision, context, embed):
        super().__init__()
        self.visual = Visual(**vision, embed=embed)
        self.transformer = Transformer(**text)
        self.token_embedding = nn.Embedding(VOCAB, text["width"])
        self.ln_final = nn.LayerNorm(text["width"])
        self.positional_embedding = nn.Parameter(torch.zeros(context, text["width"]))
        self.text_projection = nn.Parameter(torch.zeros(text["width"], embed))
        self.logit_scale = nn.Parameter(torch.zeros(()))
        for name, value in [("input_resolution", vision["image"]), ("context_length", context)]:
            self.register_buffer(name, torch.tensor(value))
        self.register_buffer("vocab_size", torch.tensor(VOCAB))

    def forward(self, x):
        return self.visual(x)


def random_clip(seed, text, vision, context, embed):
    generator = torch.Generator().manual_seed(seed)
    clip = Clip(text, vision, context, embed)
    with torch.no_grad():
        for _, parameter in sorted(clip.named_parameters()):
            parameter.copy_(draw(generator, *parameter.shape))
        clip.logit_scale.fill_(2.625)
    return clip.eval()


def script(clip, path):
    """A TorchScript archive with OpenAI's mix of f16 and f32."""
    half = ["conv1.weight", "in_proj", "out_proj", "mlp", "text_projection", "visual.proj"]
    for name, parameter in clip.named_parameters():
        if any(part in name for part in half):
            parameter.data = parameter.data.half()
    image = torch.zeros(1, 3, int(clip.input_resolution), int(clip.input_resolution))
    torch.jit.save(torch.jit.trace(clip, image.half(), check_trace=False), path)


def to_hf(state):
    """Hugging Face names; q, k and v are views into the packed matrix."""
    names = {
        "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "logit_scale": "logit_scale",
    }
    parts = {
        "visual.ln_pre": "vision_model.pre_layrnorm",
        "visual.ln_post": "vision_model.post_layernorm",
        "ln_final": "text_model.final_layer_norm",
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    }
    out = {}
    for name, value in state.items():
        if name in names:
            out[names[name]] = value
        elif name in ("text_projection", "visual.proj"):
            out["text_projection.weight" if name[0] == "t" else "visual_projection.weight"] = value.t()
        elif "in_proj" in name:
            kind = name.rsplit("_", 1)[1]
            base = block(name).replace("attn.in_proj_" + kind, "self_attn.")
            for letter, piece in zip("qkv", value.chunk(3)):
                out[f"{base}{letter}_proj.{kind}"] = piece
        elif name in ("input_resolution", "context_length", "vocab_size"):
            continue
        else:
            for old, new in parts.items():
                if name.startswith(old + ".") or f".{old}." in name:
                    out[block(name).replace(old, new)] = value
    return out


def block(name):
    name = name.replace("visual.transformer.resblocks", "vision_model.encoder.layers")
    return name.replace("transformer.resblocks", "text_model.encoder.layers")


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n")


def vocabulary():
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    merges = ["a t</w>", "c at</w>"]
    words = letters + [c + "</w>" for c in letters] + ["at</w>", "cat</w>"]
    words += ["<|startoftext|>", "<|endoftext|>"]
    assert len(words) == VOCAB
    write(HERE / "tokenizer/vocab.json", {word: i for i, word in enumerate(words)})
    (HERE / "tokenizer/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


def main():
    vocabulary()
    text = dict(width=8, layers=2, mlp=32)
    vision = dict(width=12, layers=2, mlp=48, image=16, patch=4)
    clip = random_clip(0, text, vision, context=12, embed=6)
    state = {name: value.detach().clone() for name, value in clip.state_dict().items()}
    weights = {n: v for n, v in state.items() if n not in ("input_resolution", "context_length", "vocab_size")}
    hf = to_hf(weights)
    plain = {name: value.contiguous() for name, value in hf.items()}

    config = {
        "model_type": "clip",
        "projection_dim": 6,
        "text_config": dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                            max_position_embeddings=12, vocab_size=VOCAB, eos_token_id=VOCAB - 1,
                            hidden_act="gelu", layer_norm_eps=1e-5),
        "vision_config": dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
                              image_size=16, patch_size=4, num_channels=3, hidden_act="gelu",
                              layer_norm_eps=1e-5),
    }
    preprocessor = dict(do_resize=True, size={"shortest_edge": 16}, do_center_crop=True,
                        crop_size={"height": 16, "width": 16}, resample=3, image_mean=MEAN, image_std=STD)
    open_clip = {
        "model_cfg": {
            "embed_dim": 6,
            "quick_gelu": False,
            "vision_cfg": dict(image_size=16, layers=2, width=12, head_width=4, patch_size=4),
            "text_cfg": dict(context_length=12, vocab_size=VOCAB, width=8, heads=2, layers=2),
        },
        "preprocess_cfg": dict(mean=MEAN, std=STD, interpolation="bicubic", resize_mode="shortest"),
    }

    for folder in ["hf", "hf-sharded", "hf-bf16", "hf-bin"]:
        write(HERE / folder / "config.json", config)
        write(HERE / folder / "preprocessor_config.json", preprocessor)
    save_file(plain, HERE / "hf/model.safetensors")
    save_file({n: v.bfloat16() for n, v in plain.items()}, HERE / "hf-bf16/model.safetensors")

    shards = [sorted(plain)[0::2], sorted(plain)[1::2]]
    where = {}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-00002.safetensors"
        save_file({n: plain[n].half() for n in shard}, HERE / "hf-sharded" / file)
        where.update({n: file for n in shard})
    write(HERE / "hf-sharded/model.safetensors.index.json", {"metadata": {}, "weight_map": where})

    # views into shared storages, transposed ones too, and a buffer that nobody needs
    views = {n: v if n.endswith("projection.weight") else v.clone() if "_proj." not in n else v
             for n, v in to_hf({n: v.half() for n, v in weights.items()}).items()}
    views["text_model.embeddings.position_ids"] = torch.arange(12).unsqueeze(0)
    torch.save(views, HERE / "hf-bin/pytorch_model.bin")

    for folder in ["open-clip", "open-clip-bin", "openai"]:
        write(HERE / folder / "open_clip_config.json", open_clip)
    save_file({n: v.half() for n, v in weights.items()}, HERE / "open-clip/open_clip_model.safetensors")
    checkpoint = {"epoch": 3, "name": "tiny", "state_dict": {"module." + n: v.half() for n, v in weights.items()}}
    torch.save(checkpoint, HERE / "open-clip-bin/open_clip_pytorch_model.bin")
    script(clip, HERE / "openai/model.pt")

    wide = random_clip(1, dict(width=64, layers=1, mlp=16),
                       dict(width=64, layers=1, mlp=16, image=8, patch=4), context=9, embed=6)
    (HERE / "openai-64").mkdir(exist_ok=True)
    wide.token_embedding.half()
    script(wide, HERE / "openai-64/model.pt")


if __name__ == "__main__":
    for folder in ["openai"]:
        (HERE / folder).mkdir(parents=True, exist_ok=True)
    main()
