"""A random CLIP of natural scale, and its towers in PyTorch with what each method learns in them."""
import torch
import torch.nn.functional as F

SIZES = {
    "b16": dict(v=dict(width=768, layers=12, heads=12, mlp=3072, image=224, patch=16), t=dict(width=512, layers=12, heads=8, mlp=2048), embed=512),
    "tiny": dict(v=dict(width=64, layers=3, heads=2, mlp=128, image=32, patch=8), t=dict(width=64, layers=3, heads=2, mlp=128), embed=32),
}
VOCABULARY, POSITIONS, START, END, STOP = 49408, 77, 49406, 49407, 269
PHOTO, RANK = [320, 1125, 539, 320], 2  # "a photo of a"; CLIP-LoRA's rank


def weights(size):
    """A random CLIP of natural scale under Hugging Face's names."""
    torch.manual_seed(0)
    w = {"logit_scale": torch.tensor(4.6)}

    def linear(name, out, inner):
        w[name + ".weight"] = torch.randn(out, inner) * inner**-0.5
        w[name + ".bias"] = torch.randn(out) * 0.02

    def norm(name, width):
        w[name + ".weight"] = 1 + 0.1 * torch.randn(width)
        w[name + ".bias"] = 0.1 * torch.randn(width)

    for tower, s in (("vision_model", size["v"]), ("text_model", size["t"])):
        for i in range(s["layers"]):
            layer = f"{tower}.encoder.layers.{i}."
            norm(layer + "layer_norm1", s["width"])
            norm(layer + "layer_norm2", s["width"])
            for part in "qkv":
                linear(layer + f"self_attn.{part}_proj", s["width"], s["width"])
            linear(layer + "self_attn.out_proj", s["width"], s["width"])
            linear(layer + "mlp.fc1", s["mlp"], s["width"])
            linear(layer + "mlp.fc2", s["width"], s["mlp"])
    v, t, embed = size["v"], size["t"], size["embed"]
    e = "vision_model.embeddings."
    w[e + "class_embedding"] = torch.randn(v["width"]) * 0.1
    w[e + "patch_embedding.weight"] = torch.randn(v["width"], 3, v["patch"], v["patch"]) * (3 * v["patch"] ** 2) ** -0.5
    w[e + "position_embedding.weight"] = torch.randn(1 + (v["image"] // v["patch"]) ** 2, v["width"]) * 0.1
    norm("vision_model.pre_layrnorm", v["width"])
    norm("vision_model.post_layernorm", v["width"])
    w["visual_projection.weight"] = torch.randn(embed, v["width"]) * v["width"] ** -0.5
    w["text_model.embeddings.token_embedding.weight"] = torch.randn(VOCABULARY, t["width"]) * 0.02
    w["text_model.embeddings.position_embedding.weight"] = torch.randn(POSITIONS, t["width"]) * 0.01
    norm("text_model.final_layer_norm", t["width"])
    w["text_projection.weight"] = torch.randn(embed, t["width"]) * t["width"] ** -0.5
    return w


def config(size):
    common = dict(hidden_act="quick_gelu", layer_norm_eps=1e-5)
    part = lambda s: dict(hidden_size=s["width"], num_hidden_layers=s["layers"], num_attention_heads=s["heads"], intermediate_size=s["mlp"], **common)
    text = dict(part(size["t"]), vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, eos_token_id=END)
    vision = dict(part(size["v"]), image_size=size["v"]["image"], patch_size=size["v"]["patch"], num_channels=3)
    return dict(model_type="clip", projection_dim=size["embed"], text_config=text, vision_config=vision)


class Tower:
    """The blocks of one tower over fused query, key and value weights."""

    def __init__(self, w, name, size, dtype):
        self.width, self.heads, self.blocks = size["width"], size["heads"], []
        self.updates, self.scale, self.fused, self.norms = [], 1.0, False, None
        of = lambda key: w[key].to(dtype)
        for i in range(size["layers"]):
            layer = f"{name}.encoder.layers.{i}."
            both = lambda key: (of(layer + key + ".weight"), of(layer + key + ".bias"))
            qkv = [torch.cat([of(layer + f"self_attn.{part}_proj.{kind}") for part in "qkv"]) for kind in ("weight", "bias")]
            self.blocks.append((both("layer_norm1"), qkv, both("self_attn.out_proj"), both("layer_norm2"), both("mlp.fc1"), both("mlp.fc2")))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def attend(self, q, k, v, mask=None):
        out = F.scaled_dot_product_attention(self.split(q), self.split(k), self.split(v), attn_mask=mask)
        return out.transpose(-2, -3).flatten(-2)

    def normed(self, i, part, x):
        """A layer norm of a block, the first (0) or the second (1), with its factors and terms where they are learned."""
        gain, bias = self.blocks[i][3 * part]
        if self.norms:
            scale, shift = (parameter.to(x.dtype) for parameter in self.norms[2 * i + part])
            gain, bias = scale * gain, scale * bias + shift
        return F.layer_norm(x, (self.width,), gain, bias)

    def projected(self, i, x):
        qkv, x = self.blocks[i][1], self.normed(i, 0, x)
        return self.updated(i, x, *qkv) if self.updates else F.linear(x, *qkv).chunk(3, -1)

    def updated(self, i, x, weight, bias):
        """Queries, keys and values, W x + scale B A x, each by itself or, `fused`, in one product each for W, A and B."""
        a, b = zip(*([matrix.to(x.dtype) for matrix in pair] for pair in self.updates[i]))
        if self.fused:
            change = F.linear(F.linear(x, torch.cat(a)), torch.block_diag(*b))
            return (F.linear(x, weight, bias) + self.scale * change).chunk(3, -1)
        layers = zip(weight.chunk(3), bias.chunk(3), a, b)
        return [F.linear(x, w, bias) + self.scale * F.linear(F.linear(x, a), b) for w, bias, a, b in layers]

    def rest(self, i, x, attended):
        _, _, out, _, fc1, fc2 = self.blocks[i]
        x = x + F.linear(attended, *out)
        h = F.linear(self.normed(i, 1, x), *fc1)
        return x + F.linear(h * torch.sigmoid(1.702 * h), *fc2)

    def block(self, i, x, mask=None):
        return self.rest(i, x, self.attend(*self.projected(i, x), mask))


class Peer:
    """A CLIP in PyTorch, and the works on it."""

    def __init__(self, w, size, case, dtype):
        self.size, self.dtype = size, dtype
        self.w = {name: value.to(dtype) for name, value in w.items()}
        self.vision, self.text = Tower(w, "vision_model", size["v"], dtype), Tower(w, "text_model", size["t"], dtype)
        self.images = case["images"].to(dtype)
        self.visual = case["visual"].clone().requires_grad_()
        self.context = case["context"].clone().requires_grad_()
        number = lambda name: case[name].item() if name in case else 0
        self.first, self.carry, self.block = int(number("first")), number("carry"), int(number("text_rows_block"))
        learned_too = lambda name: case[name].clone().requires_grad_() if name in case else None
        self.row_projection, self.text_rows = learned_too("row_projection"), learned_too("text_rows")
        names = [row[row >= 0].long().tolist() for row in case["names"]]
        learned = 0 if self.first else self.context.shape[1]  # rows that enter later take no position
        rows = [[START] + [343] * learned + name + [END] for name in names]
        self.ids = torch.zeros(len(rows), POSITIONS, dtype=torch.long)
        for c, row in enumerate(rows):
            self.ids[c, : len(row)] = torch.tensor(row)
        self.end = torch.tensor([len(row) - 1 for row in rows])
        self.last = max(len(row) for row in rows)
        self.shared = int((self.ids == self.ids[0]).all(0).long().cumprod(0).sum())
        for name, tower in (("text", self.text), ("vision", self.vision)):
            if f"{name}_a" in case:
                pairs = lambda a, b: [tuple(matrix.clone().requires_grad_() for matrix in pair) for pair in zip(a, b)]
                tower.updates = [pairs(a, b) for a, b in zip(case[f"{name}_a"], case[f"{name}_b"])]
                tower.scale = float(case["scale"])
        self.outer = {"vision_model.pre_layrnorm": None, "vision_model.post_layernorm": None, "text_model.final_layer_norm": None}
        for name, tower in (("text", self.text), ("vision", self.vision)):
            if f"{name}_scale" in case:
                norms = [tuple(row.clone().requires_grad_() for row in pair) for pair in zip(case[f"{name}_scale"], case[f"{name}_shift"])]
                tower.all_norms = norms
                if name == "vision":
                    self.outer["vision_model.pre_layrnorm"], *norms = norms
                *tower.norms, self.outer["vision_model.post_layernorm" if name == "vision" else "text_model.final_layer_norm"] = norms

    def norm(self, x, name):
        gain, bias = self.w[name + ".weight"], self.w[name + ".bias"]
        if self.outer.get(name):
            scale, shift = (parameter.to(self.dtype) for parameter in self.outer[name])
            gain, bias = scale * gain, scale * bias + shift
        return F.layer_norm(x, x.shape[-1:], gain, bias)

    def embedded(self):
        e = "vision_model.embeddings."
        p = self.size["v"]["patch"]
        x = self.images.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        x = F.linear(x, self.w[e + "patch_embedding.weight"].flatten(1))
        return torch.cat([self.w[e + "class_embedding"].expand(len(x), 1, -1), x], 1) + self.w[e + "position_embedding.weight"]

    def patches(self):
        return self.norm(self.embedded(), "vision_model.pre_layrnorm")

    def pooled(self, x):
        return F.linear(self.norm(x, "vision_model.post_layernorm"), self.w["visual_projection.weight"])

    def image_features(self):
        x = self.patches()
        for i in range(self.size["v"]["layers"]):
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    @torch.no_grad()
    def features(self):
        return self.image_features()

    def vpt_plain(self):
        """Prompts are tokens of every image and go through everything."""
        prompts, x = self.visual.to(self.dtype), self.patches()
        n = prompts.shape[1]
        for i in range(self.size["v"]["layers"]):
            images = x if i == 0 else x[:, 1 + n :]
            x = torch.cat([x[:, :1], prompts[i].expand(len(x), -1, -1), images if i else x[:, 1:]], 1)
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    def vpt_shared(self):
        """The keys and values of the prompts are computed once for all images, and nothing else of them."""
        prompts, x = self.visual.to(self.dtype), self.patches()
        for i in range(self.size["v"]["layers"]):
            q, k, v = self.vision.projected(i, x)
            _, pk, pv = self.vision.projected(i, prompts[i])
            join = lambda own, shared: torch.cat([own, shared.expand(len(x), -1, -1)], 1)
            x = self.vision.rest(i, x, self.vision.attend(q, join(k, pk), join(v, pv)))
        return self.pooled(x[:, 0])

    def prompted(self):
        """Prompts come before the first norm, are replaced at the blocks that have some, then stay as tokens."""
        prompts, x = self.visual.to(self.dtype), self.embedded()
        n = prompts.shape[1]
        x = self.norm(torch.cat([x, prompts[0].expand(len(x), -1, -1)], 1), "vision_model.pre_layrnorm")
        for i in range(self.size["v"]["layers"]):
            if 0 < i < len(prompts):
                x = torch.cat([x[:, :-n], prompts[i].expand(len(x), -1, -1)], 1)
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    def ended(self, x, end):
        x = self.norm(x[torch.arange(len(x)), end], "text_model.final_layer_norm")
        return F.linear(x, self.w["text_projection.weight"])

    def filled(self, i, x):
        """Texts with the context of block `i`, where it has one, behind the start token."""
        if i >= len(self.context):
            return x
        context = self.context[i].to(self.dtype).expand(len(x), -1, -1)
        return torch.cat([x[:, :1], context, x[:, 1 + context.shape[1] :]], 1)

    def texts(self, length):
        """Texts of `length` tokens, each whole."""
        e = "text_model.embeddings."
        x = self.w[e + "token_embedding.weight"][self.ids[:, :length]]
        x = self.filled(0, x) + self.w[e + "position_embedding.weight"][:length]
        mask = self.causal(length)
        for i in range(self.size["t"]["layers"]):
            x = self.filled(i, x) if i else x
            x = self.own(x) if self.text_rows is not None and i == self.block else x
            x = self.text.block(i, x, mask)
        return self.ended(x, self.end)

    def causal(self, length):
        return torch.full((length, length), float("-inf"), dtype=self.dtype).triu(1)

    def own(self, x):
        """TCP: rows of each text's own in place of what became of the context."""
        rows = self.text_rows.to(self.dtype)
        return torch.cat([x[:, :1], rows, x[:, 1 + rows.shape[1] :]], 1)

    def texts_own_shared(self):
        """TCP: what all texts begin with goes through once up to the block where each has rows of its own."""
        head, x, mask = self.parted()
        for i in range(self.block):
            head, x = self.beside(i, head, x, mask)
        x = self.own(torch.cat([head.expand(len(x), -1, -1), x], 1))
        for i in range(self.block, self.size["t"]["layers"]):
            x = self.text.block(i, x, self.causal(self.last))
        return self.ended(x, self.end)

    def parted(self):
        """What all texts begin with, once; the rest of each; what the rest attends to."""
        e, n = "text_model.embeddings.", self.shared
        table, positions, last = self.w[e + "token_embedding.weight"], self.w[e + "position_embedding.weight"], self.last
        head = self.filled(0, table[self.ids[:1, :n]]) + positions[:n]
        x = table[self.ids[:, n:last]] + positions[n:last]
        mask = torch.cat([torch.zeros(x.shape[1], n, dtype=self.dtype), self.causal(x.shape[1])], 1)
        return head, x, mask

    def beside(self, i, head, x, mask):
        """A block of what all texts begin with, once, and of the rest of each, which sees its keys and values."""
        hq, hk, hv = self.text.projected(i, head)
        q, k, v = self.text.projected(i, x)
        join = lambda shared, own: torch.cat([shared.expand(len(x), -1, -1), own], 1)
        x = self.text.rest(i, x, self.text.attend(q, join(hk, k), join(hv, v), mask))
        return self.text.rest(i, head, self.text.attend(hq, hk, hv, self.causal(head.shape[1]))), x

    def entered(self, rows, i, x):
        """MMRL: tokens with rows of block `i` behind the first one; they enter at block `first`."""
        if i < self.first:
            return x
        n, rows = rows.shape[1], rows[i - self.first].to(self.dtype)
        before = 1 if i == self.first else 1 + n
        if self.carry and i > self.first:
            rows = (1 - self.carry) * rows + self.carry * x[:, 1 : 1 + n]
        return torch.cat([x[:, :1], rows.expand(len(x), -1, -1), x[:, before:]], 1)

    def texts_before(self, length):
        """MMRL: texts up to the block that rows enter before, which depend on nothing learned."""
        e = "text_model.embeddings."
        x = self.w[e + "token_embedding.weight"][self.ids[:, :length]] + self.w[e + "position_embedding.weight"][:length]
        for i in range(self.first):
            x = self.text.block(i, x, self.causal(length))
        return x

    def texts_entered(self, x):
        """MMRL: the blocks with rows."""
        n = self.context.shape[1]
        for i in range(self.first, self.size["t"]["layers"]):
            x = self.entered(self.context, i, x)
            x = self.text.block(i, x, self.causal(x.shape[1]))
        return self.ended(x, self.end + n)

    def mmrl(self, texts):
        """Both towers; the image has a second feature, of its rows."""
        return self.both(texts, self.images_entered)

    def images_entered(self):
        x, n = self.patches(), self.visual.shape[1]
        for i in range(self.size["v"]["layers"]):
            x = self.vision.block(i, self.entered(self.visual, i, x))
        rows = self.norm(x[:, 1 : 1 + n], "vision_model.post_layernorm").mean(1)
        return torch.cat([self.pooled(x[:, 0]), rows @ self.row_projection.to(self.dtype)], 1)

    def texts_shared(self):
        """What all texts begin with goes through once; the rest of each sees its keys and values."""
        head, x, mask = self.parted()
        for i in range(self.size["t"]["layers"]):
            head, x = self.beside(i, self.filled(i, head) if i else head, x, mask)
        return self.ended(x, self.end - self.shared)

    def both(self, texts, images):
        return torch.cat([texts().flatten(), images().flatten()])

    def maple(self, texts):
        return self.both(texts, self.prompted)

    def promptsrc(self, texts):
        """With the features that the published loss compares the images' with; here nothing depends on them."""
        self.features()
        return self.maple(texts)

    def norms(self, texts):
        """2SFS, first stage: gains and biases of all layer norms."""
        return self.both(texts, self.image_features)

    def lora(self, texts, fused=False):
        self.text.fused = self.vision.fused = fused
        return self.both(texts, self.image_features)

    def step(self, work, towers):
        """Features, and the gradient of the parameters of each tower; no gradient, where there are none."""
        parameters = [parameter for tower in towers for parameter in tower]
        for parameter in parameters:
            parameter.grad = None
        features = work()
        if parameters:
            features.backward(features.detach())
        return features.detach().float(), torch.cat([torch.empty(0), *(p.grad.flatten() for p in parameters)])
