"""The program `tokensieve-train`, on a network and pictures of a few kilobytes."""

import json
import pathlib
import random
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import tokensieve as ts
from conftest import ROOT
from safetensors.numpy import load_file
from tiny_model import write_tiny_model
from training import CONFIG, PROGRAM, command, needs_program, probe, run

pytestmark = needs_program


def test_a_run_killed_five_times_ends_as_one_that_was_not(place):
    whole = run(place, "whole", "--json")
    assert whole.returncode == 0, whole.stderr
    dice = random.Random(5)
    log, resumable = place / "killed" / "metrics.jsonl", 0
    for kill in range(5):
        process = subprocess.Popen(command(place, "killed"), stderr=subprocess.DEVNULL)
        while process.poll() is None and (not log.exists() or len(log.read_text().splitlines()) < 5 * kill + 3):
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        resumable += (place / "killed" / "checkpoint.safetensors").exists()
    assert resumable >= 3
    last = run(place, "killed", "--json")
    assert last.returncode == 0, last.stderr
    one, other = json.loads(whole.stdout), json.loads(last.stdout)
    assert one.pop("model") != other.pop("model")
    assert one == other and one["finished"]
    for name in ("metrics.jsonl", "model/model.safetensors", "model/sieve.safetensors"):
        assert (place / "killed" / name).read_bytes() == (place / "whole" / name).read_bytes(), name


def test_what_was_trained_opens_and_drops_tokens(place):
    assert run(place, "out", "--stop-after", "7").returncode == 0
    lines = [json.loads(line) for line in (place / "out" / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["step"] == 1 and {"loss", "classification", "ratio", "kept.2"} <= lines[0].keys()
    assert any("held_out_ema" in line for line in lines)
    assert (place / "out" / "metrics.svg").read_text().startswith("<svg")
    assert not list((place / "out").glob("model.*"))
    model = ts.load(place / "out" / "model")
    assert model.labels == ["blue", "green", "red tiles"]
    result = model(place / "data" / "green" / "0.png")
    assert [len(kept) for kept in result.kept] == [5]  # floor(16 * 0.7^3)
    held_out = (place / "out" / "held_out.txt").read_text().splitlines()
    assert len(held_out) == 9 and all(pathlib.Path(line.split("\t")[0]).exists() for line in held_out)
    provenance = json.loads((place / "out" / "model" / "sieve.json").read_text())["provenance"]
    assert provenance["start"].endswith("/start") and provenance["config"]["batch"] == 4


def test_dense_training_of_another_size(place):
    config = CONFIG | {"method": {"name": "dense"}, "image_size": 42, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out")
    assert done.returncode == 0, done.stderr
    assert ts.load(place / "out" / "model").config["image_size"] == (42, 42)
    assert "% of the held-out samples, after epoch" in done.stdout

    done = run(place, "larger", "--image-size", "56")  # goes before the file's
    assert done.returncode == 0, done.stderr
    model = ts.load(place / "larger" / "model")
    assert model.config["image_size"] == (56, 56) and model.provenance["config"]["image_size"] == 56
    done = run(place, "larger")
    assert done.returncode == 1 and "other settings" in done.stderr
    assert run(place, "none", "--image-size", "0").returncode == 2


METHODS = [
    ({"name": "evit", "keep": 0.5, "sites": [3, 6]}, "evit(keep=0.5, fuse, sites=3/6)"),
    ({"name": "sait", "keep": 0.5, "keep_range": [0.4, 0.8]}, "sait(keep=0.5, sites=3)"),
    ({"name": "asvit", "sites": [4, 7, 9], "thresholds": [0.02, 0.03, 0.04]}, "asvit(threshold="),
]


@pytest.mark.parametrize("method, recipe", METHODS, ids=[method["name"] for method, _ in METHODS])
def test_every_method_trains_and_leaves_its_recipe(place, method, recipe):
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": method, "epochs": 2}))
    done = run(place, "out", "--json")
    assert done.returncode == 0, done.stderr
    model = ts.load(place / "out" / "model")
    assert json.loads((place / "out" / "model" / "sieve.json").read_text())["recipe"].startswith(recipe)
    result = model(place / "data" / "green" / "0.png")
    assert np.isfinite(result.logits).all()
    assert not (place / "out" / "model" / "sieve.safetensors").exists()
    assert ts.Recipe(str(model.recipe)).density_key in ("keep", "threshold")


ARCHITECTURE = {"patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}


def test_an_architecture_is_trained_from_scratch(place):
    config = CONFIG | {"method": {"name": "dense"}, "architecture": ARCHITECTURE, "image_size": 32, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    paths = ["--data", place / "data", "--out", place / "out"]
    done = subprocess.run([PROGRAM, place / "config.json", *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    model = ts.load(place / "out" / "model")
    assert model.config["image_size"] == (32, 32) and model.labels == ["blue", "green", "red tiles"]
    assert np.isfinite(model(place / "data" / "green" / "0.png").logits).all()
    shapes = {name: tensor.shape for name, tensor in load_file(place / "out" / "model" / "model.safetensors").items()}
    assert shapes["blocks.1.mlp.fc1.weight"] == (128, 32) and "blocks.2.norm1.weight" not in shapes
    provenance = json.loads((place / "out" / "model" / "sieve.json").read_text())["provenance"]
    assert provenance["start"] is None and provenance["config"]["architecture"] == ARCHITECTURE
    both = run(place, "both")
    assert both.returncode == 2 and "got both" in both.stderr
    (place / "config.json").write_text(json.dumps(CONFIG))
    done = subprocess.run([PROGRAM, place / "config.json", *paths], capture_output=True, text=True)
    assert done.returncode == 2 and "got neither" in done.stderr


def test_a_classifier_may_read_the_mean_of_the_patches(place):
    config = CONFIG | {"method": {"name": "dense"}, "pooling": "mean", "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out")
    assert done.returncode == 0, done.stderr
    stored = json.loads((place / "out" / "model" / "config.json").read_text())
    assert stored["global_pool"] == "avg"
    pixels = np.random.default_rng(1).standard_normal((2, 3, 56, 56), dtype=np.float32)
    engine = ts.load(place / "out" / "model")(list(pixels)).logits
    ours = probe(place / "out" / "model", {"pixels": pixels, "probe": np.zeros((2, 3), np.float32)}, place)
    assert np.abs(ours["logits"] - engine).max() < 1e-4 * np.abs(engine).max()


def test_a_start_may_read_another_size_than_its_positions_have(place):
    config = json.loads((place / "start" / "config.json").read_text())
    config["pretrained_cfg"] |= {"input_size": [3, 42, 42], "fixed_input_size": False}
    config["model_args"]["dynamic_img_size"] = True
    (place / "start" / "config.json").write_text(json.dumps(config))
    done = run(place, "out", "--stop-after", "1")
    assert done.returncode == 0, done.stderr


def test_trained_predictors_go_on(place):
    write_tiny_model(place / "sieved", labels=["blue", "green", "red tiles"], predictors=3)
    shutil.rmtree(place / "start")
    (place / "sieved").rename(place / "start")
    frozen = CONFIG | {"optimizer": {"learning_rate": 1e-12, "warmup_epochs": 0, "final_learning_rate": 0}}
    (place / "config.json").write_text(json.dumps(frozen | {"epochs": 1}))
    assert run(place, "out").returncode == 0
    before = load_file(place / "start" / "sieve.safetensors")
    after = load_file(place / "out" / "model" / "sieve.safetensors")
    assert all(np.abs(before[name] - after[name]).max() < 1e-6 for name in before)
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": {"name": "dynamicvit", "sites": [3]}}))
    assert "predictors start anew" in run(place, "other", "--stop-after", "1").stderr
    (place / "start" / "sieve.json").write_text(json.dumps({"recipe": "dynamicvit(keep=0.7, sites=2/5/8)"}))
    (place / "config.json").write_text(json.dumps(CONFIG))
    told = run(place, "moved", "--stop-after", "1").stderr
    assert "start anew: the start has 3 of before:2 before:5 before:8, and there are 3 sites, before:3 before:6" in told


def test_the_configs_of_the_demo_run(place):
    for path in sorted((ROOT / "demos" / "train").glob("*.json")):
        config = json.loads(path.read_text()) | {"epochs": 1, "image_size": 56, "accumulate": 1}
        config["optimizer"] |= {"warmup_epochs": 0, "final_learning_rate": 0}
        if path.stem == "asvit":
            config["method"]["sites"] = [4, 7, 9]  # the tiny model has ten blocks
        if path.stem == "dynamicvit_paper":
            config |= {"batch": 8, "mixing": {"mixup": 0.8}}
        call = command(place, path.stem)
        if "architecture" in config:  # from scratch, at the size that it is for
            config |= {"batch": 8, "image_size": 32}
            for option in ["--start"] + ["--teacher"] * (config["method"]["name"] == "dense"):
                at = call.index(option)
                del call[at : at + 2]
        (place / "config.json").write_text(json.dumps(config))
        done = subprocess.run(call, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
