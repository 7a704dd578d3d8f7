"""Muon for the layers' matrices, AdamW for the rest, and the schedule of both rates."""

import torch

import precision

# Coefficients of the quintic Newton-Schulz iteration (Jordan et al., 2024).
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonal(x, steps=5):
    """About U V^T of each matrix's singular value decomposition, for a stack of matrices."""
    tall = x.shape[-2] > x.shape[-1]
    x = (x.mT if tall else x).to(precision.fast()).contiguous()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = QUINTIC
    for _ in range(steps):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose steps are made orthogonal, as long as AdamW's (0.2 sqrt(wide side)).
    Matrices of one shape go together."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.05):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append(p)
            for shape, some in shapes.items():
                momenta = [self.state[p].setdefault("momentum", torch.zeros_like(p)) for p in some]
                grads = [p.grad for p in some]
                torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
                ahead = torch.stack(torch._foreach_lerp(grads, momenta, group["momentum"]))
                length = group["lr"] * 0.2 * max(shape) ** 0.5
                torch._foreach_mul_(some, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_sub_(some, list(length * orthogonal(ahead)))


class Optimizers:
    def __init__(self, model, rate, muon=True):
        inner, wide, plain = [], [], []
        for name, p in model.named_parameters():
            if p.ndim == 2 and ".layers." in name:
                inner.append(p)
            elif p.ndim > 1 and "embedding" not in name:
                wide.append(p)
            else:
                plain.append(p)
        self.rates, groups = [rate], [{"params": wide, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        if muon:
            # Its steps are as long as AdamW's of the same rate, and bear twice that.
            self.all = [Muon(inner, lr=rate)]
            self.rates = [2 * rate, rate]
        else:
            groups.append({"params": inner, "weight_decay": 0.05})
            self.all = []
        self.all.append(torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True))

    def step(self, factor, pool):
        """The steps of both, in a pool of threads."""

        def one(optimizer, rate):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad()

        list(pool.map(one, self.all, self.rates))

    def state_dict(self):
        return [optimizer.state_dict() for optimizer in self.all]

    def load_state_dict(self, states):
        for optimizer, state in zip(self.all, states):
            optimizer.load_state_dict(state)


def factor(step, warm, cooldown=None):
    """Warm up, then hold, so that a run can stop and go on anywhere; `cooldown` is the first and last
    step of a linear way down to nothing."""
    rise = min(1.0, (step + 1) / warm)
    if cooldown is None:
        return rise
    first, last = cooldown
    return rise * min(1.0, max(0.0, (last - step) / (last - first)))


class Average:
    """A moving average of the weights, young at first so that it forgets the start."""

    def __init__(self, model, decay):
        self.decay, self.weights = decay, {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model, step):
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        mine, theirs = list(self.weights.values()), [p for _, p in model.named_parameters()]
        torch._foreach_lerp_(mine, theirs, share)
