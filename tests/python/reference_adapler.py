"""AdapLeR (arXiv 2203.08991) in plain PyTorch over transformers' BERT, one text at a time, gathered: a
dropped row is gone from every later layer. Shares nothing with tokensieve, so that the two can be compared.
"""

import dataclasses
import math

import torch
from reference_ltp import layer_parts


@dataclasses.dataclass
class Selected:
    """What was decided before one layer."""

    alpha: torch.Tensor  # [present] share of every row, the class token's first
    present: list  # input tokens that the rows are, the class token 0
    kept: list  # those that are left, the class token among them
    margin: float  # how far the closest alpha was from the bar, in even shares


def random_predictors(network, seed=0):
    """Weights of a predictor a layer, by their names in sieve.safetensors, that tell tokens apart."""
    generator = torch.Generator().manual_seed(seed)
    dim = network.config.hidden_size

    def normal(*shape, std):
        return torch.randn(*shape, generator=generator) * std

    tensors = {}
    for layer in range(network.config.num_hidden_layers):
        scope = f"contribution_predictor.{layer}"
        tensors[scope + ".hidden.weight"] = normal(32, dim, std=dim**-0.5)
        tensors[scope + ".hidden.bias"] = normal(32, std=0.1)
        tensors[scope + ".output.weight"] = normal(1, 32, std=2 * 32**-0.5)
        tensors[scope + ".output.bias"] = normal(1, std=0.1)
    return tensors


@torch.no_grad()
def adapler(bert, ids, predictors, etas):
    """Runs one text of token ids through `bert` (transformers' BertModel).

    Returns the class token's state after the last layer [dim], and a Selected for each layer.
    """
    x = bert.embeddings(input_ids=torch.tensor([ids]))[0]
    present = list(range(len(ids)))
    selected = []
    for index, (layer, eta) in enumerate(zip(bert.encoder.layer, etas, strict=True)):
        scope = f"contribution_predictor.{index}"
        hidden = x @ predictors[scope + ".hidden.weight"].T + predictors[scope + ".hidden.bias"]
        hidden = torch.nn.functional.gelu(hidden)
        q = hidden @ predictors[scope + ".output.weight"][0] + predictors[scope + ".output.bias"]
        alpha = q.softmax(0)
        stays = alpha >= eta / len(present)
        margin = (alpha * len(present) - eta)[1:].abs().min().item() if len(present) > 1 else math.inf
        stays[0] = True
        if len(present) > 1 and not stays[1:].any():  # one other token stays
            stays[1 + alpha[1:].argmax()] = True
        kept = [token for token, stay in zip(present, stays.tolist()) if stay]
        selected.append(Selected(alpha, present, kept, margin))
        x, present = x[stays], kept
        query, key, value, output, norm1, heads, fc1, fc2, norm2 = layer_parts(layer)
        rows = len(present)
        q, k, v = (part(x).view(rows, heads, -1).transpose(0, 1) for part in (query, key, value))
        weights = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(-1)
        y = norm1(output((weights @ v).transpose(0, 1).reshape(rows, -1)) + x)
        x = norm2(fc2(torch.nn.functional.gelu(fc1(y))) + y)
    return x[0], selected
