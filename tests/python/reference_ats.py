"""ATS (arXiv 2111.15667) and AS-ViT (arXiv 2209.13802) in plain PyTorch over a timm ViT.

One image at a time. Shares nothing with tokensieve, so that the two can be compared.
"""

import torch
from reference_evit import Selected


def heads(attn, x):
    """Probabilities [heads, n, n] and values [heads, n, dim]."""
    _, n, _ = x.shape
    q, k, v = attn.qkv(x).reshape(n, 3, attn.num_heads, -1).permute(1, 2, 0, 3)
    return (q @ k.transpose(-2, -1) * attn.head_dim**-0.5).softmax(-1), v


def joined(out):
    """[heads, n, dim] to [1, n, heads * dim]."""
    return out.transpose(0, 1).reshape(1, out.shape[1], -1)


def inverse_transform(scores, draws):
    """Positions that are drawn, ascending, and how far the closest number was from another pick."""
    scores = scores.double() / scores.double().sum()
    order = scores.argsort(stable=True)
    sums = scores[order].cumsum(0)
    sums = (sums - sums.min()) / (sums.max() - sums.min())
    start = sums[sums > 0].min()
    numbers = start + torch.arange(draws) * (1 - start) / (draws - 1)
    distance = (numbers[:, None] - sums).abs()
    nearest = distance.topk(2, largest=False).values
    return sorted(set(order[distance.argmin(-1)].tolist())), (nearest[:, 1] - nearest[:, 0]).min().item()


@torch.inference_mode()
def ats(network, pixels, keep, first=3):
    """Logits [1, classes] of one image, and a Selected for each block from `first` on."""
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[None])))
    patches = x.shape[1] - 1
    patch_of, selected = list(range(patches)), []
    for layer, block in enumerate(network.blocks):
        a, v = heads(block.attn, block.norm1(x))
        if layer >= first:
            scores = a[:, 0, 1:].sum(0) * joined(v)[0, 1:].norm(dim=-1)
            kept, margin = inverse_transform(scores, round(keep * patches))
            rows = [0] + [1 + row for row in kept]
            a, x = a[:, rows], x[:, rows]
            patch_of = [patch_of[row] for row in kept]
            selected.append(Selected(patch_of, len(rows), margin))
        x = x + block.ls1(block.attn.proj(joined(a @ v)))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    return network.head(network.norm(x)[:, 0]), selected


@torch.inference_mode()
def asvit(network, pixels, select, sites=(4, 7, 10)):
    """Logits [1, classes] of one image, and a Selected for each site."""
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[None])))
    patch_of, selected, scores = list(range(x.shape[1] - 1)), [], None
    for layer, block in enumerate(network.blocks):
        if layer in sites:
            kept, margin = select(scores)
            kept = sorted(kept.tolist())
            x = x[:, [0] + [1 + row for row in kept]]
            patch_of = [patch_of[row] for row in kept]
            selected.append(Selected(patch_of, x.shape[1], margin))
        a, v = heads(block.attn, block.norm1(x))
        out = a @ v
        lengths = out[:, 1:].norm(dim=-1)
        scores = (lengths / (lengths.sum(0) + 1e-8) * a[:, 0, 1:]).sum(0)
        x = x + block.ls1(block.attn.proj(joined(out)))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    return network.head(network.norm(x)[:, 0]), selected
