"""LV-ViT (arXiv 2104.10858) in its authors' layout: to the tensors of a model folder and back.

Their stem has batch norms, which a model folder has not: each is part of the convolution before it.
Back again, it is a batch norm that changes nothing but the bias, so that a checkpoint made from a
folder loads strictly into the authors' code and computes the same.
"""

from __future__ import annotations

import math
from typing import Any, Mapping

import numpy as np

from ._checkpoint import Checkpoint

NAMES = ("lvvit_t", "lvvit_s", "lvvit_m", "lvvit_l")

_EPS = 1e-5  # of PyTorch's batch norm
_STAGES = (1, 2, 3)
_PATCH = 16  # pixels; the stem halves them before the projection


def is_lvvit(name: object) -> bool:
    """Whether that is the name of an LV-ViT, which timm does not have."""
    return isinstance(name, str) and name in NAMES


def fold(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors of a model folder from those of a checkpoint, both by name; float32.

    A convolution without bias and the batch norm after it, y = (w x - mean) / sqrt(var + eps) *
    gamma + beta, are the convolution w gamma / sqrt(var + eps) with the bias beta - mean gamma /
    sqrt(var + eps). Raises RuntimeError when one of their tensors is missing.
    """
    tensors = {name: _array(value) for name, value in state.items()}
    for stage in _STAGES:
        conv, norm = f"patch_embed.conv{stage}", f"patch_embed.bn{stage}"
        weight, gamma, beta, mean, variance = (
            _take(tensors, name).astype(np.float64)
            for name in (
                f"{conv}.weight",
                f"{norm}.weight",
                f"{norm}.bias",
                f"{norm}.running_mean",
                f"{norm}.running_var",
            )
        )
        tensors.pop(f"{norm}.num_batches_tracked", None)
        if weight.ndim != 4 or any(len(weight) != len(v) for v in (gamma, beta, mean, variance)):
            raise RuntimeError(
                f"[convert] expected '{conv}.weight' [channels, in, kernel, kernel] and '{norm}' of as "
                f"many channels, got {list(weight.shape)} and {list(gamma.shape)}"
            )
        scale = gamma / np.sqrt(variance + _EPS)
        tensors[f"{conv}.weight"] = weight * scale[:, None, None, None]
        tensors[f"{conv}.bias"] = beta - mean * scale
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def unfold(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint from those of a model folder: the inverse of `fold` in function.

    The batch norms have gamma 1, mean 0, variance 1 - eps and the convolution's bias as beta, so that
    fold(unfold(tensors)) is `tensors` to the last bit.
    """
    state = dict(tensors)
    for stage in _STAGES:
        norm = f"patch_embed.bn{stage}"
        bias = _take(state, f"patch_embed.conv{stage}.bias")
        state[f"{norm}.weight"] = np.ones_like(bias)
        state[f"{norm}.bias"] = bias
        state[f"{norm}.running_mean"] = np.zeros_like(bias)
        state[f"{norm}.running_var"] = np.full_like(bias, 1 - _EPS)
        state[f"{norm}.num_batches_tracked"] = np.zeros((), np.int64)
    return state


def state_of(name: str, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """The tensors of a checkpoint. Raises ValueError when there is none: timm has no weights."""
    if checkpoint is None:
        raise ValueError(f"[convert] timm has no weights of '{name}'; name its checkpoint")
    return checkpoint.state


def config(
    name: str, tensors: Mapping[str, np.ndarray], labels: list[str] | None
) -> dict[str, Any]:
    """config.json of the LV-ViT `name` with these tensors; preprocessing as its authors publish it.

    Raises RuntimeError for a position table that is not for a square image and ValueError for another
    number of labels than classes.
    """
    classes = len(tensors["head.weight"]) if "head.weight" in tensors else 0
    if labels is not None and len(labels) != classes:
        raise ValueError(f"[convert] expected {classes} labels, one a class, got {len(labels)}")
    shape: tuple[int, ...] = tensors["pos_embed"].shape if "pos_embed" in tensors else ()
    side = math.isqrt(shape[1] - 1) if len(shape) == 3 and shape[1] > 1 else 0
    if side * side + 1 != (shape[1] if side else 0):
        raise RuntimeError(
            f"[convert] expected 'pos_embed' [1, 1 + side * side, width], got {list(shape)}"
        )
    side *= _PATCH
    large = side >= 384 or name in ("lvvit_m", "lvvit_l")
    named = {} if labels is None else {"label_names": list(labels)}
    return named | {
        "architecture": name,
        "global_pool": "token",
        "model_args": {"img_size": [side, side]},
        "pretrained_cfg": {
            "input_size": [3, side, side],
            "crop_pct": 1.0 if large else 0.9,
            "interpolation": "bicubic",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().float() if hasattr(value, "detach") else value)


def _take(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    try:
        return tensors.pop(name)
    except KeyError:
        raise RuntimeError(f"[convert] expected an LV-ViT with '{name}', got none") from None
