"""What `tokensieve-train` refuses, and how it says so."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from tiny_model import write_tiny_model
from training import CONFIG, LABELING, PROGRAM, needs_program, run

pytestmark = needs_program


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


@pytest.mark.parametrize(
    "change, message",
    [
        ({"attention_masks": {"heads": [[0]]}}, "masked heads of 10 blocks, got 1"),
        ({"attention_masks": {"kind": "hrad"}}, "did you mean 'hard'"),
        ({"attention_masks": {"heads": [["x"]]}}, "'heads'"),
        ({"attention_masks": {"head": []}}, "did you mean 'heads'"),
        ({"method": {"name": "sait", "sites": [3]}}, "unknown key 'sites'"),
        ({"method": {"name": "evit", "keep": 2}}, "keep in (0, 1]"),
        ({"method": {"name": "ltp", "final_threshold": 0.01, "thresholds": [0.01]}}, "or thresholds, got both"),
        ({"text": {"label_smoothing": 0.1}, "method": {"name": "top"}}, "no text.label_smoothing with top"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"epochs": "three"}, "expected 'epochs' in c"),
        ({"epochs": "three"}, "to be a whole number from "),
        ({"mixing": {"mixup": "a"}}, "'mixup' in mixing to be a number, got \"a\""),
        ({"optimizer": {"freeze_embeddings": 1}}, "to be true or false, got 1"),
        ({"optimizer": {"learning_rate": -1}}, "expected learning_rate above 0"),
        ({"optimizer": {"final_learning_rate": 1}}, "expected final_learning_rate from 0 to"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 2**62}, "at most 1000000 epochs"),
        ({"split_seed": -1}, "'split_seed'"),
        ({"method": {"name": "dynamicvt"}}, "did you mean 'dynamicvit'"),
        ({"method": {"name": "dense", "keep": 0.5}}, "unknown key 'keep'"),
        ({"method": 3}, "an object"),
        ({"method": {"name": "dynamicvit", "sites": [0]}}, "sites"),
        ({"batch": 1000}, "batch"),
        ({"batch": 4294967328}, "got 4294967328"),
        ({"image_size": -140}, "image_size"),
        ({"method": {"name": "dynamicvit", "sites": [4294967299]}}, "'sites'"),
        ({"augmentation": {"crop_area": [1]}}, "crop_area"),
        ({"augmentation": {"interpolations": ["cubic"]}}, "interpolation"),
        ({"mixing": {"mixup": -1}}, "mixup"),
        ({"held_out": 1.5}, "fraction"),
        ({"choose": "lst"}, "expected choose best or last, got 'lst' (did you mean 'last'?)"),
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
        ("{", "is not JSON: parse error at line 1, column 2"),
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


def test_help_has_an_example():
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True).stdout
    assert "Example: tokensieve-train" in text


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n and no more", b""])
def test_broken_pictures_are_left_out_on_demand(place, content):
    broken = place / "data" / "green" / "0_broken.png"
    broken.write_bytes(content)
    done = run(place, "out")
    assert done.returncode == 1 and "0_broken.png" in done.stderr and "a run with --skip-broken" in done.stderr
    done = run(place, "sound", "--skip-broken", "--stop-after", "2")
    assert done.returncode == 0 and "leaving out 1 of 37 pictures" in done.stderr and "0_broken.png" in done.stderr
    broken.unlink()
    done = run(place, "sound", "--skip-broken", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["finished"] and "leaving out" not in done.stderr


def test_a_class_without_a_sound_picture_is_named(place):
    for picture in (place / "data" / "green").iterdir():
        picture.write_bytes(b"no picture")
    done = run(place, "out", "--skip-broken")
    assert done.returncode == 1 and "expected pictures of each class, got none of 'green'" in done.stderr


def test_a_short_run_needs_no_warmup_of_its_own(place):
    config = {key: value for key, value in CONFIG.items() if key != "optimizer"} | {"epochs": 3}
    (place / "config.json").write_text(json.dumps(config))
    assert run(place, "out", "--stop-after", "1").returncode == 0
