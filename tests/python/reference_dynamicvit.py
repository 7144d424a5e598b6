"""DynamicViT (arXiv 2106.02034) at inference in plain PyTorch over a timm ViT, one image at a time.

Written after the official code's semantics, under its names; shares nothing with tokensieve, so that
the two can be compared.
"""

import math

import torch
from reference_evit import Selected
from torch import nn


class PredictorLG(nn.Module):
    """Keep and drop probabilities of every token, from itself and from the mean of those present."""

    def __init__(self, dim):
        super().__init__()
        self.in_conv = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU())
        self.out_conv = nn.Sequential(
            nn.Linear(dim, dim // 2),
            nn.GELU(),
            nn.Linear(dim // 2, dim // 4),
            nn.GELU(),
            nn.Linear(dim // 4, 2),
            nn.LogSoftmax(dim=-1),
        )

    def forward(self, x, policy):
        x = self.in_conv(x)
        half = x.shape[-1] // 2
        mean = (x[..., half:] * policy).sum(1, keepdim=True) / policy.sum(1, keepdim=True)
        return self.out_conv(torch.cat([x[..., :half], mean.expand(-1, x.shape[1], -1)], -1))


def random_predictors(dim, count=3, seed=0):
    """Predictors with random weights large enough that their scores differ widely."""
    predictors = nn.ModuleList(PredictorLG(dim) for _ in range(count)).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in predictors.named_parameters():
            if value.ndim == 2:
                value.normal_(0, 2 * value.shape[1] ** -0.5, generator=generator)
            elif key.endswith("in_conv.0.weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            else:
                value.normal_(0, 0.1, generator=generator)
    return predictors


def official_state(network, predictors):
    """The state dict of DynamicViT's own class."""
    named = {f"score_predictor.{key}": value for key, value in predictors.state_dict().items()}
    return network.state_dict() | named


def top_k(keep, patches=196):
    def select(log_keep, site):
        count = int(patches * keep ** (site + 1))
        order = log_keep.argsort(descending=True, stable=True)
        if count == len(log_keep):
            return order, math.inf
        return order[:count], (log_keep[order[count - 1]] - log_keep[order[count]]).item()

    return select


def threshold(limit):
    def select(log_keep, site):
        probability = log_keep.exp()
        kept = (probability >= limit).nonzero().flatten()
        if len(kept) == 0:
            kept = log_keep.argmax()[None]
        return kept, (probability - limit).abs().min().item()

    return select


@torch.inference_mode()
def dynamicvit(network, predictors, pixels, select, sites=(3, 6, 9)):
    """Logits [1, classes] of one image [3, height, width], and a Selected for each site."""
    prefix = network.num_prefix_tokens
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[None])))
    patch_of = list(range(x.shape[1] - prefix))
    selected = []
    for layer, block in enumerate(network.blocks):
        if layer in sites:
            site = sites.index(layer)
            log_pi = predictors[site](x[:, prefix:], torch.ones(1, len(patch_of), 1))
            kept, margin = select(log_pi[0, :, 0], site)
            x = torch.cat([x[:, :prefix], x[:, prefix + kept]], 1)  # in the order of the scores
            patch_of = [patch_of[row] for row in kept.tolist()]
            selected.append(Selected(sorted(patch_of), x.shape[1], margin))
        x = block(x)
    return network.head(network.norm(x)[:, 0]), selected
