"""LV-ViT: logits equal an independent PyTorch version; checkpoints convert there and back."""

import json

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import THREADS, random_pixels
from reference_dynamicvit import official_state, random_predictors
from reference_lvvit import LvVit, centered, dynamic_lvvit, random_lvvit
from safetensors.numpy import load_file
from safetensors.torch import save_file

TINY = {"dim": 64, "heads": 1, "depth": 4, "classes": 7, "image": 64, "width": 12}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """LV-ViT-S with random weights: PyTorch's network, and ours with two threads."""
    network = random_lvvit()
    folder = tmp_path_factory.mktemp("models")
    torch.save({"model": network.state_dict()}, folder / "lvvit_s.pth")
    ts.convert("lvvit_s", folder / "lvvit_s", checkpoint=folder / "lvvit_s.pth")
    return network, ts.load(folder / "lvvit_s", threads=THREADS)


@pytest.fixture
def tiny(tmp_path):
    network = random_lvvit(**TINY)
    torch.save(network.state_dict(), tmp_path / "tiny.pth")
    return network, tmp_path / "tiny.pth"


def assert_close(ours, network, pixels):
    with torch.inference_mode():
        theirs = network(pixels).numpy()
    scale = np.abs(theirs).max()
    assert scale > 0.1, "these weights would hide an error"
    error = np.abs(ours - theirs).max() / scale
    assert error <= 1e-4, f"logits differ by {error:.2e} of their scale"


@pytest.mark.parametrize("size", [(224, 224), (160, 288)])
def test_logits_equal_pytorch(small, size):
    network, model = small
    pixels = random_pixels(2, *size)
    assert_close(model(pixels, recipe="dense").logits, network, pixels)


def test_sizes_are_those_of_lvvit_s(small):
    network, model = small
    assert sum(p.numel() for p in network.parameters()) == 26_151_824
    pixels = random_pixels(1, 224)
    assert model(pixels, recipe="dense").macs[0] == 6_551_485_440
    config = model.config
    assert (config["stem_channels"], config["skip_lam"], config["aux_head"]) == (64, 2.0, True)
    assert config["layer_norm_eps"] == pytest.approx(1e-5)
    assert config["num_heads"] == [6] * 16
    assert model.preprocessing["crop_pct"] == 0.9


def test_evit_drops_tokens_of_the_second_head_too(small):
    _, model = small
    pixels = random_pixels(2, 224)
    result = model(pixels, recipe="evit(keep=0.5, sites=4/8/12)")
    assert (result.macs < 6_551_485_440 * 0.65).all()
    assert [len(kept) for kept in result.kept] == [25, 25]


@pytest.mark.parametrize("keep, gmacs", [(0.9, 5.876), (0.7, 4.650), (0.5, 3.790)])
def test_dynamicvit_on_lvvit_equals_pytorch(small, keep, gmacs, tmp_path):
    network, _ = small
    predictors = centered(network, random_predictors(384), random_pixels(1, 224, seed=6))
    torch.save({"model": official_state(network, predictors)}, tmp_path / "official.pth")
    ts.convert("lvvit_s", tmp_path / "model", checkpoint=tmp_path / "official.pth", keep=0.7)
    model = ts.load(tmp_path / "model", threads=THREADS)
    assert "at=before:4/8/12" in str(model.recipe)
    pixels = random_pixels(2, 224, seed=3)
    result = model(pixels, keep=keep)
    # The papers multiply the mean of the tokens with a quarter of W_1 for each token; we do it once.
    seen = sum(int(196 * keep**site) for site in range(3))
    saved = (seen - 3) * 192 * 192
    assert result.macs == pytest.approx(gmacs * 1e9 - saved, abs=5e5)
    for index, image in enumerate(pixels):
        expected, selected = dynamic_lvvit(network, predictors, image, keep)
        for site, (kept, margin) in enumerate(selected):
            assert margin > 1e-6, "another seed has no ties"
            assert result.traces[index].kept_indices(site).tolist() == kept
        error = np.abs(result.logits[index] - expected[0].numpy()).max()
        assert error <= 1e-4 * expected.abs().max().item()


@pytest.mark.parametrize("name, skip_lam", [("lvvit_t", 1.0), ("lvvit_m", 2.0), ("lvvit_l", 3.0)])
def test_the_name_tells_the_divisor_of_the_residuals(name, skip_lam, tmp_path):
    sizes = TINY | ({"dim": 64, "heads": 4} if name == "lvvit_t" else {})
    network = random_lvvit(**sizes, skip_lam=skip_lam)
    torch.save({"state_dict": network.state_dict()}, tmp_path / "tiny.pth")
    ts.convert(name, tmp_path / "model", checkpoint=tmp_path / "tiny.pth")
    pixels = random_pixels(2, 64)
    assert_close(ts.load(tmp_path / "model")(pixels).logits, network, pixels)


def test_a_checkpoint_goes_there_and_back(tiny, tmp_path):
    network, checkpoint = tiny
    ts.convert("lvvit_s", tmp_path / "model", checkpoint=checkpoint)
    ts.to_checkpoint(tmp_path / "model", tmp_path / "back.pth")
    state = torch.load(tmp_path / "back.pth", weights_only=True)["model"]
    again = LvVit(**TINY).eval()
    again.load_state_dict(state, strict=True)
    pixels = random_pixels(2, 64)
    with torch.inference_mode():
        assert torch.allclose(again(pixels), network(pixels), rtol=0, atol=1e-4)
    # The second way there starts from the folded form, and gives it back to the last bit.
    ts.convert("lvvit_s", tmp_path / "again", checkpoint=tmp_path / "back.pth")
    first, second = (load_file(tmp_path / n / "model.safetensors") for n in ("model", "again"))
    assert first.keys() == second.keys()
    for key in first:
        assert first[key].tobytes() == second[key].tobytes(), key
    for key, value in network.state_dict().items():
        if "patch_embed.conv" not in key and ".bn" not in key:
            assert torch.equal(state[key], value), key


def test_safetensors_and_half_precision_convert_too(tiny, tmp_path):
    network, _ = tiny
    half = {name: value.bfloat16() for name, value in network.state_dict().items()}
    save_file(half, tmp_path / "tiny.safetensors")
    network.load_state_dict(half)
    ts.convert(
        "lvvit_s",
        tmp_path / "model",
        checkpoint=tmp_path / "tiny.safetensors",
        labels=list("abcdefg"),
        recipe="evit(keep=0.5, sites=1/2)",
        dtype="bf16",
    )
    model = ts.load(tmp_path / "model")
    assert model.labels == list("abcdefg")
    pixels = random_pixels(1, 64)
    ours = model(pixels, recipe="dense").logits
    with torch.inference_mode():
        theirs = network(pixels).numpy()
    assert np.abs(ours - theirs).max() <= 0.03 * np.abs(theirs).max()


def test_the_module_converts_both_ways_from_the_command_line(tiny, tmp_path):
    from tokensieve.convert.__main__ import main

    _, checkpoint = tiny
    main(["lvvit_s", str(tmp_path / "model"), "--checkpoint", str(checkpoint)])
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["architecture"] == "lvvit_s"
    main(["--back", str(tmp_path / "model"), str(tmp_path / "back.pth")])
    assert "patch_embed.bn1.running_var" in torch.load(tmp_path / "back.pth", weights_only=True)["model"]
    with pytest.raises(SystemExit, match="exists"):
        main(["--back", str(tmp_path / "model"), str(tmp_path / "back.pth")])


def test_a_timm_folder_goes_back_under_its_own_names(tiny_folder, tmp_path):
    ts.to_checkpoint(tiny_folder, tmp_path / "tiny.pth")
    state = torch.load(tmp_path / "tiny.pth", weights_only=True)["model"]
    expected = load_file(tiny_folder / "model.safetensors")
    assert state.keys() == expected.keys()
    for key, value in expected.items():
        assert np.array_equal(state[key].numpy(), value), key


def without(*names):
    return lambda state: {key: value for key, value in state.items() if key not in names}


BROKEN = {
    "no batch norm": (without("patch_embed.bn2.running_var"), "'patch_embed.bn2.running_var', got none"),
    "no convolution": (without("patch_embed.conv3.weight"), "'patch_embed.conv3.weight', got none"),
    "no positions": (without("pos_embed"), "expected 'pos_embed'"),
    "no head": (without("head.weight", "head.bias"), "beside aux_head, got none"),
    "no bias": (without("aux_head.bias"), "expected a tensor 'aux_head.bias'"),
    "a stranger": (lambda s: s | {"extra": torch.zeros(2)}, "got the tensor 'extra'"),
    "channels": (
        lambda s: s | {"patch_embed.bn1.bias": torch.zeros(5)},
        "of as many channels",
    ),
    "flat convolution": (lambda s: s | {"patch_embed.conv1.weight": torch.zeros(12)}, "kernel, kernel"),
    "oblong positions": (lambda s: s | {"pos_embed": torch.zeros(1, 13, 64)}, r"got \[1, 13, 64\]"),
    "flat positions": (lambda s: s | {"pos_embed": torch.zeros(17)}, r"got \[17\]"),
    "no positions at all": (lambda s: s | {"pos_embed": torch.zeros(1, 0, 64)}, r"got \[1, 0, 64\]"),
    "no tensors": (lambda s: {"model": [1, 2]}, "expected a state dict of tensors"),
    "words": (lambda s: {"a": "b"}, "expected a state dict of tensors"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_checkpoint_is_refused_by_name(case, tiny, tmp_path):
    network, _ = tiny
    change, message = BROKEN[case]
    torch.save(change(network.state_dict()), tmp_path / "broken.pth")
    with pytest.raises(RuntimeError, match=message):
        ts.convert("lvvit_s", tmp_path / "model", checkpoint=tmp_path / "broken.pth")
    assert not (tmp_path / "model").exists()


def test_wrong_arguments_are_refused(tiny, tmp_path):
    _, checkpoint = tiny
    with pytest.raises(ValueError, match="name its checkpoint"):
        ts.convert("lvvit_s", tmp_path / "model")
    with pytest.raises(ValueError, match="did you mean 'lvvit_"):
        ts.convert("lvvit_x", tmp_path / "model", checkpoint=checkpoint)
    with pytest.raises(ValueError, match="expected 7 labels"):
        ts.convert("lvvit_s", tmp_path / "model", checkpoint=checkpoint, labels=["a"])
    with pytest.raises(RuntimeError, match="model_folder"):
        ts.to_checkpoint(tmp_path / "nothing", tmp_path / "back.pth")
