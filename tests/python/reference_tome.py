"""ToMe (arXiv 2210.09461) in plain PyTorch over a timm ViT, one image at a time.

Shares nothing with tokensieve, so that the two can be compared.
"""

import dataclasses

import torch


@dataclasses.dataclass
class Merged:
    """What one block made of one image."""

    row: list  # the row that each input patch is in, the class token's being 0
    rows: int  # rows left
    margin: float  # how far the closest similarity was from being decided otherwise


def attention(attn, x, size):
    """Output of timm's attention with keys weighted by `size` [n] (None: not), and the mean key."""
    _, n, c = x.shape
    q, k, v = attn.qkv(x).reshape(n, 3, attn.num_heads, -1).permute(1, 2, 0, 3)
    logits = q @ k.transpose(-2, -1) * attn.head_dim**-0.5
    if size is not None:
        logits = logits + size.log()
    out = attn.proj((logits.softmax(-1) @ v).transpose(0, 1).reshape(1, n, c))
    return out, k.mean(0)


def bipartite(keys, r, protected):
    """(merged even rows, the odd row of each, margin)."""
    keys = keys / keys.norm(dim=-1, keepdim=True)
    similar = keys[::2] @ keys[1::2].T
    similar[0] = -torch.inf
    if protected == 2:
        similar[:, 0] = -torch.inf
    r = min(r, (len(keys) - protected) // 2)
    best, partner = similar.max(-1)
    order = best.argsort(descending=True, stable=True)
    chosen = order[:r]
    gaps = similar[chosen].topk(2, -1).values
    margins = [(gaps[:, 0] - gaps[:, 1]).min().item()]
    if r < len(order):
        margins.append((best[order[r - 1]] - best[order[r]]).item())
    return (2 * chosen).tolist(), (2 * partner[chosen] + 1).tolist(), min(margins)


@torch.inference_mode()
def tome(network, pixels, r, proportional=True):
    """Logits [1, classes] of one image [3, height, width], and a Merged for each block with r > 0."""
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[None])))
    protected = network.num_prefix_tokens
    size = torch.ones(x.shape[1])
    groups = [[row] for row in range(x.shape[1])]  # input rows in each row
    found = []
    for layer, block in enumerate(network.blocks):
        out, keys = attention(block.attn, block.norm1(x), size if proportional else None)
        x = x + block.ls1(out)
        if r[layer] > 0:
            sources, targets, margin = bipartite(keys, r[layer], protected)
            total, weights = x[0] * size[:, None], size.clone()
            for source, target in zip(sources, targets):
                total[target] = total[target] + x[0, source] * size[source]
                weights[target] = weights[target] + size[source]
                groups[target] = groups[target] + groups[source]
            even = [row for row in range(0, len(size), 2) if row not in sources]
            order = even + list(range(1, len(size), 2))
            if protected == 2:
                order = [0, 1] + [row for row in order if row > 1]
            x = (total / weights[:, None])[order][None]
            size, groups = weights[order], [groups[row] for row in order]
            row_of = {token: row for row, group in enumerate(groups) for token in group}
            patches = range(protected, len(row_of))
            found.append(Merged([row_of[token] for token in patches], len(order), margin))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    x = network.norm(x)
    if protected == 2:
        return (network.head(x[:, 0]) + network.head_dist(x[:, 1])) / 2, found
    return network.head(x[:, 0]), found
