"""The model folders of LTP's authors (arXiv 2107.00910): RoBERTa under I-BERT's names, with learned thresholds.

What the quantizer keeps beside the weights is left out: the folders hold float networks.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
from typing import Any, Mapping

import numpy as np

from .. import _tokensieve as _core
from ._checkpoint import read_checkpoint

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TOKENIZER = ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_OWN_FIELDS = {"prune_mode", "final_token_threshold", "token_threshold", "token_keep_rate", "scoring_mode"}
_OWN_FIELDS |= {"quant_mode", "force_dequant"}
_LAYER = r"(attention\.(self\.(query|key|value)|output\.(dense|LayerNorm))|(intermediate|output)\.dense|output\.LayerNorm)"
_PARAMETER = re.compile(
    r"(ibert\.(embeddings\.((word|position|token_type)_embeddings|LayerNorm)|"
    rf"encoder\.layer\.\d+\.{_LAYER})|classifier\.(dense|out_proj)|qa_outputs|classifier)\.(weight|bias)"
)
#: What the official code keeps beside weights: its quantizer's state, and position numbers.
_LEFT_OUT = re.compile(
    r".*\.(x_min|x_max|\w+_integer|\w+_scaling_factor|shift|position_ids)|.*\.pruner\..*|ibert\.pooler\..*"
)
_THRESHOLD = "ibert.encoder.layer.{}.attention.self.pruner.keep_threshold"
_LEAST_THRESHOLD = np.float32(1e-5)  # the official pruner's


def is_ltp(model: object) -> bool:
    """Whether that is a folder whose config.json says that it holds an LTP network."""
    if not isinstance(model, (str, os.PathLike)) or not (pathlib.Path(model) / "config.json").is_file():
        return False
    return _read_config(pathlib.Path(model)).get("model_type") == "ltp"


def write(model: str | os.PathLike[str], target: pathlib.Path, n_ref: int) -> _core.Recipe | None:
    """Writes the RoBERTa of the LTP folder `model` into the folder `target`, and returns its recipe.

    The recipe has the thresholds theta_l = theta_final l / L + delta_l of the layers that prune, none where
    no layer does; scores are sums over `n_ref` rows, the length the network's texts were padded to when its
    thresholds were learned, which its folder does not tell. Raises RuntimeError for a folder of another
    pruning mode, a quantized network and files that are missing or hold something else.
    """
    source = pathlib.Path(model)
    config = _read_config(source)
    mode = config.get("prune_mode")
    if mode != "absolute_threshold":
        raise RuntimeError(f"[convert] {source}: expected prune_mode 'absolute_threshold', got '{mode}'")
    if config.get("quant_mode"):
        raise RuntimeError(f"[convert] {source}: expected a float network, got quant_mode; save it dequantized")
    weights = next((source / name for name in _WEIGHTS if (source / name).is_file()), None)
    if weights is None:
        raise RuntimeError(f"[convert] {source}: expected {' or '.join(_WEIGHTS)}, got neither")
    state = read_checkpoint(weights).state
    recipe = _recipe(config, state, n_ref, source)
    tensors = {
        re.sub(r"^ibert\.", "roberta.", name): value.detach().float().numpy()
        for name, value in state.items()
        if _PARAMETER.fullmatch(name)
    }
    strange = sorted(name for name in state if not _PARAMETER.fullmatch(name) and not _LEFT_OUT.fullmatch(name))
    if strange:
        raise RuntimeError(f"[convert] {weights}: expected the parameters of an LTP network, got '{strange[0]}'")
    kept = {name: value for name, value in config.items() if name not in _OWN_FIELDS}
    kept["model_type"] = "roberta"
    kept["architectures"] = [re.sub("^LTP", "Roberta", str(name)) for name in config.get("architectures") or []]
    _core.write_safetensors(target / "model.safetensors", tensors)
    (target / "config.json").write_text(json.dumps(kept))
    for name in _TOKENIZER:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    return recipe


def _recipe(
    config: Mapping[str, Any], state: Mapping[str, Any], n_ref: int, source: pathlib.Path
) -> _core.Recipe | None:
    depth, final = config.get("num_hidden_layers"), config.get("final_token_threshold")
    if not isinstance(depth, int) or not isinstance(final, (int, float)):
        raise RuntimeError(
            f"[convert] {source}: expected num_hidden_layers and final_token_threshold in config.json, "
            f"got {depth} and {final}"
        )
    thresholds = {}
    for layer in range(depth):
        name = _THRESHOLD.format(layer)
        if name not in state or state[name].numel() != 1:
            raise RuntimeError(f"[convert] {source}: expected a number '{name}', got none")
        theta = np.float32(final * layer / depth) + np.float32(state[name].item())
        if theta != 0:  # with 0 the official pruner leaves its mask as it is
            thresholds[layer] = max(theta, _LEAST_THRESHOLD)
    if not thresholds:
        return None
    values = "/".join(str(theta) for theta in thresholds.values())
    sites = "/".join(str(layer) for layer in thresholds)
    return _core.Recipe(
        f"score=received_attention(n_ref={n_ref}) | select=threshold({values}) | drop=gone | "
        f"at=after_attention:{sites}"
    )


def _read_config(folder: pathlib.Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise RuntimeError(f"[convert] {folder / 'config.json'}: expected JSON; {error}") from error
    return config if isinstance(config, dict) else {}
