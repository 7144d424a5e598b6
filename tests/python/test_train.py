"""The program `tokensieve-train`, on a network and pictures of a few kilobytes."""

import json
import math
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
from safetensors.numpy import load_file, save_file
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

    done = run(place, "larger", "--image-size", "56")  # goes before the file's
    assert done.returncode == 0, done.stderr
    model = ts.load(place / "larger" / "model")
    assert model.config["image_size"] == (56, 56) and model.provenance["config"]["image_size"] == 56
    done = run(place, "larger")
    assert done.returncode == 1 and "other settings" in done.stderr
    assert run(place, "none", "--image-size", "0").returncode == 2


LABELING = {"name": "token_labeling", "label_classes": 3}
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


@pytest.mark.parametrize(
    "method",
    [{"name": "dynamicvit"}, {"name": "evit"}, {"name": "sait", "attention": 0}, LABELING | {"sites": [3]}],
)
def test_methods_that_gather_rows_refuse_masks_at_once(place, method):
    masks = {"heads": [[0]] + 9 * [[]]}
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": method, "attention_masks": masks}))
    done = run(place, "out")
    assert done.returncode == 2 and "expected a network without attention_masks" in done.stderr
    assert not (place / "out").exists()


def test_what_needs_a_teacher_or_labels_says_so_at_once(place):
    (place / "config.json").write_text(json.dumps({"method": {"name": "dynamicvit", "teacher_logits": 0.5}}))
    paths = ["--data", place / "data", "--start", place / "start", "--out", place / "out"]
    done = subprocess.run([PROGRAM, place / "config.json", *paths], capture_output=True, text=True)
    assert done.returncode == 2 and "teacher_logits, which needs --teacher" in done.stderr
    (place / "config.json").write_text(json.dumps(CONFIG))
    done = run(place, "out", "--labels", place / "labels.safetensors")
    assert done.returncode == 2 and "--labels is for token_labeling" in done.stderr
    done = run(place, "out", "--stop-after", "5")
    assert done.returncode == 0
    (place / "config.json").write_text(json.dumps(CONFIG | {"log_every": 20, "save_every": 20}))
    done = run(place, "new", "--stop-after", "5")
    assert done.returncode == 2 and "a multiple of log_every 20, got 5" in done.stderr


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


def probe(folder, tensors, scratch):
    """What nn computes on a folder; see tests/parity/nn_probe.cpp."""
    save_file(tensors, scratch / "in.safetensors")
    subprocess.run(
        [BUILD / "bin" / "nn_probe", folder, scratch / "in.safetensors", scratch / "out.safetensors"], check=True
    )
    return load_file(scratch / "out.safetensors")



@pytest.mark.parametrize("sites", [[], [3, 6]], ids=["all tokens", "sieved"])
def test_token_labels_are_learned_and_the_engine_runs_both_heads(place, sites):
    config = CONFIG | {"method": LABELING | {"sites": sites}, "epochs": 2}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out", "--json")
    assert done.returncode == 0, done.stderr
    assert "the teacher is right on" in done.stderr
    folder = place / "out" / "model"
    lines = [json.loads(line) for line in (place / "out" / "metrics.jsonl").read_text().splitlines()]
    assert {"classification", "tokens"} <= lines[0].keys() and ("ratio" in lines[0]) == bool(sites)
    provenance = json.loads((folder / "sieve.json").read_text())["provenance"]
    assert 0 <= provenance["teacher_held_out_accuracy"] <= 1

    model = ts.load(folder)
    assert "aux_head.weight" in load_file(folder / "model.safetensors")
    pixels = np.random.default_rng(1).standard_normal((2, 3, 56, 56), dtype=np.float32)
    tensors = {"pixels": pixels, "probe": np.zeros((2, 3), np.float32)}
    engine = model(list(pixels), recipe="dense")
    if sites:
        sieved = model(list(pixels))
        assert [len(kept) for kept in sieved.kept] == [7, 7]  # floor(16 * 0.7^2)
        tensors["keep"] = np.array([0.7, 0], np.float32)
        for site in range(2):
            tensors[f"kept.{site}"] = np.stack([t.kept_indices(site) for t in sieved.traces]).astype(np.float32)
    ours = probe(folder, tensors, place)
    assert np.abs(ours["logits"] - engine.logits).max() < 1e-4 * np.abs(engine.logits).max()
    if sites:
        for way in ("gathered", "gathered_forced", "masked_forced"):
            assert np.abs(ours[way] - sieved.logits).max() < 1e-4 * np.abs(sieved.logits).max(), way


def test_a_run_by_token_labels_goes_on_where_it_was(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING, "epochs": 2}))
    assert run(place, "whole").returncode == 0
    assert run(place, "parts", "--stop-after", "5").returncode == 0
    assert run(place, "parts").returncode == 0
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert (place / "parts" / name).read_bytes() == (place / "whole" / name).read_bytes(), name


def test_token_labels_are_shared_between_runs(place):
    labels = place / "labels.safetensors"
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING, "epochs": 1}))
    first = run(place, "one", "--labels", labels)
    assert "the teacher labels 36 pictures" in first.stderr
    maps = load_file(labels)["maps"]
    assert maps.shape == (36, 2, 3, 4, 4) and maps.dtype == np.float16
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING, "epochs": 1, "seed": 1}))
    second = run(place, "two", "--labels", labels)
    assert second.returncode == 0 and "the teacher labels" not in second.stderr
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING | {"label_classes": 2}}))
    third = run(place, "three", "--labels", labels)
    assert third.returncode == 1 and "of another teacher or other pictures" in third.stderr
    labels.write_bytes(b"rubbish")
    assert run(place, "four", "--labels", labels).returncode == 1


def test_token_labels_of_a_held_out_folder(place):
    shutil.copytree(place / "data", place / "held_out")
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING, "epochs": 1}))
    labels = place / "labels.safetensors"
    done = run(place, "out", "--held-out", place / "held_out", "--labels", labels)
    assert done.returncode == 0, done.stderr
    assert "the teacher labels 72 pictures" in done.stderr
    assert "training on 36 pictures, choosing on 36" in done.stderr
    assert load_file(labels)["maps"].shape[0] == 72


def test_token_labeling_wants_a_teacher(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LABELING}))
    paths = ["--data", place / "data", "--start", place / "start", "--out", place / "out"]
    done = subprocess.run([PROGRAM, place / "config.json", *paths], capture_output=True, text=True)
    assert done.returncode == 1 and "expected --teacher" in done.stderr
    write_tiny_model(place / "other", labels=["cat", "dog", "fish"])
    refused = [PROGRAM, place / "config.json", *paths, "--teacher", place / "other"]
    done = subprocess.run(refused, capture_output=True, text=True)
    assert done.returncode == 1 and "has other classes" in done.stderr


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


def locality_by_hand(folder, pixels):
    """Attention locality of a folder without masks, [blocks, heads], by numpy alone."""
    w = load_file(folder / "model.safetensors")

    def norm(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)

    patches = pixels.reshape(len(pixels), 3, 4, 14, 4, 14).transpose(0, 2, 4, 1, 3, 5).reshape(len(pixels), 16, -1)
    x = patches @ w["patch_embed.proj.weight"].reshape(64, -1).T + w["patch_embed.proj.bias"]
    x = np.concatenate([np.broadcast_to(w["cls_token"], (len(pixels), 1, 64)), x], 1) + w["pos_embed"]
    place = np.arange(16)
    down, across = (np.abs(line[:, None] - line) for line in (place // 4, place % 4))
    near = np.ones((17, 17))
    near[1:, 1:] = np.maximum(down, across) <= 1
    found = []
    for block in range(10):
        name = f"blocks.{block}."
        qkv = norm(x) @ w[name + "attn.qkv.weight"].T + w[name + "attn.qkv.bias"]
        q, k, v = qkv.reshape(len(pixels), 17, 3, 2, 32).transpose(2, 0, 3, 1, 4)
        logits = q @ k.swapaxes(-1, -2) / np.sqrt(32)
        attention = np.exp(logits - logits.max(-1, keepdims=True))
        attention /= attention.sum(-1, keepdims=True)
        found.append((attention * near).sum(-1).mean((0, 2)))
        y = (attention @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = x + y @ w[name + "attn.proj.weight"].T + w[name + "attn.proj.bias"]
        y = norm(x) @ w[name + "mlp.fc1.weight"].T + w[name + "mlp.fc1.bias"]
        y = 0.5 * y * (1 + np.vectorize(math.erf)(y / math.sqrt(2)))
        x = x + y @ w[name + "mlp.fc2.weight"].T + w[name + "mlp.fc2.bias"]
    return np.array(found)


def test_attention_locality_says_what_to_mask(place):
    command = [PROGRAM, "attention-locality", place / "data" / "green", "--model", place / "start"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    model = ts.load(place / "start")
    pictures = sorted((place / "data" / "green").glob("*.png"))
    pixels = np.stack([model.preprocess(np.asarray(Image.open(path))) for path in pictures])
    assert np.abs(np.array(found["attention_locality"]) - locality_by_hand(place / "start", pixels)).max() < 1e-4
    assert found["masked"] == [] and found["attention_masks"]["heads"] == 10 * [[0]]

    # What is printed can be pasted into a config, and is trained.
    masks = found["attention_masks"]
    config = CONFIG | {"method": {"name": "dense"}, "attention_masks": masks, "epochs": 1}
    (place / "config.json").write_text(json.dumps(config))
    assert run(place, "out").returncode == 0
    command[-1] = place / "out" / "model"
    text = subprocess.run([*command, "--all", "0", "--none", "0"], capture_output=True, text=True).stdout
    assert text.count("*") == 11  # a head in each of ten blocks, and the legend
    pasted = json.loads("{" + text.splitlines()[-1] + "}")["attention_masks"]
    assert pasted["heads"] == 10 * [[0, 1]]

    for more, message in [
        (["--rows", "300"], "0 to 255"),
        (["--all", "2"], "--all"),
        (["--modle", "x"], "did you mean"),
    ]:
        command[-1] = place / "start"
        done = subprocess.run([*command, *more], capture_output=True, text=True)
        assert done.returncode == 2 and message in done.stderr, done.stderr
    done = subprocess.run([*command[:2], place / "none", *command[3:]], capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


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
        ({"pooling": "max"}, "expected pooling class_token or mean"),
        ({"architecture": {"depth": 2}}, "image_size beside architecture"),
        ({"architecture": {"embed_dim": 32, "num_heads": 3}, "image_size": 56}, "num_heads 3"),
        ({"architecture": {"width": 32}, "image_size": 56}, "unknown key 'width'"),
        ({"method": LABELING | {"keep": 0}}, "keep in (0, 1]"),
        ({"method": LABELING | {"label_classes": 0}}, "at least 1 class"),
        ({"method": LABELING | {"teacher_logits": 1}}, "unknown key 'teacher_logits'"),
        ({"method": LABELING, "mixing": {"cutmix": 1}}, "expected mixup and cutmix of 0"),
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


def test_token_labels_of_a_picture_are_drawn(place):
    picture = place / "data" / "green" / "0.png"
    words = [PROGRAM, "token-labels", picture, "--model", place / "start", "--out"]
    done = subprocess.run([*words, place / "labels.png"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "% of the places" in done.stdout
    with Image.open(place / "labels.png") as drawn:
        assert drawn.width >= 280
    done = subprocess.run([*words, place / "x.png", "--class", "gren"], capture_output=True, text=True)
    assert done.returncode == 1 and "did you mean 'green'" in done.stderr
    done = subprocess.run([*words, place / "x.png", "--class", "green"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("green: ")


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
        call = command(place, path.stem)
        if "architecture" in config:  # from scratch, at the size that it is for
            config |= {"batch": 8, "image_size": 32}
            for option in ["--start"] + ["--teacher"] * (config["method"]["name"] == "dense"):
                at = call.index(option)
                del call[at : at + 2]
        (place / "config.json").write_text(json.dumps(config))
        done = subprocess.run(call, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
