"""Files we write are read by the packages that others use, and the other way round."""

import json

import numpy as np
import pytest
import timm
import tokensieve as ts
import torch
from conftest import random_pixels, random_timm
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tiny_model import tiny_tensors, write_tiny_model
from tokensieve import _tokensieve as core


def test_safetensors_reads_what_we_write(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {
        "matrix": rng.standard_normal((3, 5)).astype(np.float32),
        "sliced": rng.standard_normal((8, 4)).astype(np.float32)[::2, ::-1],
        "scalar": np.float32(2.5).reshape(()),
        "empty": np.zeros((0, 7), np.float32),
        "名前": np.array([np.nan, np.inf, -0.0, 1e-45], np.float32),
    }
    path = tmp_path / "ours.safetensors"
    core.write_safetensors(path, tensors, {"format": "pt", "note": 'a "quote"\n'})
    read = load_file(path)
    assert read.keys() == tensors.keys()
    for name, values in tensors.items():
        assert read[name].shape == values.shape and read[name].dtype == np.float32
        assert read[name].tobytes() == np.ascontiguousarray(values).tobytes()
    with safe_open(path, "np") as file:
        assert file.metadata() == {"format": "pt", "note": 'a "quote"\n'}


def test_safetensors_writes_our_bytes(tmp_path):
    tensors = tiny_tensors()
    save_file(tensors, tmp_path / "theirs.safetensors")
    core.write_safetensors(tmp_path / "ours.safetensors", tensors)
    ours, theirs = ((tmp_path / f"{who}.safetensors").read_bytes() for who in ("ours", "theirs"))
    assert ours == theirs


NETWORKS = {
    "deit": ("deit_tiny_patch16_224", {"num_classes": 5}),
    "distilled": ("deit_tiny_distilled_patch16_224", {"num_classes": 5}),
    "dinov2": ("vit_small_patch14_dinov2", {"img_size": 70, "num_classes": 3}),
    "registers": ("vit_small_patch14_reg4_dinov2", {"img_size": (56, 70), "num_classes": 3}),
    "mean_pooled": (
        "vit_tiny_patch16_224",
        {"global_pool": "avg", "num_classes": 3, "img_size": 64},
    ),
    "other_sizes": (
        "vit_tiny_patch16_224",
        {"embed_dim": 96, "depth": 4, "num_heads": 3, "mlp_ratio": 2.5, "img_size": 48, "patch_size": 8},
    ),
}


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("case", NETWORKS)
def test_timm_loads_a_converted_folder_strictly(case, dtype, tmp_path):
    name, options = NETWORKS[case]
    network = random_timm(name, **options)
    folder = tmp_path / "model"
    ts.convert(network, folder, dtype=dtype)
    loaded = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    state = network.state_dict()
    assert loaded.state_dict().keys() == state.keys()
    for key, value in loaded.state_dict().items():
        expected = state[key] if dtype == "f32" else state[key].bfloat16().float()
        assert torch.equal(value, expected), key
    model = ts.load(folder, threads=2)
    pixels = random_pixels(2, *model.config["image_size"])
    with torch.inference_mode():
        expected = loaded(pixels).numpy()
    ours = model(pixels, recipe="dense").logits
    assert np.abs(ours - expected).max() <= 1e-4 * np.abs(expected).max()


def test_bf16_halves_the_file(tmp_path):
    network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3)
    sizes = []
    for dtype in ("f32", "bf16"):
        ts.convert(network, tmp_path / dtype, dtype=dtype)
        sizes.append((tmp_path / dtype / "model.safetensors").stat().st_size)
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.01)


def test_a_network_of_another_epsilon_keeps_it(tmp_path):
    from functools import partial

    norm = partial(torch.nn.LayerNorm, eps=1e-2)
    network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3, norm_layer=norm)
    ts.convert(network, tmp_path / "model")
    assert ts.load(tmp_path / "model").config["layer_norm_eps"] == pytest.approx(1e-2)


def test_convert_leaves_the_network_as_it_was(tmp_path):
    network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3).bfloat16().train()
    ts.convert(network, tmp_path / "model")
    assert network.training and network.head.weight.dtype == torch.bfloat16


def test_convert_writes_labels_recipe_and_preprocessing(tmp_path):
    network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3)
    recipe = "evit(keep=0.6, fuse)"
    ts.convert(network, tmp_path / "model", labels=["a", "b", "ü"], recipe=recipe)
    model = ts.load(tmp_path / "model")
    assert model.labels == ["a", "b", "ü"]
    assert model.recipe == ts.Recipe(recipe)
    assert model.config["name"] == "vit_tiny_patch16_224"
    expected = network.pretrained_cfg
    assert model.preprocessing["size"] == (64, 64)
    assert model.preprocessing["crop_pct"] == expected["crop_pct"]
    assert model.preprocessing["mean"] == pytest.approx(expected["mean"])


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_convert_reads_checkpoints(suffix, tmp_path):
    from safetensors.torch import save_file as save_torch

    network = random_timm("deit_tiny_patch16_224", num_classes=4)
    path = tmp_path / f"checkpoint.{suffix}"
    if suffix == "pth":
        torch.save({"model": network.state_dict(), "epoch": 3}, path)
    else:
        save_torch(network.state_dict(), path)
    ts.convert("deit_tiny_patch16_224", tmp_path / "model", checkpoint=path)
    pixels = random_pixels(1, 224)
    with torch.inference_mode():
        expected = network(pixels).numpy()
    ours = ts.load(tmp_path / "model")(pixels).logits
    assert np.abs(ours - expected).max() <= 1e-4 * np.abs(expected).max()


def test_the_module_converts_from_the_command_line(tmp_path, capsys):
    from tokensieve.convert.__main__ import main

    network = random_timm("deit_tiny_patch16_224", num_classes=2)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    arguments = ["deit_tiny_patch16_224", str(tmp_path / "model")]
    options = ["--checkpoint", str(tmp_path / "weights.pth"), "--dtype", "bf16"]
    options += ["--labels", str(tmp_path / "labels.txt"), "--recipe", "evit"]
    main(arguments + options)
    assert ts.load(tmp_path / "model").labels == ["cat", "dog"]
    with pytest.raises(SystemExit, match="exists"):
        main(arguments + options)


def test_a_timm_folder_opens_as_it_is(tmp_path):
    folder = write_tiny_model(tmp_path / "model")
    network = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    pixels = random_pixels(2, 56)
    with torch.inference_mode():
        expected = network(pixels).numpy()
    assert np.abs(ts.load(folder)(pixels).logits - expected).max() <= 1e-4 * np.abs(expected).max()


def test_provenance_survives(tmp_path):
    folder = write_tiny_model(tmp_path / "model", recipe="evit(keep=0.5)")
    sieve = json.loads((folder / "sieve.json").read_text())
    sieve["provenance"] = {"seed": 3}
    (folder / "sieve.json").write_text(json.dumps(sieve))
    assert ts.load(folder).provenance == {"seed": 3}
