"""The program `tokensieve-train`, on a network and pictures of a few kilobytes."""

import json
import os
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
from PIL import Image
from safetensors.numpy import load_file
from tiny_model import write_tiny_model

BUILD = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test"))
PROGRAM = BUILD / "bin" / "tokensieve-train"

if os.environ.get("TOKENSIEVE_REQUIRE_NN"):
    assert PROGRAM.exists(), f"{PROGRAM} is not built: LibTorch was not found"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built (TOKENSIEVE_NN)")

CONFIG = {
    "method": {"name": "dynamicvit", "keep": 0.7, "sites": [3, 6, 9]},
    "held_out": 0.25,
    "epochs": 6,
    "batch": 4,
    "optimizer": {"learning_rate": 1e-3, "predictor_learning_rate": 1e-3, "warmup_epochs": 1, "ema": 0.9},
    "log_every": 1,
    "save_every": 2,
}


@pytest.fixture
def place(tmp_path):
    """A folder with a start, pictures of three colours and a config."""
    write_tiny_model(tmp_path / "start", labels=["blue", "green", "red tiles"])
    generator = np.random.default_rng(0)
    for label, name in enumerate(["red_tiles", "green", "blue"]):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for index in range(12):
            pixels = generator.integers(0, 120, (60, 64, 3), dtype=np.uint8)
            pixels[..., label] += 100
            Image.fromarray(pixels).save(folder / f"{index}.png")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def command(place, out, *more):
    paths = ["--data", place / "data", "--start", place / "start", "--teacher", place / "start"]
    return [PROGRAM, place / "config.json", *paths, "--out", place / out, "--threads", "1", *more]


def run(place, out, *more):
    return subprocess.run(command(place, out, *more), capture_output=True, text=True)


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
    assert "best on the held-out samples" in done.stdout


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


def test_masked_heads_are_trained_and_stored(place):
    masks = {"heads": [[0, 1], [1]] + 8 * [[]], "kind": "multiplicative"}
    config = CONFIG | {"method": {"name": "dense"}, "attention_masks": masks, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out")
    assert done.returncode == 0, done.stderr
    stored = json.loads((place / "out" / "model" / "config.json").read_text())["tokensieve"]
    assert stored["attention_masks"]["heads"] == masks["heads"]
    picture = place / "data" / "green" / "0.png"
    plain = json.loads((place / "out" / "model" / "config.json").read_text())
    masked = ts.load(place / "out" / "model")(picture).logits
    del plain["tokensieve"]["attention_masks"]
    (place / "out" / "model" / "config.json").write_text(json.dumps(plain))
    assert np.abs(masked - ts.load(place / "out" / "model")(picture).logits).max() > 1e-4


@pytest.mark.parametrize(
    "change, message",
    [
        ({"attention_masks": {"heads": [[0]]}}, "masked heads of 10 blocks, got 1"),
        ({"attention_masks": {"kind": "hrad"}}, "did you mean 'hard'"),
        ({"attention_masks": {"heads": [["x"]]}}, "'heads'"),
        ({"attention_masks": {"head": []}}, "did you mean 'heads'"),
        ({"method": {"name": "sait", "sites": [3]}}, "unknown key 'sites'"),
        ({"method": {"name": "evit", "keep": 2}}, "keep in (0, 1]"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"epochs": "three"}, "'epochs'"),
        ({"epochs": 0}, "epochs"),
        ({"method": {"name": "dynamicvt"}}, "did you mean 'dynamicvit'"),
        ({"method": {"name": "dense", "keep": 0.5}}, "unknown key 'keep'"),
        ({"method": 3}, "an object"),
        ({"method": {"name": "dynamicvit", "sites": [0]}}, "sites"),
        ({"batch": 1000}, "batch"),
        ({"batch": 4294967328}, "cannot be 4294967328"),
        ({"image_size": -140}, "image_size"),
        ({"method": {"name": "dynamicvit", "sites": [4294967299]}}, "'sites'"),
        ({"augmentation": {"crop_area": [1]}}, "crop_area"),
        ({"augmentation": {"interpolations": ["cubic"]}}, "interpolation"),
        ({"mixing": {"mixup": -1}}, "mixup"),
        ({"held_out": 1.5}, "fraction"),
    ],
)
def test_a_wrong_config_is_named(place, change, message):
    (place / "config.json").write_text(json.dumps(CONFIG | change))
    done = run(place, "out")
    assert done.returncode in (1, 2)
    assert message in done.stderr and len(done.stderr.splitlines()) <= 2, done.stderr


def test_bad_usage_and_another_runs_folder_are_refused(place):
    assert subprocess.run([PROGRAM], capture_output=True).returncode == 2
    assert run(place, "out", "--device", "gpu").returncode == 2
    assert run(place, "out", "--stop-after", "2").returncode == 0
    (place / "config.json").write_text(json.dumps(CONFIG | {"seed": 1}))
    done = run(place, "out")
    assert done.returncode == 1 and "other settings" in done.stderr
    for text, message in [
        ("{", "not JSON"),
        ('{"seed": 1, "seed": 2}', "the key 'seed' twice"),
        ('{"method": ' + 70 * "[" + 70 * "]" + "}", "64 levels"),
    ]:
        (place / "config.json").write_text(text)
        assert message in run(place, "new").stderr


def test_a_run_whose_start_or_pictures_have_changed_is_another_run(place):
    assert run(place, "out", "--stop-after", "2").returncode == 0
    picture = place / "data" / "green" / "0.png"
    kept = picture.read_bytes()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(picture)
    assert "other settings" in run(place, "out").stderr
    picture.write_bytes(kept)
    write_tiny_model(place / "again", labels=["blue", "green", "red tiles"], seed=7)
    shutil.rmtree(place / "start")
    (place / "again").rename(place / "start")
    assert "other settings" in run(place, "out").stderr


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


@pytest.mark.skipif(os.name != "posix", reason="names in bytes")
def test_names_that_are_no_utf8_are_refused_at_once(place):
    os.rename(place / "data" / "green", os.fsencode(place / "data") + b"/caf\xe9")
    done = run(place, "out")
    assert done.returncode == 1 and "UTF-8" in done.stderr

def test_two_runs_do_not_share_a_folder(place):
    fcntl = pytest.importorskip("fcntl")
    (place / "out").mkdir()
    with open(place / "out" / ".lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(place, "out")
        assert done.returncode == 1 and "another process is training into" in done.stderr
    assert run(place, "out", "--stop-after", "1").returncode == 0
    (place / "file").write_text("")
    assert run(place, "file/out").returncode == 1


def test_help_has_an_example():
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True).stdout
    assert "Example: tokensieve-train" in text


def test_a_teacher_of_other_classes_is_refused_and_such_a_head_starts_anew(place):
    write_tiny_model(place / "other", labels=["cat", "dog", "fish"])
    paths = ["--data", place / "data", "--start", place / "start", "--out", place / "out"]
    refused = [PROGRAM, place / "config.json", *paths, "--teacher", place / "other"]
    done = subprocess.run(refused, capture_output=True, text=True)
    assert done.returncode == 1 and "has other classes" in done.stderr
    paths[3] = place / "other"
    fresh = [PROGRAM, place / "config.json", *paths, "--stop-after", "1"]
    done = subprocess.run(fresh, capture_output=True, text=True)
    assert done.returncode == 0 and "classifier starts anew" in done.stderr


def test_the_configs_of_the_demo_run(place):
    for path in sorted((ROOT / "demos" / "train").glob("*.json")):
        config = json.loads(path.read_text()) | {"epochs": 1, "image_size": 56, "accumulate": 1}
        config["optimizer"] |= {"warmup_epochs": 0, "final_learning_rate": 0}
        if path.stem == "asvit":
            config["method"]["sites"] = [4, 7, 9]  # the tiny model has ten blocks
        if path.stem == "dynamicvit_paper":
            config |= {"batch": 8, "mixing": {"mixup": 0.8}}
        (place / "config.json").write_text(json.dumps(config))
        done = run(place, path.stem)
        assert done.returncode == 0, done.stderr
