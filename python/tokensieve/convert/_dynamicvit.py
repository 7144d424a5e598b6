"""The official checkpoints of DynamicViT (arXiv 2106.02034): a ViT and its predictors in one file."""

from __future__ import annotations

import re
from typing import Any, Iterable

from .. import _tokensieve as _core
from ._checkpoint import Checkpoint

_PREFIX = "score_predictor."


def split(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors of the network, and those of its predictors."""
    predictors = {name: state[name] for name in state if name.startswith(_PREFIX)}
    return {name: state[name] for name in state if name not in predictors}, predictors


def default_recipe(
    checkpoint: Checkpoint, predictors: Iterable[str], depth: int, keep: float | None
) -> _core.Recipe:
    """The recipe that a checkpoint was trained for.

    Sites split the blocks evenly, as in all of the official models: 3, 6, 9 of 12, 4, 8, 12 of 16.
    The keep rate is `keep`, else what the file says of its training. Raises ValueError when neither
    tells.
    """
    if keep is None:
        keep = checkpoint.arguments.get("base_rate")
    if not isinstance(keep, (int, float)):
        raise ValueError(
            f"[convert] {checkpoint.path} does not say for which keep rate it was trained; pass keep, "
            "such as 0.7, or a recipe"
        )
    numbers = {match[1] for name in predictors if (match := re.match(r"score_predictor\.(\d+)\.", name))}
    step = max(depth // (len(numbers) + 1), 1)
    sites = "/".join(str(step * (site + 1)) for site in range(len(numbers)))
    return _core.Recipe(f"dynamicvit(keep={keep}, sites={sites or step})")
