"""Which number format is quick on this processor."""

import torch


def fast():
    """bf16 where products of it are an instruction (AVX-512 BF16 or AMX), f32 elsewhere: there bf16 is
    widened before each product, and several times as slow."""
    known = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return torch.bfloat16 if any(has() for has in known if has) else torch.float32


def autocast():
    """Products in the quick format."""
    kind = fast()
    return torch.autocast("cpu", torch.bfloat16, enabled=kind is torch.bfloat16)
