"""Official DynamicViT checkpoints become folders and folders checkpoints, and nothing runs on the way."""

import argparse
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import random_pixels, random_timm
from reference_dynamicvit import official_state, random_predictors
from safetensors.torch import load_file, save_file
from tokensieve.convert.__main__ import main


@pytest.fixture(scope="module")
def state():
    """The state of a DynamicViT-DeiT-Ti of five classes."""
    network = random_timm("deit_tiny_patch16_224", num_classes=5)
    return official_state(network, random_predictors(192))


def assert_same_state(path, state):
    back = torch.load(path, weights_only=True)["model"]
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        assert torch.equal(back[name], tensor), name


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_checkpoint_comes_back_as_it_was(state, suffix, tmp_path):
    file = tmp_path / f"official.{suffix}"
    torch.save({"model": state}, file) if suffix == "pth" else save_file(state, file)
    ts.convert(file, tmp_path / "model", keep=0.6)
    folder = ts.load(tmp_path / "model")
    assert folder.num_predictors == 3
    assert folder.recipe == ts.Recipe("dynamicvit(keep=0.6, sites=3/6/9)")
    assert folder.config["name"] == "deit_tiny_patch16_224"
    ts.to_checkpoint(tmp_path / "model", tmp_path / "back.pth")
    assert_same_state(tmp_path / "back.pth", state)
    ts.convert(tmp_path / "back.pth", tmp_path / "again", keep=0.6)
    pixels = random_pixels(1, 224)
    assert np.array_equal(folder(pixels).logits, ts.load(tmp_path / "again")(pixels).logits)


def test_bf16_halves_the_predictors_too(state, tmp_path):
    torch.save(state, tmp_path / "official.pth")
    ts.convert(tmp_path / "official.pth", tmp_path / "model", keep=0.7, dtype="bf16")
    predictors = load_file(tmp_path / "model" / "sieve.safetensors")
    assert len(predictors) == 30
    for name, tensor in predictors.items():
        assert torch.equal(tensor, state[name].bfloat16())


@pytest.mark.parametrize("key", ["model", "model_ema"])
def test_a_training_file_tells_its_keep_rate(state, key, tmp_path):
    arguments = argparse.Namespace(base_rate=0.8, arch="deit_tiny", lr=1e-3, output_dir="out")
    content = {key: state, "optimizer": {"state": {}}, "epoch": 3, "scaler": {}, "args": arguments}
    torch.save(content, tmp_path / "checkpoint-3.pth")
    ts.convert(tmp_path / "checkpoint-3.pth", tmp_path / "model")
    assert ts.load(tmp_path / "model").recipe == ts.Recipe("dynamicvit(keep=0.8)")


def test_averaged_weights_are_taken_on_demand(state, tmp_path):
    averaged = {f"module.{name}": tensor / 2 for name, tensor in state.items()}
    torch.save({"model": state, "model_ema": averaged}, tmp_path / "both.pth")
    ts.convert(tmp_path / "both.pth", tmp_path / "model", keep=0.7, ema=True)
    name = "score_predictor.0.in_conv.1.weight"
    assert torch.equal(load_file(tmp_path / "model" / "sieve.safetensors")[name], state[name] / 2)
    torch.save({"model": state}, tmp_path / "plain.pth")
    with pytest.raises(RuntimeError, match="under 'model_ema', got none"):
        ts.convert(tmp_path / "plain.pth", tmp_path / "other", keep=0.7, ema=True)


def test_sizes_that_no_architecture_of_timm_has_are_inferred(tmp_path):
    network = random_timm(
        "deit_small_patch16_224", embed_dim=256, num_heads=4, num_classes=3, img_size=64, depth=4
    )
    torch.save({"model": official_state(network, random_predictors(256, 1))}, tmp_path / "256.pth")
    ts.convert(tmp_path / "256.pth", tmp_path / "model", keep=0.5)
    model = ts.load(tmp_path / "model")
    assert (model.config["embed_dim"], model.config["num_heads"][0]) == (256, 4)
    assert model.recipe == ts.Recipe("dynamicvit(keep=0.5, sites=2)")


def test_a_named_architecture_takes_a_checkpoint_with_predictors(state, tmp_path):
    torch.save({"model": state}, tmp_path / "official.pth")
    recipe = "dynamicvit(threshold=0.5, sites=2/5/8)"
    arguments = {"checkpoint": tmp_path / "official.pth", "recipe": recipe}
    ts.convert("deit_tiny_patch16_224", tmp_path / "model", **arguments)
    assert ts.load(tmp_path / "model").recipe == ts.Recipe(recipe)


def test_wrong_arguments_are_told(state, tmp_path):
    torch.save({"model": state}, tmp_path / "official.pth")
    file, out = tmp_path / "official.pth", tmp_path / "out"
    with pytest.raises(ValueError, match="does not say for which keep rate"):
        ts.convert(file, out)
    with pytest.raises(ValueError, match=r"keep in \(0, 1\], got 1.5"):
        ts.convert(file, out, keep=1.5)
    with pytest.raises(ValueError, match="recipe has 2 sites"):
        ts.convert(file, out, recipe="dynamicvit(keep=0.7, sites=3/6)")
    with pytest.raises(ValueError, match="pass the recipe too"):
        ts.convert(random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3), out, keep=0.5)
    with pytest.raises(ValueError, match="not with a network"):
        network = random_timm("vit_tiny_patch16_224", img_size=64, num_classes=3)
        ts.convert(network, out, checkpoint=file)
    partial = {name: tensor for name, tensor in state.items() if "out_conv.2" not in name}
    torch.save({"model": partial}, tmp_path / "partial.pth")
    with pytest.raises(RuntimeError, match="score_predictor.0.out_conv.2.bias"):
        ts.convert(tmp_path / "partial.pth", out, keep=0.7)
    torch.save({"model": {"weight": torch.zeros(2)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="its tensors do not tell; name it"):
        ts.convert(tmp_path / "other.pth", out)
    with pytest.raises(ValueError, match="exists"):
        ts.to_checkpoint(tmp_path, file)
    with pytest.raises(RuntimeError, match="config.json"):
        ts.to_checkpoint(tmp_path, tmp_path / "new.pth")
    assert not out.exists() and not (tmp_path / "new.pth").exists()


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.mark.parametrize("where", ["model", "args", "bare"])
def test_what_could_run_code_is_refused_with_one_line(state, where, tmp_path):
    bad = Malicious(tmp_path / "ran")
    content = {"model": {"model": bad}, "args": {"model": state, "args": bad}, "bare": bad}[where]
    path = tmp_path / "checkpoint.pth"
    torch.save(content, path)
    with pytest.raises(RuntimeError, match="could run code"):
        ts.convert(path, tmp_path / "model", keep=0.7)
    with pytest.raises(SystemExit, match="tokensieve: .*checkpoint.pth: refused") as told:
        main([str(path), str(tmp_path / "model"), "--keep", "0.7"])
    assert "\n" not in told.value.code
    assert not (tmp_path / "ran").exists() and not (tmp_path / "model").exists()


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 torn", b"\xff" * 64])
def test_files_that_are_no_checkpoints_are_told(suffix, content, tmp_path):
    path = tmp_path / f"checkpoint.{suffix}"
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match="checkpoint"):
        ts.convert(path, tmp_path / "model")
    path.unlink()
    with pytest.raises(OSError, match="checkpoint"):
        ts.convert(path, tmp_path / "model")


@pytest.mark.parametrize("content", [[1, 2], {}, {"model": 3}, {"model": {"a": 1}}])
def test_checkpoints_without_tensors_are_told(content, tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save(content, path)
    with pytest.raises(RuntimeError, match="expected"):
        ts.convert(path, tmp_path / "model")


def test_a_truncated_pickle_is_told(state, tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save({"model": state}, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RuntimeError, match="checkpoint.pth"):
        ts.convert(path, tmp_path / "model")
    path.write_bytes(pickle.dumps({"model": 1})[:-3])
    with pytest.raises(RuntimeError, match="checkpoint.pth"):
        ts.convert(path, tmp_path / "model")


@pytest.fixture
def folder(state, tmp_path):
    torch.save({"model": state}, tmp_path / "official.pth")
    ts.convert(tmp_path / "official.pth", tmp_path / "model", keep=0.7)
    return tmp_path / "model"


def test_hostile_predictors_are_refused(folder):
    path = folder / "sieve.safetensors"
    good, tensors = path.read_bytes(), load_file(path)
    size = len(good)
    for bad in (b"", b"{}", good[: size // 2], good[:-1], good + b"x", b"\xff" * 16 + good[16:]):
        path.write_bytes(bad)
        with pytest.raises(RuntimeError, match="sieve.safetensors"):
            ts.load(folder)
    name = "score_predictor.1.out_conv.4.weight"
    for change, message in [
        ({name: torch.zeros(3, 48)}, "of shape"),
        ({name: torch.zeros(2, 48, dtype=torch.int64)}, "got I64"),
        ({"head.weight": torch.zeros(5, 192)}, "expected only predictors"),
        ({"score_predictor.9999999.in_conv.0.bias": torch.zeros(192)}, "12 blocks at most"),
        ({"score_predictor.4.in_conv.0.bias": torch.zeros(192)}, "score_predictor.3"),
    ]:
        save_file(tensors | change, path)
        with pytest.raises(RuntimeError, match=message):
            ts.load(folder)
    path.write_bytes(good)
    assert ts.load(folder).num_predictors == 3


def test_a_recipe_without_its_predictors_does_not_load(folder):
    (folder / "sieve.safetensors").unlink()
    with pytest.raises(ValueError, match="no predictors"):
        ts.load(folder)
    (folder / "sieve.json").write_text(json.dumps({"recipe": "evit(keep=0.7)"}))
    assert ts.load(folder).num_predictors == 0


def test_the_command_goes_there_and_back(state, tmp_path):
    torch.save({"model": state}, tmp_path / "official.pth")
    main([str(tmp_path / "official.pth"), str(tmp_path / "model"), "--keep", "0.7"])
    main(["--back", str(tmp_path / "model"), str(tmp_path / "back.pth")])
    assert_same_state(tmp_path / "back.pth", state)
    with pytest.raises(SystemExit, match="exists"):
        main(["--back", str(tmp_path / "model"), str(tmp_path / "back.pth")])


def test_the_command_warns_of_nothing_and_the_function_stays(tmp_path):
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tokensieve.convert"]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "" and "--back" in done.stdout
    (tmp_path / "bad.pth").write_bytes(b"bad")
    failed = subprocess.run(
        [*command, tmp_path / "bad.pth", tmp_path / "out"], capture_output=True, text=True, timeout=120
    )
    assert failed.returncode == 1 and failed.stderr.startswith("tokensieve: [convert]")
    assert "Traceback" not in failed.stderr
    import tokensieve.convert  # noqa: F401  the module of that name, loaded once more

    assert callable(ts.convert) and ts.convert.__name__ == "convert"
