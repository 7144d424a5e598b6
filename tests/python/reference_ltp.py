"""LTP (arXiv 2107.00910) in plain PyTorch over transformers' BERT, masked: nothing is gathered.

Every layer attends with the mask that the layer before left (-10000 where a token is dropped), dropped
tokens are still computed and never attended to. Shares nothing with tokensieve, so that the two can be
compared.
"""

import dataclasses
import math

import torch

MASKED = -10000.0


@dataclasses.dataclass
class Selected:
    """What one layer left of one text."""

    kept: list  # input tokens that are left, ascending, the class token not counted
    rows: int  # rows left, the class token included
    margin: float  # how far the closest score was from the threshold


def layer_parts(layer):
    """(query, key, value, output, norm, heads, fc1, fc2, norm) of a BERT layer."""
    attention = layer.attention
    inner = getattr(attention, "self")
    return (
        inner.query, inner.key, inner.value, attention.output.dense, attention.output.LayerNorm,
        inner.num_attention_heads, layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm,
    )  # fmt: skip


def ltp(bert, ids, thresholds, n_ref=None, padding=0):
    """Runs one text of token ids through `bert` (transformers' BertModel).

    `thresholds` has one number a layer, 0 where it does not prune. `padding` masked tokens are put
    after the text. Returns the states after the last layer [n, dim], every token's state in the last
    layer that it was alive in, and a Selected for each layer that prunes.
    """
    n = len(ids)
    padded = torch.tensor([[*ids, *[0] * padding]])
    x = bert.embeddings(input_ids=padded)[0]
    total = n + padding
    alive = torch.arange(total) < n
    last = x.clone()
    selected = []
    for layer, theta in zip(bert.encoder.layer, thresholds, strict=True):
        query, key, value, output, norm1, heads, fc1, fc2, norm2 = layer_parts(layer)
        q, k, v = (part(x).view(total, heads, -1).transpose(0, 1) for part in (query, key, value))
        mask = torch.where(alive, 0.0, MASKED)
        weights = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) + mask).softmax(-1)
        mixed = (weights @ v).transpose(0, 1).reshape(total, -1)
        y = norm1(output(mixed) + x)
        was = alive.clone()
        if theta > 0:
            received = weights[:, alive].sum((0, 1)) / heads
            scores = received / (n_ref if n_ref else int(alive.sum()))
            alive = alive & (scores >= max(1e-5, theta))
            alive[0] = True
            if not alive[1:].any():  # one other token stays
                best = torch.where(was, scores, -math.inf)[1:].argmax()
                alive[1 + best] = True
            kept = alive[1:].nonzero().flatten().tolist()
            margin = (scores[1:][was[1:]] - theta).abs().min().item() if was[1:].any() else math.inf
            selected.append(Selected(kept, 1 + len(kept), margin))
        z = norm2(fc2(torch.nn.functional.gelu(fc1(y))) + y)
        last = torch.where(alive[:, None], z, torch.where(was[:, None], y, last))
        x = z
    return x[:n], last[:n], selected
