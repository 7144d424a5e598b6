"""EViT (arXiv 2202.07800) in plain PyTorch over a timm ViT, one image at a time.

Shares nothing with tokensieve, so that the two can be compared.
"""

import dataclasses
import math

import torch


@dataclasses.dataclass
class Selected:
    """What one site left of one image."""

    kept: list  # input patches with a row of their own, ascending
    rows: int  # rows left, the class token included
    margin: float  # how far the closest score was from being decided otherwise


def attention(attn, x):
    """Output of timm's attention, and the class token's attention to the others, mean of heads."""
    _, n, c = x.shape
    q, k, v = attn.qkv(x).reshape(n, 3, attn.num_heads, -1).permute(1, 2, 0, 3)
    weights = (q @ k.transpose(-2, -1) * attn.head_dim**-0.5).softmax(-1)
    out = attn.proj((weights @ v).transpose(0, 1).reshape(1, n, c))
    return out, weights[:, 0, 1:].mean(0)


def top_k(keep):
    def select(scores):
        count = math.ceil(keep * len(scores))
        order = scores.argsort(descending=True, stable=True)
        if count == len(scores):
            return order, math.inf
        return order[:count], (scores[order[count - 1]] - scores[order[count]]).item()

    return select


def threshold(limit):
    def select(scores):
        kept = (scores >= limit).nonzero().flatten()
        if len(kept) == 0:
            kept = scores.argmax()[None]
        return kept, (scores - limit).abs().min().item()

    return select


def mass(share):
    def select(scores):
        order = scores.argsort(descending=True, stable=True)
        held = scores[order].double().cumsum(0) / scores.double().sum()
        count = int((held < share).sum()) + 1
        return order[:count], (held - share).abs().min().item()

    return select


@torch.inference_mode()
def evit(network, pixels, select, fuse, sites=(3, 6, 9)):
    """Logits [1, classes] of one image [3, height, width], and a Selected for each site."""
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[None])))
    patch_of = list(range(x.shape[1] - 1))  # -1: a fused row
    selected = []
    for layer, block in enumerate(network.blocks):
        out, scores = attention(block.attn, block.norm1(x))
        x = x + block.ls1(out)
        if layer in sites:
            kept, margin = select(scores)
            gone = sorted(set(range(len(scores))) - set(kept.tolist()))
            rows = [x[:, :1], x[:, 1 + kept]]
            patch_of = [patch_of[row] for row in kept.tolist()]
            if fuse and gone:
                rows.append((scores[gone, None] * x[0, 1:][gone]).sum(0)[None, None])
                patch_of.append(-1)
            x = torch.cat(rows, 1)
            selected.append(Selected(sorted(set(patch_of) - {-1}), x.shape[1], margin))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    return network.head(network.norm(x)[:, 0]), selected
