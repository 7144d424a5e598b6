"""Turns a timm model or checkpoint into a tokensieve model folder.

    python -m tokensieve.convert deit_small_patch16_224 out/ --checkpoint deit_small.pth

Torch and timm are needed here and nowhere else. Checkpoints are read with `weights_only`: no pickled
code ever runs.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import pathlib
import sys
import tempfile
from typing import Any

import numpy as np

from . import _tokensieve as _core


def convert(
    model: Any,
    folder: str | os.PathLike[str],
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    dtype: str = "f32",
    labels: list[str] | None = None,
    recipe: str | None = None,
) -> None:
    """Writes `model` as a model folder that tokensieve and timm open.

    `model` is a timm ViT, DeiT or DINOv2 (an nn.Module), or the name of one; with a name,
    `checkpoint` is a `.safetensors` or `.pth` file with its weights. `dtype` is "f32" or "bf16",
    `labels` one name a class, `recipe` the default recipe. The folder appears whole or not at all.
    Raises ValueError for a wrong argument, an existing folder included, and RuntimeError for a
    network that tokensieve cannot run: what is written gives the outputs that `model` gives.
    """
    target = pathlib.Path(folder)
    if dtype not in ("f32", "bf16"):
        hint = _core.did_you_mean(dtype, ["f32", "bf16"])
        raise ValueError(f"[convert] dtype must be 'f32' or 'bf16', got '{dtype}'{hint}")
    if target.exists():
        raise ValueError(f"[convert] {target} exists; name a new folder")
    parsed = None if recipe is None else str(_core.Recipe(recipe))
    network = _create(model, checkpoint) if isinstance(model, str) else model
    config = _config(network, labels)
    network = copy.deepcopy(network).cpu().float().eval()
    tensors = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        scratch = pathlib.Path(name)
        _core.write_safetensors(scratch / "model.safetensors", tensors)
        (scratch / "config.json").write_text(json.dumps(config))
        if parsed is not None:
            (scratch / "sieve.json").write_text(json.dumps({"recipe": parsed}))
        _compare(network, _core.Classifier(scratch))
        _core.rewrite_model_folder(scratch, target, dtype == "bf16")


def _compare(network: Any, converted: _core.Classifier) -> None:
    """Refuses what the tensors do not tell, such as another activation: both see one input."""
    import torch

    height, width = converted.config["image_size"]
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, converted.config["in_channels"], height, width, generator=generator)
    with torch.inference_mode():
        theirs = network(pixels)[0].numpy()
    ours = converted.run([pixels[0].numpy()], _core.Recipe("dense"))[0].logits
    scale = float(np.abs(theirs).max()) if theirs.shape == ours.shape else 0.0
    if theirs.shape != ours.shape or not np.abs(ours - theirs).max() <= 1e-2 * max(scale, 1e-6):
        raise RuntimeError(
            f"[convert] {type(network).__name__} gives other outputs once converted; it computes "
            "something that tokensieve does not"
        )


def _create(name: str, checkpoint: str | os.PathLike[str] | None) -> Any:
    import timm
    import torch

    if not timm.is_model(name):
        hint = _core.did_you_mean(name, timm.list_models("*vit*") + timm.list_models("deit*"))
        raise ValueError(f"[convert] timm has no model '{name}'{hint}")
    if checkpoint is None:
        return timm.create_model(name, pretrained=True)
    path = pathlib.Path(checkpoint)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("model", state.get("state_dict", state))
    classes = state["head.weight"].shape[0] if "head.weight" in state else 0
    network = timm.create_model(name, num_classes=classes)
    network.load_state_dict(state, strict=True)
    return network


def _config(network: Any, labels: list[str] | None) -> dict[str, Any]:
    for attribute in ("pretrained_cfg", "blocks", "patch_embed", "global_pool", "num_classes"):
        if not hasattr(network, attribute):
            raise ValueError(
                f"[convert] expected a timm vision transformer, got {type(network).__name__} "
                f"without '{attribute}'"
            )
    if labels is not None and len(labels) != network.num_classes:
        raise ValueError(
            f"[convert] expected {network.num_classes} labels, one a class, got {len(labels)}"
        )
    cfg = dict(network.pretrained_cfg)
    size = list(network.patch_embed.img_size)
    keep = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
    pretrained = {key: cfg[key] for key in keep if key in cfg}
    config = {
        "architecture": cfg.get("architecture", "vit_small_patch16_224"),
        "num_classes": network.num_classes,
        "num_features": network.num_features,
        "global_pool": network.global_pool,
        "model_args": {"img_size": size, "num_heads": network.blocks[0].attn.num_heads},
        "pretrained_cfg": pretrained | {"input_size": [3, *size], "num_classes": network.num_classes},
        "tokensieve": {"layer_norm_eps": network.blocks[0].norm1.eps},
    }
    if labels is not None:
        config["label_names"] = list(labels)
    return config


def main(arguments: list[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m tokensieve.convert",
        description="Turns a timm model into a tokensieve model folder.",
        epilog="example: python -m tokensieve.convert deit_small_patch16_224 out/deit_s "
        "--checkpoint deit_small_patch16_224.pth --recipe 'evit(keep=0.7, fuse)'",
    )
    parser.add_argument("model", help="timm's name of the architecture")
    parser.add_argument("folder", help="model folder to write; must not exist")
    parser.add_argument("--checkpoint", help=".safetensors or .pth file with the weights")
    parser.add_argument("--dtype", default="f32", help="f32 (default) or bf16")
    parser.add_argument("--labels", help="text file, one label a line")
    parser.add_argument("--recipe", help="default recipe of the folder")
    options = parser.parse_args(arguments)
    labels = None
    try:
        if options.labels:
            labels = pathlib.Path(options.labels).read_text(encoding="utf-8").splitlines()
        convert(
            options.model,
            options.folder,
            checkpoint=options.checkpoint,
            dtype=options.dtype,
            labels=labels,
            recipe=options.recipe,
        )
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"tokensieve: {error}")


if __name__ == "__main__":
    main()
