"""Logits equal timm's, to 1e-4 of their scale, for every layout of ViT, DeiT and DINOv2."""

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import THREADS, random_pixels, random_timm

TOLERANCE = 1e-4

NETWORKS = {
    "deit_tiny": ("deit_tiny_patch16_224", {}, [(224, 224)]),
    "deit_base": ("deit_base_patch16_224", {}, [(224, 224)]),
    "deit_small_distilled": ("deit_small_distilled_patch16_224", {}, [(224, 224)]),
    "dinov2_small": (
        "vit_small_patch14_dinov2",
        {"img_size": 140, "num_classes": 10, "dynamic_img_size": True},
        [(140, 140), (224, 224), (112, 168)],
    ),
    "dinov2_small_registers": (
        "vit_small_patch14_reg4_dinov2",
        {"img_size": 112, "num_classes": 7, "dynamic_img_size": True},
        [(112, 112), (84, 140)],
    ),
    "mean_pooled": ("vit_tiny_patch16_224", {"global_pool": "avg", "num_classes": 5}, [(224, 224)]),
    "mean_pooled_two_norms": (
        "vit_tiny_patch16_224",
        {"global_pool": "avg", "fc_norm": True, "final_norm": True, "num_classes": 5},
        [(224, 224)],
    ),
    "no_class_token": (
        "vit_tiny_patch16_224",
        {"global_pool": "avg", "class_token": False, "num_classes": 5, "img_size": 112},
        [(112, 112)],
    ),
    "patch_32": ("vit_small_patch32_224", {"num_classes": 6, "img_size": 160}, [(160, 160)]),
    "patch_8": ("vit_small_patch8_224", {"num_classes": 6, "img_size": 72}, [(72, 72)]),
    "oblong_table": (
        "vit_tiny_patch16_224",
        {"img_size": (96, 160), "num_classes": 4, "dynamic_img_size": True},
        [(96, 160), (128, 128)],
    ),
    "no_qkv_bias": ("vit_tiny_patch16_224", {"qkv_bias": False, "img_size": 64}, [(64, 64)]),
    "features": ("vit_tiny_patch16_224", {"num_classes": 0, "img_size": 64}, [(64, 64)]),
}


def assert_close(ours, theirs):
    theirs = theirs.numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == np.float32
    scale = np.abs(theirs).max()
    assert scale > 0.1, "these weights would hide an error"
    error = np.abs(ours - theirs).max() / scale
    assert error <= TOLERANCE, f"logits differ by {error:.2e} of their scale"


@pytest.mark.parametrize("case", NETWORKS)
def test_logits_equal_timm(case, tmp_path):
    name, options, sizes = NETWORKS[case]
    network = random_timm(name, **options)
    ts.convert(network, tmp_path / "model")
    model = ts.load(tmp_path / "model", threads=THREADS)
    for height, width in sizes:
        pixels = random_pixels(2, height, width)
        with torch.inference_mode():
            expected = network(pixels)
        assert_close(model(pixels, recipe="dense").logits, expected)


def test_logits_of_deit_small_equal_timm_at_every_batch_size(deit_small):
    network, model = deit_small
    pixels = random_pixels(5, 224)
    with torch.inference_mode():
        expected = network(pixels)
    assert_close(model(pixels, recipe="dense").logits, expected)
    for batch in (1, 2, 3):
        assert_close(model(pixels, recipe="dense", batch=batch).logits, expected)


def test_images_of_one_call_may_differ_in_size(tmp_path):
    network = random_timm(
        "vit_small_patch14_dinov2", img_size=112, num_classes=10, dynamic_img_size=True
    )
    ts.convert(network, tmp_path / "model")
    model = ts.load(tmp_path / "model", threads=THREADS)
    inputs = [random_pixels(1, *size)[0] for size in [(112, 112), (56, 140), (28, 28), (154, 98)]]
    logits = model([pixels.numpy() for pixels in inputs], recipe="dense").logits
    for ours, pixels in zip(logits, inputs):
        with torch.inference_mode():
            assert_close(ours[None], network(pixels[None]))


@pytest.mark.parametrize("change", ["act_layer", "pool_include_prefix"])
def test_convert_refuses_what_the_tensors_would_not_tell(change, tmp_path):
    options = {
        "act_layer": {"act_layer": "quick_gelu"},
        "pool_include_prefix": {"global_pool": "avg", "pool_include_prefix": True},
    }[change]
    network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=5, **options)
    with pytest.raises(RuntimeError, match="gives other outputs once converted"):
        ts.convert(network, tmp_path / "model")
    assert not list(tmp_path.iterdir())
