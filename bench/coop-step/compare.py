"""One CoOp step in PyTorch and in vlpt, in turns: text tower of ViT-B/16's size, random weights, f32.

    cargo build --release -p vlpt-clip --example coop_memory
    python bench/coop-step/compare.py target/release/examples/coop_memory [CLASSES] [CONTEXTS]

It needs Python with `torch` and `transformers`. PyTorch computes what the published code computes, all texts padded
to 77 tokens, and the same cut after the last end token; class names are 1 to 3 tokens long on both sides.
"""
import re, statistics, subprocess, sys, time

import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

program = sys.argv[1]
classes = int(sys.argv[2]) if len(sys.argv) > 2 else 100
contexts = int(sys.argv[3]) if len(sys.argv) > 3 else 16
torch.manual_seed(0)
config = CLIPTextConfig(vocab_size=49408, hidden_size=512, intermediate_size=2048, projection_dim=512,
                        num_hidden_layers=12, num_attention_heads=8, hidden_act="quick_gelu", eos_token_id=49407)
model = CLIPTextModelWithProjection(config).eval().requires_grad_(False)
text = model.text_model
ids = torch.zeros(classes, 77, dtype=torch.long)
for c in range(classes):
    name = torch.randint(300, 40000, (1 + c % 3,))
    row = torch.cat([torch.tensor([49406]), torch.full((contexts,), 343), name, torch.tensor([269, 49407])])
    ids[c, : len(row)] = row
end = ids.argmax(1)
context = (torch.randn(contexts, 512) * 0.02).requires_grad_()


def step(length):
    """Forward and backward to the context with texts of `length` tokens."""
    hidden = text.embeddings.token_embedding(ids[:, :length])
    hidden = torch.cat([hidden[:, :1], context.expand(classes, -1, -1), hidden[:, 1 + contexts :]], 1)
    hidden = hidden + text.embeddings.position_embedding.weight[:length]
    mask = torch.full((length, length), float("-inf")).triu(1)[None, None]
    for layer in text.encoder.layers:
        out = layer(hidden, attention_mask=mask)
        hidden = out[0] if isinstance(out, tuple) else out
    features = model.text_projection(text.final_layer_norm(hidden)[torch.arange(classes), end])
    context.grad = None
    features.backward(features.detach())


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


times = {"PyTorch, 77 tokens": [], f"PyTorch, cut to {int(end.max()) + 1} tokens": [], "vlpt, token tree": []}
step(int(end.max()) + 1)
for _ in range(3):
    whole, cut, ours = times.values()
    whole.append(timed(lambda: step(77)))
    cut.append(timed(lambda: step(int(end.max()) + 1)))
    said = subprocess.run([program, str(classes), str(contexts)], capture_output=True, text=True, check=True).stdout
    ours.append(float(re.search(r"median ([0-9.]+) s", said).group(1)))
base = statistics.median(times["vlpt, token tree"])
print(f"{classes} classes, {contexts} context tokens, {torch.get_num_threads()} threads, torch {torch.__version__}, f32; medians of 3")
for name, values in times.items():
    print(f"| {name} | {statistics.median(values):.2f} s | {statistics.median(values) / base:.1f} |")
