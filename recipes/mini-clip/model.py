"""The two towers of a CLIP with the names and shapes of Hugging Face's, and the heads for the teachers.

Written out rather than taken from a library so that most patches can be left out before the first layer.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

IMAGE = dict(width=256, layers=8, heads=4, side=64, patch=8)
TEXT = dict(width=192, layers=4, heads=3, length=77)
JOINT = 256
PARTS = 4


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x, causal):
        n, length, width = x.shape
        split = lambda y: y.view(n, length, self.heads, -1).transpose(1, 2)
        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        # On a CPU the fused attention's way back costs more than all else for rows this short.
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if causal:
            scores = scores + scores.new_full((length, length), -1e4).triu(1)
        y = torch.softmax(scores, -1, dtype=scores.dtype) @ v
        return self.out_proj(y.transpose(1, 2).reshape(n, length, width))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn, self.mlp = Attention(width, heads), Mlp(width)

    def forward(self, x, causal):
        x = x + self.self_attn(self.layer_norm1(x), causal)
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self, width, layers, heads):
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))

    def forward(self, x, causal):
        for layer in self.layers:
            x = layer(x, causal)
        return x


class ImageTower(nn.Module):
    def __init__(self, width, layers, heads, side, patch):
        super().__init__()
        self.patch, self.count = patch, (side // patch) ** 2
        self.embeddings = nn.Module()
        self.embeddings.class_embedding = nn.Parameter(torch.randn(width) * width**-0.5)
        self.embeddings.patch_embedding = nn.Conv2d(3, width, patch, patch, bias=False)
        self.embeddings.position_embedding = nn.Embedding(self.count + 1, width)
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.encoder = Encoder(width, layers, heads)

    def forward(self, x, keep):
        """The class token's output; with `keep` below all patches, from a random choice of them."""
        patches = F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)
        places = self.embeddings.position_embedding.weight
        if keep < self.count:
            chosen = torch.rand(len(x), self.count).argsort(1)[:, :keep]
            patches = patches.gather(1, chosen[..., None].expand(-1, -1, patches.shape[-1]))
            where = places[1:][chosen]
        else:
            where = places[1:].expand(len(x), -1, -1)
        patches = F.linear(patches, self.embeddings.patch_embedding.weight.flatten(1)) + where
        first = (self.embeddings.class_embedding + places[0]).expand(len(x), 1, -1)
        x = self.pre_layrnorm(torch.cat([first.to(patches.dtype), patches], 1))
        return self.post_layernorm(self.encoder(x, False)[:, 0])


class TextTower(nn.Module):
    def __init__(self, width, layers, heads, length, words):
        super().__init__()
        self.embeddings = nn.Module()
        self.embeddings.token_embedding = nn.Embedding(words, width)
        self.embeddings.position_embedding = nn.Embedding(length, width)
        self.encoder = Encoder(width, layers, heads)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, ids, ends):
        """The output at each text's end; what is padded after it is never looked at."""
        x = self.embeddings.token_embedding(ids)
        x = self.encoder(x + self.embeddings.position_embedding.weight[: ids.shape[1]], True)
        return self.final_layer_norm(x[torch.arange(len(ids)), ends])


class Clip(nn.Module):
    def __init__(self, words, image_teacher, text_teacher):
        super().__init__()
        self.vision_model, self.text_model = ImageTower(**IMAGE), TextTower(**TEXT, words=words)
        self.visual_projection = nn.Linear(IMAGE["width"], JOINT, bias=False)
        self.text_projection = nn.Linear(TEXT["width"], JOINT, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        # The heads serve training alone.
        self.image_head = nn.Linear(IMAGE["width"], image_teacher)
        self.text_head = nn.Linear(TEXT["width"], text_teacher)
        self.apply(self.start)

    def start(self, module):
        """Small random weights; what closes a residual branch smaller with depth."""
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, Encoder):
            for layer in module.layers:
                for closing in (layer.self_attn.out_proj, layer.mlp.fc2):
                    nn.init.normal_(closing.weight, std=0.02 / math.sqrt(2 * len(module.layers)))

    def images(self, x, keep=None):
        """Joint embeddings of length one, and what the image teacher's features are told from."""
        pooled = self.vision_model(x, keep or self.vision_model.count)
        return F.normalize(self.visual_projection(pooled).float(), dim=-1), self.image_head(pooled)

    def texts(self, ids, ends):
        # Short texts apart from long ones: a third of all positions would else be padding.
        parts = ends.argsort().tensor_split(min(PARTS, len(ids)))
        pooled = [self.text_model(ids[part, : ends[part].max() + 1], ends[part]) for part in parts]
        pooled = torch.cat(pooled)[torch.cat(parts).argsort()]
        return F.normalize(self.text_projection(pooled).float(), dim=-1), self.text_head(pooled)
