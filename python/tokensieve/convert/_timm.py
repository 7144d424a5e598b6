"""Networks of timm: made from a checkpoint, described for config.json, compared once converted."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _tokensieve as _core
from . import _lvvit
from ._checkpoint import Checkpoint


def create(name: str, checkpoint: Checkpoint | None) -> Any:
    """timm's network of that name, with the weights of `checkpoint` or else timm's own."""
    import timm

    if not timm.is_model(name):
        known = timm.list_models("*vit*") + timm.list_models("deit*") + list(_lvvit.NAMES)
        hint = _core.did_you_mean(name, known)
        raise ValueError(f"[convert] timm has no model '{name}'{hint}")
    if checkpoint is None:
        return timm.create_model(name, pretrained=True)
    return _filled(timm.create_model(name, num_classes=_classes(checkpoint.state)), checkpoint)


def create_like(checkpoint: Checkpoint) -> Any:
    """The DeiT whose sizes are the checkpoint's. Raises ValueError when it is no DeiT."""
    import timm

    state = checkpoint.state
    try:
        _, rows, dim = state["pos_embed"].shape
        patch = state["patch_embed.proj.weight"].shape[3]
        distilled = "dist_token" in state
        side = round((rows - 1 - distilled) ** 0.5)
        depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    except (KeyError, ValueError, IndexError) as error:
        raise _unknown(checkpoint) from error
    if side * side + 1 + distilled != rows or dim % 64 != 0:  # DeiT's heads are 64 wide
        raise _unknown(checkpoint)
    size = {192: "tiny", 384: "small", 768: "base"}.get(dim, "small")
    network = timm.create_model(
        f"deit_{size}{'_distilled' * distilled}_patch16_224",
        num_classes=_classes(state),
        img_size=side * patch,
        patch_size=patch,
        embed_dim=dim,
        depth=depth,
        num_heads=dim // 64,
    )
    return _filled(network, checkpoint)


def _unknown(checkpoint: Checkpoint) -> ValueError:
    return ValueError(
        f"[convert] {checkpoint.path} is of a network that its tensors do not tell; name it: "
        "model='deit_small_patch16_224', checkpoint=..."
    )


def _classes(state: dict[str, Any]) -> int:
    return state["head.weight"].shape[0] if "head.weight" in state else 0


def _filled(network: Any, checkpoint: Checkpoint) -> Any:
    try:
        network.load_state_dict(checkpoint.state, strict=True)
    except RuntimeError as error:
        raise RuntimeError(f"[convert] {checkpoint.path}: {error}") from error
    return network


def config(network: Any, labels: list[str] | None) -> dict[str, Any]:
    """config.json of a network, in timm's hub format."""
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
    described = {
        "architecture": cfg.get("architecture", "vit_small_patch16_224"),
        "num_classes": network.num_classes,
        "num_features": network.num_features,
        "global_pool": network.global_pool,
        "model_args": {"img_size": size, "num_heads": network.blocks[0].attn.num_heads},
        "pretrained_cfg": pretrained | {"input_size": [3, *size], "num_classes": network.num_classes},
        "tokensieve": {"layer_norm_eps": network.blocks[0].norm1.eps},
    }
    if labels is not None:
        described["label_names"] = list(labels)
    return described


def compare(network: Any, converted: _core.Classifier) -> None:
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
