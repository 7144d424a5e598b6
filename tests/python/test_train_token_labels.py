"""Token labeling in `tokensieve-train`."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import tokensieve as ts
from PIL import Image
from safetensors.numpy import load_file
from tiny_model import write_tiny_model
from training import CONFIG, LABELING, PROGRAM, needs_program, probe, run

pytestmark = needs_program


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
