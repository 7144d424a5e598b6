"""nn, the networks that train in C++, against timm (logits and gradients) and against the engine.

The program nn_probe of the C++ build runs them; TOKENSIEVE_BUILD names the build folder.
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import ROOT, random_timm
from reference_lvvit import random_lvvit
from safetensors.torch import load_file, save_file

BUILD = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test"))
PROBE = BUILD / "bin" / "nn_probe"

if os.environ.get("TOKENSIEVE_REQUIRE_NN"):
    assert PROBE.exists(), f"{PROBE} is not built: LibTorch was not found"
pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built (TOKENSIEVE_NN)")


def run_probe(folder, tensors, scratch):
    save_file(tensors, scratch / "in.safetensors")
    subprocess.run([PROBE, folder, scratch / "in.safetensors", scratch / "out.safetensors"], check=True)
    return load_file(scratch / "out.safetensors")


NETWORKS = [
    ("deit_tiny_patch16_224", {}),
    ("deit_tiny_distilled_patch16_224", {}),
    ("vit_small_patch14_reg4_dinov2", {"img_size": 70, "num_classes": 5, "depth": 3}),
    ("vit_tiny_patch16_224", {"global_pool": "avg", "depth": 3, "num_classes": 7}),
]


@pytest.mark.parametrize("name, options", NETWORKS)
def test_logits_and_gradients_equal_timms(name, options, tmp_path):
    network = random_timm(name, **options)
    ts.convert(network, tmp_path / "model")
    size = network.patch_embed.img_size
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 3, *size, generator=generator)
    logits = network(pixels)
    probe = torch.randn(logits.shape, generator=generator)
    (logits * probe).sum().backward()
    ours = run_probe(tmp_path / "model", {"pixels": pixels, "probe": probe}, tmp_path)
    assert (ours["logits"] - logits).abs().max() < 1e-4 * logits.abs().max()
    gradients = dict(network.named_parameters())
    assert {k.removeprefix("gradient.") for k in ours if k.startswith("gradient.")} == set(gradients)
    for key, parameter in gradients.items():
        expected, got = parameter.grad, ours["gradient." + key]
        assert (got - expected).abs().max() < 1e-3 * expected.abs().max() + 1e-6, key


def test_lvvit_equals_its_reference(tmp_path):
    network = random_lvvit(dim=64, heads=1, depth=4, classes=7, image=64, width=12)
    torch.save(network.state_dict(), tmp_path / "lvvit.pth")
    ts.convert("lvvit_s", tmp_path / "model", checkpoint=tmp_path / "lvvit.pth")
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    ours = run_probe(tmp_path / "model", {"pixels": pixels, "probe": torch.ones(2, 7)}, tmp_path)
    with torch.inference_mode():
        expected = network(pixels)
    assert (ours["logits"] - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("keep", [0.9, 0.7, 0.5, 0.3])
def test_masked_gathered_and_engine_agree(keep, tmp_path):
    network = random_timm("deit_small_patch16_224", num_classes=10)
    folder = tmp_path / "model"
    ts.convert(network, folder)
    generator = torch.Generator().manual_seed(2)
    sieve = {}
    for site in range(3):
        for key, shape in PREDICTOR.items():
            scale = 1.0 if len(shape) == 1 else shape[1] ** -0.5
            sieve[f"score_predictor.{site}.{key}"] = scale * torch.randn(shape, generator=generator)
    save_file(sieve, folder / "sieve.safetensors")
    (folder / "sieve.json").write_text('{"recipe": "dynamicvit(keep=0.7, sites=3/6/9)"}')
    pixels = torch.randn(2, 3, 224, 224, generator=generator)
    engine = ts.load(folder, threads=2)(list(pixels.numpy()), keep=keep)
    tensors = {
        "pixels": pixels,
        "probe": torch.zeros(2, 10),
        "keep": torch.tensor([keep, 0.0, 0.0]),
    }
    for site in range(3):
        kept = [trace.kept_indices(site) for trace in engine.traces]
        tensors[f"kept.{site}"] = torch.from_numpy(np.stack(kept)).float()
    ours = run_probe(folder, tensors, tmp_path)
    scale = np.abs(engine.logits).max()
    for way in ("gathered", "gathered_forced", "masked_forced"):
        assert np.abs(ours[way].numpy() - engine.logits).max() < 1e-4 * scale, way


def test_methods_without_predictors_evaluate_as_the_engine_runs_them(tmp_path):
    network = random_timm("deit_small_patch16_224", num_classes=10)
    folder = tmp_path / "model"
    ts.convert(network, folder)
    generator = torch.Generator().manual_seed(4)
    pixels = torch.randn(2, 3, 224, 224, generator=generator)
    thresholds = torch.tensor([0.003, 0.004, 0.005])
    tensors = {"pixels": pixels, "probe": torch.zeros(2, 10), "thresholds": thresholds}
    ours = run_probe(folder, tensors, tmp_path)
    model = ts.load(folder, threads=2)
    for name, recipe in {
        "evit": "evit(keep=0.7, fuse)",
        "sait": "sait(keep=0.46)",
        "asvit": "asvit(threshold=0.003/0.004/0.005)",
    }.items():
        engine = model(list(pixels.numpy()), recipe=recipe)
        error = np.abs(ours[name].numpy() - engine.logits).max()
        assert error < 1e-4 * np.abs(engine.logits).max(), name
        assert len(engine.kept[0]) < 140, "something leaves"


PREDICTOR = {
    "in_conv.0.weight": [384],
    "in_conv.0.bias": [384],
    "in_conv.1.weight": [384, 384],
    "in_conv.1.bias": [384],
    "out_conv.0.weight": [192, 384],
    "out_conv.0.bias": [192],
    "out_conv.2.weight": [96, 192],
    "out_conv.2.bias": [96],
    "out_conv.4.weight": [2, 96],
    "out_conv.4.bias": [2],
}
