"""Folders that transformers wrote open as they are, with transformers' outputs."""

import json

import numpy as np
import pytest
import tokensieve as ts
import torch
import transformers
from conftest import random_pixels
from tiny_model import write_picture
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    Dinov2Config,
    Dinov2Model,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 10,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "image_size": 64,
    "patch_size": 16,
}
NAMES = {0: "blue", 1: "green", 2: "red"}
LABELS = {"num_labels": 3, "id2label": NAMES, "label2id": {name: i for i, name in NAMES.items()}}


def first(output):
    return output.logits


def class_token(output):
    return output.last_hidden_state[:, 0]


CASES = {
    "vit": (ViTForImageClassification, ViTConfig, LABELS, first),
    "vit_backbone": (ViTModel, ViTConfig, {}, class_token),
    "vit_no_qkv_bias": (ViTForImageClassification, ViTConfig, LABELS | {"qkv_bias": False}, first),
    "deit": (DeiTForImageClassification, DeiTConfig, LABELS, first),
    "deit_teacher": (DeiTForImageClassificationWithTeacher, DeiTConfig, LABELS, first),
    "dinov2": (Dinov2Model, Dinov2Config, {"patch_size": 14, "image_size": 70}, class_token),
}


def random_network(case, seed=0):
    kind, config, options, read = CASES[case]
    network = kind(config(**SIZES | options)).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            scale = 0.3 if "query" in name or "key" in name or "_proj" in name else 0.1
            if "lambda" in name or (value.ndim == 1 and "norm" in name and "weight" in name):
                value.uniform_(0.5, 1.5, generator=generator)
            else:
                value.normal_(0, scale, generator=generator)
    return network, read


def save(network, folder):
    """The network as transformers saves it, and the settings of its image processor."""
    network.save_pretrained(folder)
    side = network.config.image_size
    settings = {
        "size": {"height": side, "width": side},
        "resample": 3,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize("case", CASES)
def test_outputs_equal_transformers(case, tmp_path):
    network, read = random_network(case)
    save(network, tmp_path)
    model = ts.load(tmp_path, threads=2)
    assert model.labels == (list(NAMES.values()) if network.config.num_labels == 3 else [])
    pixels = random_pixels(3, network.config.image_size)
    with torch.inference_mode():
        expected = read(network(pixels)).numpy()
    ours = model(pixels, recipe="dense").logits
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() <= 1e-4 * np.abs(expected).max()
    assert len(model(pixels, recipe="evit(keep=0.5, fuse)").kept[0]) < 16


def test_rewriting_a_folder_gives_the_same_outputs_in_our_layout(tmp_path):
    from tokensieve import _tokensieve as core

    network, _ = random_network("vit")
    save(network, tmp_path / "hf")
    core.rewrite_model_folder(tmp_path / "hf", tmp_path / "ours", bf16=False)
    pixels = random_pixels(2, 64)
    logits = [ts.load(tmp_path / name)(pixels).logits for name in ("hf", "ours")]
    assert np.array_equal(*logits)


def preprocessor(kind, **options):
    # transformers 5 computes in torch unless told to use PIL
    plain = getattr(transformers, f"{kind}Pil", None) or getattr(transformers, kind)
    return plain(**options)


@pytest.mark.parametrize(
    "kind, options",
    [
        ("ViTImageProcessor", {"size": {"height": 64, "width": 64}, "resample": 2}),
        ("ViTImageProcessor", {"size": {"height": 48, "width": 80}, "resample": 3}),
        (
            "BitImageProcessor",
            {"size": {"shortest_edge": 80}, "crop_size": {"height": 64, "width": 64}, "resample": 3},
        ),
        (
            "DeiTImageProcessor",
            {
                "size": {"height": 80, "width": 80},
                "crop_size": {"height": 64, "width": 64},
                "resample": 3,
            },
        ),
    ],
)
def test_preprocessor_config_is_followed(kind, options, tmp_path):
    from PIL import Image

    network, _ = random_network("vit")
    network.save_pretrained(tmp_path / "model")
    processor = preprocessor(kind, **options)
    processor.save_pretrained(tmp_path / "model")
    model = ts.load(tmp_path / "model")
    path = write_picture(tmp_path / "picture.png", size=(150, 110))
    theirs = processor(Image.open(path).convert("RGB"), return_tensors="np")["pixel_values"][0]
    ours = model.preprocess(path)
    assert ours.shape == theirs.shape
    # the same pixels; a torch processor may round one another way
    assert np.abs(ours - theirs).max() < 1.6 / 255 / min(model.preprocessing["std"])
    assert np.abs(ours - theirs).mean() < 1e-2


def test_what_cannot_run_says_why(tmp_path):
    network = transformers.Dinov2ForImageClassification(
        Dinov2Config(**SIZES | {"patch_size": 14, "image_size": 70})
    )
    save(network, tmp_path)
    with pytest.raises(RuntimeError, match="save the model without its head"):
        ts.load(tmp_path)


def test_a_folder_without_its_image_processor_says_so(tmp_path):
    network, _ = random_network("vit")
    network.save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="save the image processor beside the model"):
        ts.load(tmp_path)
