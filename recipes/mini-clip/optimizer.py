"""Muon for the layers' matrices, AdamW for the rest, and the schedule of both rates."""

import torch


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
            matched = dict(adjust_lr_fn="match_rms_adamw", weight_decay=0.05, momentum=0.95)
            self.all = [torch.optim.Muon(inner, lr=rate, **matched)]
            self.rates = [2 * rate, rate]
        else:
            groups.append({"params": inner, "weight_decay": 0.05})
            self.all = []
        self.all.append(torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True))

    def step(self, factor):
        for optimizer, rate in zip(self.all, self.rates):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad()

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
