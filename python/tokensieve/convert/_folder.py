"""Model folders from networks and checkpoints, and back."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import tempfile
from typing import Any

from .. import _tokensieve as _core
from . import _dynamicvit, _ltp, _lvvit, _timm
from ._checkpoint import SUFFIXES, Checkpoint, read_checkpoint


def convert(
    model: Any,
    folder: str | os.PathLike[str],
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    dtype: str = "f32",
    labels: list[str] | None = None,
    recipe: str | None = None,
    keep: float | None = None,
    ema: bool = False,
    n_ref: int = 128,
) -> None:
    """Writes `model` as a model folder that tokensieve and timm open.

    `model` is a timm ViT, DeiT or DINOv2 (an nn.Module), or the name of one; with a name,
    `checkpoint` is a `.safetensors` or `.pth` file with its weights. A checkpoint alone, as `model`,
    is taken for the DeiT of its sizes. LV-ViT, which timm does not have, goes by the names of its
    authors, such as "lvvit_s", and needs the checkpoint. DynamicViT's predictors, under their official names in the
    same checkpoint, go to sieve.safetensors. `dtype` is "f32" or "bf16", `labels` one name a class,
    `recipe` the default recipe and `keep` its keep rate: with predictors the recipe is
    `dynamicvit(keep, ...)` where none is given, at the rate that a training file tells where `keep` is
    not. `ema` takes the averaged weights of a training file. The folder appears whole or not at all.

    `model` may also be a folder of LTP's authors (arXiv 2107.00910, config.json with model_type "ltp"): it
    becomes a RoBERTa folder whose recipe has its learned thresholds; `n_ref` is the length that texts were
    padded to when they were learned.

    Raises ValueError for a wrong argument, an existing folder included, RuntimeError for a file that
    is no checkpoint and for a network that tokensieve cannot run: what is written gives the outputs
    that `model` gives.
    """
    target = pathlib.Path(folder)
    if dtype not in ("f32", "bf16"):
        hint = _core.did_you_mean(dtype, ["f32", "bf16"])
        raise ValueError(f"[convert] dtype must be 'f32' or 'bf16', got '{dtype}'{hint}")
    if target.exists():
        raise ValueError(f"[convert] {target} exists; name a new folder")
    chosen = None if recipe is None else _core.Recipe(recipe)
    if _ltp.is_ltp(model):
        _convert_ltp(model, target, dtype, chosen, n_ref, given=(checkpoint, labels, keep, ema or None))
        return
    if checkpoint is None and _is_checkpoint(model):
        model, checkpoint = None, model
    source = None if checkpoint is None else read_checkpoint(checkpoint, ema=ema)
    predictors: dict[str, Any] = {}
    if source is not None:
        source.state, predictors = _dynamicvit.split(source.state)
    network = None
    if _lvvit.is_lvvit(model):
        tensors = _lvvit.fold(_lvvit.state_of(model, source))
        config = _lvvit.config(model, tensors, labels)
    else:
        network = copy.deepcopy(_network(model, source)).cpu().float().eval()
        tensors = _arrays(network.state_dict())
        config = _timm.config(network, labels)
    if chosen is None and source is not None and predictors:
        chosen = _dynamicvit.default_recipe(source, predictors, _depth(tensors), keep)
    elif keep is not None:
        if chosen is None:
            raise ValueError("[convert] keep is the rate of a recipe; pass the recipe too")
        chosen = chosen.with_density("keep", keep)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = pathlib.Path(name)
        _core.write_safetensors(scratch / "model.safetensors", tensors)
        if predictors:
            _core.write_safetensors(scratch / "sieve.safetensors", _arrays(predictors))
        (scratch / "config.json").write_text(json.dumps(config))
        if chosen is not None:
            (scratch / "sieve.json").write_text(json.dumps({"recipe": str(chosen)}))
        if network is not None:
            _timm.compare(network, _core.load(scratch))
        _core.rewrite_model_folder(scratch, target, dtype == "bf16")


def to_checkpoint(folder: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Writes a model folder as the checkpoint that the code of the network's authors loads strictly.

    The file holds {"model": state}, float32, under timm's names, with DynamicViT's predictors under
    theirs; an LV-ViT gets batch norms that change nothing but the bias, so that converting it again
    gives the folder's tensors to the last bit. Raises ValueError when `path` exists and RuntimeError for a folder that does not open.
    """
    import torch
    from safetensors.numpy import load_file

    target = pathlib.Path(path)
    if target.exists():
        raise ValueError(f"[to_checkpoint] {target} exists; name a new file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = pathlib.Path(name)
        _core.rewrite_model_folder(pathlib.Path(folder), scratch / "model", False)
        tensors = load_file(scratch / "model" / "model.safetensors")
        if "patch_embed.conv1.bias" in tensors:
            tensors = _lvvit.unfold(tensors)
        predictors = scratch / "model" / "sieve.safetensors"
        if predictors.exists():
            tensors |= load_file(predictors)
        state = {name: torch.from_numpy(values) for name, values in tensors.items()}
        torch.save({"model": state}, scratch / "checkpoint")
        os.replace(scratch / "checkpoint", target)


def _convert_ltp(
    model: Any, target: pathlib.Path, dtype: str, recipe: _core.Recipe | None, n_ref: int, given: tuple[Any, ...]
) -> None:
    if any(value is not None for value in given):
        raise ValueError("[convert] an LTP folder has its weights, labels and densities; pass none of them")
    if n_ref < 1:
        raise ValueError(f"[convert] expected n_ref of 1 or more, got {n_ref}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = pathlib.Path(name)
        learned = _ltp.write(model, scratch, n_ref)
        if recipe or learned:
            (scratch / "sieve.json").write_text(json.dumps({"recipe": str(recipe or learned)}))
        _core.rewrite_model_folder(scratch, target, dtype == "bf16")


def _is_checkpoint(model: Any) -> bool:
    return isinstance(model, (str, os.PathLike)) and pathlib.Path(model).suffix in SUFFIXES


def _network(model: Any, source: Checkpoint | None) -> Any:
    if isinstance(model, str):
        return _timm.create(model, source)
    if source is None:
        return model
    if model is not None:
        raise ValueError("[convert] a checkpoint goes with the name of a model, not with a network")
    return _timm.create_like(source)


def _depth(tensors: dict[str, Any]) -> int:
    return 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))


def _arrays(state: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().cpu().float().numpy() for name, tensor in state.items()}
