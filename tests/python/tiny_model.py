"""A random ViT of a few hundred kilobytes, and pictures for it, made with numpy alone."""

import json
import pathlib
import shutil

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

LABELS = ["blue", "green", "red"]
DEPTH = 10  # the recipes' default sites are 3, 6 and 9


def tiny_tensors(seed=0, dim=64, depth=DEPTH, patch=14, size=56, classes=3):
    """Tensors of a ViT under timm's names: float32, large enough that its scores differ."""
    rng = np.random.default_rng(seed)

    def random(*shape, scale):
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    tensors = {
        "cls_token": random(1, 1, dim, scale=0.5),
        "pos_embed": random(1, 1 + (size // patch) ** 2, dim, scale=0.5),
        "patch_embed.proj.weight": random(dim, 3, patch, patch, scale=0.04),
        "patch_embed.proj.bias": random(dim, scale=0.1),
        "norm.weight": np.ones(dim, np.float32),
        "norm.bias": np.zeros(dim, np.float32),
        "head.weight": random(classes, dim, scale=0.5),
        "head.bias": random(classes, scale=0.1),
    }
    for block in range(depth):
        for name, out, inner in [
            ("attn.qkv", 3 * dim, dim),
            ("attn.proj", dim, dim),
            ("mlp.fc1", 4 * dim, dim),
            ("mlp.fc2", dim, 4 * dim),
        ]:
            tensors[f"blocks.{block}.{name}.weight"] = random(out, inner, scale=1.5 * inner**-0.5)
            tensors[f"blocks.{block}.{name}.bias"] = random(out, scale=0.1)
        for norm in ("norm1", "norm2"):
            tensors[f"blocks.{block}.{norm}.weight"] = np.ones(dim, np.float32)
            tensors[f"blocks.{block}.{norm}.bias"] = np.zeros(dim, np.float32)
    return tensors


def tiny_predictors(count=3, seed=1, dim=64):
    """DynamicViT's predictors under their official names, with scores that differ widely."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for site in range(count):
        for name, out, inner in [
            ("in_conv.1", dim, dim),
            ("out_conv.0", dim // 2, dim),
            ("out_conv.2", dim // 4, dim // 2),
            ("out_conv.4", 2, dim // 4),
        ]:
            scope = f"score_predictor.{site}.{name}"
            weight = 2 * inner**-0.5 * rng.standard_normal((out, inner))
            tensors[f"{scope}.weight"] = weight.astype(np.float32)
            tensors[f"{scope}.bias"] = np.zeros(out, np.float32)
        tensors[f"score_predictor.{site}.in_conv.0.weight"] = np.ones(dim, np.float32)
        tensors[f"score_predictor.{site}.in_conv.0.bias"] = np.zeros(dim, np.float32)
    return tensors


def write_tiny_model(folder, recipe=None, labels=LABELS, seed=0, predictors=0):
    """Writes a model folder in timm's layout: 56 x 56 pixels, 16 patches, two heads of 32.

    With `predictors`, it has those of so many sites.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    save_file(tiny_tensors(seed), folder / "model.safetensors")
    config = {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": len(labels),
        "label_names": labels,
        "model_args": {
            "img_size": 56,
            "patch_size": 14,
            "embed_dim": 64,
            "depth": DEPTH,
            "num_heads": 2,
            "num_classes": len(labels),
        },
        "pretrained_cfg": {
            "input_size": [3, 56, 56],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    if predictors:
        save_file(tiny_predictors(predictors), folder / "sieve.safetensors")
    if recipe is not None:
        (folder / "sieve.json").write_text(json.dumps({"recipe": recipe}))
    return folder


def write_masked_model(source, folder, masks):
    """A copy of a model folder with MaiT's masks."""
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text())
    config.setdefault("tokensieve", {})["attention_masks"] = masks
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_picture(path, seed=0, size=(72, 64)):
    """Writes a picture of random coloured tiles, another one for each seed."""
    rng = np.random.default_rng(seed)
    tiles = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tiles).resize(size, Image.Resampling.NEAREST).save(path)
    return path


def write_nan_model(folder):
    """Writes the tiny model with a NaN in every picture's logit of class 0."""
    folder = write_tiny_model(folder)
    tensors = tiny_tensors()
    tensors["head.bias"][0] = np.nan
    save_file(tensors, folder / "model.safetensors")
    return folder


def write_turned_folders(root, count=6):
    """The same pictures as two ImageFolders below `root`: "stored" upside down with the EXIF orientation
    that says so, and "seen" the right way up; and "plain" as stored, without EXIF."""
    root = pathlib.Path(root)
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    for number, label in enumerate(LABELS):
        for index in range(count):
            name = f"{label}/{index}.png"
            seen = write_picture(root / "seen" / name, seed=100 * number + index)
            for kind, options in (("stored", {"exif": exif}), ("plain", {})):
                path = root / kind / name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.open(seen).rotate(180).save(path, **options)
    return root / "stored", root / "seen", root / "plain"


def write_image_folder(root, per_class=7):
    """Writes an ImageFolder of LABELS; returns its root."""
    for number, label in enumerate(LABELS):
        for index in range(per_class):
            write_picture(pathlib.Path(root) / label / f"{index}.png", 100 * number + index)
    return pathlib.Path(root)
