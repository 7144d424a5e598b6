"""The program `tokensieve-train` on texts, with a network and a vocabulary of a few kilobytes."""

import json
import random
import signal
import subprocess
import time

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import ROOT
from safetensors.numpy import load_file
from training import PROGRAM, needs_program
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

pytestmark = needs_program

GOOD, BAD = ["fine", "great", "warm"], ["dull", "poor", "cold"]
WORDS = GOOD + BAD + [f"word{i}" for i in range(30)]
CONFIG = {
    "method": {"name": "dense"},
    "text": {"max_tokens": 16},
    "held_out": 0.25,
    "epochs": 4,
    "batch": 8,
    "optimizer": {"learning_rate": 2e-3, "warmup_epochs": 1, "ema": 0.9},
    "log_every": 1,
    "save_every": 2,
}
LTP = {"name": "ltp", "soft_epochs": 1, "n_ref": 16, "final_threshold": 0.08}


def write_start(folder, seed=0):
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=32,
        num_attention_heads=2,
        num_hidden_layers=4,
        intermediate_size=64,
        max_position_embeddings=32,
        num_labels=2,
        initializer_range=0.2,  # so small a network would take long to leave 0.02
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}')
    return folder


def write_texts(file, count=64, seed=0):
    dice = random.Random(seed)
    lines = ["label\ttext"]
    for index in range(count):
        words = dice.choices(WORDS[6:], k=dice.randrange(2, 12))
        words.insert(dice.randrange(len(words)), dice.choice([BAD, GOOD][index % 2]))
        lines.append(f"{index % 2}\t{' '.join(words)}")
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture
def place(tmp_path):
    """A folder with a start, texts and a config."""
    write_start(tmp_path / "start")
    write_texts(tmp_path / "texts.tsv")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def command(place, out, *more, start="start"):
    paths = ["--data", place / "texts.tsv", "--start", place / start, "--out", place / out]
    return [PROGRAM, place / "config.json", *paths, "--threads", "1", *more]


def run(place, out, *more, **options):
    return subprocess.run(command(place, out, *more, **options), capture_output=True, text=True)


def test_what_was_trained_opens_in_transformers(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"epochs": 30}))
    done = run(place, "out", "--json")
    assert done.returncode == 0, done.stderr
    assert "48 texts, choosing on 16" in done.stderr
    result = json.loads(done.stdout)
    assert result["finished"] and result["held_out_accuracy"] > 0.8
    model = AutoModelForSequenceClassification.from_pretrained(place / "out" / "model")
    vocabulary = (place / "out" / "model" / "vocab.txt").read_text().splitlines()
    lines = (place / "out" / "held_out.tsv").read_text().splitlines()
    assert lines[0] == "label\ttext" and len(lines) == 17
    right = 0
    for line in lines[1:]:
        label, text = line.split("\t")
        ids = [vocabulary.index(word) for word in ("[CLS]", *text.split(), "[SEP]")]
        with torch.inference_mode():
            right += model(torch.tensor([ids])).logits.argmax().item() == int(label)
    assert abs(right / 16 - result["held_out_accuracy"]) <= 1 / 16  # training looks in bfloat16
    assert set(lines) <= set((place / "texts.tsv").read_text().splitlines())
    provenance = json.loads((place / "out" / "model" / "sieve.json").read_text())["provenance"]
    assert provenance["data"] | {"folder": ""} == {"folder": "", "train": 48, "held_out": 16}


def test_classes_have_the_names_of_the_file(place):
    config = CONFIG | {"epochs": 1, "text": CONFIG.get("text", {}) | {"labels": ["bad", "good"]}}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "out")
    assert done.returncode == 0, done.stderr
    assert ts.load(place / "out" / "model").labels == ["bad", "good"]
    config["text"]["labels"].append("odd")
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "new")
    assert done.returncode == 1 and "expected 'labels' of 2 classes" in done.stderr


def test_held_out_texts_with_line_ends_are_json_lines(place):
    lines = [line.split("\t") for line in (place / "texts.tsv").read_text().splitlines()[1:]]
    texts = [{"label": int(label), "text": text.replace(" ", "\n", 1)} for label, text in lines]
    (place / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    (place / "config.json").write_text(json.dumps(CONFIG | {"epochs": 1}))
    line = [str(part).replace("texts.tsv", "texts.jsonl") for part in command(place, "out")]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (place / "out" / "held_out.tsv").exists()
    held_out = [json.loads(line) for line in (place / "out" / "held_out.jsonl").read_text().splitlines()]
    assert len(held_out) == 16 and all(text in texts for text in held_out)


def test_a_label_that_so_few_texts_cannot_need_is_told(place):
    with open(place / "texts.tsv", "a") as file:
        file.write("2147483647\ttoo much\n")
    done = run(place, "out")
    assert done.returncode == 1
    assert "expected labels below 65, the number of texts of" in done.stderr and "got 2147483647" in done.stderr


def test_held_out_texts_have_the_classes_of_the_others(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"epochs": 1}))
    (place / "one.tsv").write_text("label\ttext\n1\tba be\n")
    done = run(place, "one", "--held-out", place / "one.tsv")
    assert done.returncode == 0, done.stderr
    (place / "other.tsv").write_text("label\ttext\n2\tba be\n")
    done = run(place, "other", "--held-out", place / "other.tsv")
    assert done.returncode == 1 and "expected labels of 0 to 1, as" in done.stderr and "got 2" in done.stderr


def test_a_run_killed_at_any_moment_ends_as_one_that_was_not(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": LTP}))
    whole = run(place, "whole", "--json")
    assert whole.returncode == 0, whole.stderr
    dice = random.Random(5)
    log = place / "killed" / "metrics.jsonl"
    for kill in range(3):
        process = subprocess.Popen(command(place, "killed"), stderr=subprocess.DEVNULL)
        while process.poll() is None and (not log.exists() or len(log.read_text().splitlines()) < 5 * kill + 3):
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    last = run(place, "killed", "--json")
    assert last.returncode == 0, last.stderr
    one, other = json.loads(whole.stdout), json.loads(last.stdout)
    assert one.pop("model") != other.pop("model")
    assert one == other and one["finished"]
    for name in ("metrics.jsonl", "model/model.safetensors", "model/sieve.json"):
        assert (place / "killed" / name).read_bytes() == (place / "whole" / name).read_bytes(), name


METHODS = [
    (LTP, "ltp(threshold="),
    ({"name": "cascade", "keep": 0.4}, "select=top_k("),
    ({"name": "pabee", "patience": 2}, "pabee(patience=2)"),
    ({"name": "top", "target": 0.1, "target_epochs": 0, "bins": 5, "slack": 1}, "top(bins="),
    ({"name": "adapler", "choose_after": 3, "saliencies": 0.1}, "adapler(threshold="),
    (LTP | {"name": "magic_pyramid", "hard_epochs": 1, "joint_epochs": 1, "entropy": 0.3}, "magic_pyramid(threshold="),
]


@pytest.mark.parametrize("method, recipe", METHODS, ids=[method["name"] for method, _ in METHODS])
def test_every_method_trains_and_leaves_its_recipe(place, method, recipe):
    dense = run(place, "dense")
    assert dense.returncode == 0, dense.stderr
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": method}))
    done = run(place, "out", "--teacher", place / "dense" / "model", start="dense/model")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (place / "out" / "metrics.jsonl").read_text().splitlines()]
    assert ("contributions" if method["name"] == "adapler" else "distillation") in lines[0]
    assert recipe in json.loads((place / "out" / "model" / "sieve.json").read_text())["recipe"]
    sieve = place / "out" / "model" / "sieve.safetensors"
    parts = []
    if method["name"] in ("pabee", "magic_pyramid"):
        parts = [f"classifiers.{i}" for i in range(3)]
    if method["name"] == "adapler":
        parts = [f"contribution_predictor.{i}.{part}" for i in range(4) for part in ("hidden", "output")]
    assert sieve.exists() == bool(parts)
    if parts:
        assert set(load_file(sieve)) == {f"{part}.{kind}" for part in parts for kind in ("weight", "bias")}
    AutoModelForSequenceClassification.from_pretrained(place / "out" / "model")


def test_the_engine_runs_adapler_as_training_judged_it(place):
    dense = run(place, "dense")
    assert dense.returncode == 0, dense.stderr
    # Short texts soon: bars that start as learned ones and rise fast.
    method = {"name": "adapler", "lengths": 0.05, "sharpness": 10, "growth": 10, "choose_after": 3}
    optimizer = CONFIG["optimizer"] | {"predictor_learning_rate": 0.2}
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": method, "optimizer": optimizer}))
    done = run(place, "out", "--teacher", place / "dense" / "model", "--json", start="dense/model")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["best_epoch"] == 3
    model = ts.load(place / "out" / "model", threads=1)
    lines = [line.split("\t") for line in (place / "out" / "held_out.tsv").read_text().splitlines()[1:]]
    answers = model([text for _, text in lines])
    right = (answers.logits.argmax(1) == [int(label) for label, _ in lines]).mean()
    assert abs(right - result["held_out_accuracy"]) <= 1 / 16  # training looks in bfloat16
    first, last = answers.tokens_per_layer[:, 0], answers.tokens_per_layer[:, -1]
    assert (last >= 2).all() and last.sum() < first.sum()
    assert all(abs(shares.sum(1) - 1).max() < 1e-5 for shares in answers.contributions)
    # Trained predictors of a start go on.
    still = {"learning_rate": 1e-12, "warmup_epochs": 0, "final_learning_rate": 0}
    method["choose_after"] = 0
    config = CONFIG | {"method": method, "epochs": 1, "optimizer": still}
    (place / "config.json").write_text(json.dumps(config))
    done = run(place, "again", "--teacher", place / "dense" / "model", start="out/model")
    assert done.returncode == 0, done.stderr
    before, after = (load_file(place / name / "model" / "sieve.safetensors") for name in ("out", "again"))
    assert all(np.abs(before[name] - after[name]).max() < 1e-6 for name in before)


def test_choices_may_be_made_on_a_file_of_its_own(place):
    write_texts(place / "dev.tsv", count=20, seed=7)
    done = run(place, "out", "--held-out", place / "dev.tsv")
    assert done.returncode == 0, done.stderr
    assert "64 texts, choosing on 20" in done.stderr


def test_exits_of_a_start_go_on(place):
    (place / "config.json").write_text(json.dumps(CONFIG | {"method": {"name": "pabee"}, "epochs": 1}))
    assert run(place, "first").returncode == 0
    still = {"learning_rate": 1e-12, "warmup_epochs": 0, "final_learning_rate": 0}
    config = CONFIG | {"method": {"name": "pabee"}, "epochs": 1, "optimizer": still}
    (place / "config.json").write_text(json.dumps(config))
    assert run(place, "second", start="first/model").returncode == 0
    before, after = (load_file(place / name / "model" / "sieve.safetensors") for name in ("first", "second"))
    assert all(np.abs(before[name] - after[name]).max() < 1e-6 for name in before)


def test_texts_have_no_broken_pictures(place):
    done = run(place, "out", "--skip-broken")
    assert done.returncode == 2 and "--skip-broken is for pictures" in done.stderr


@pytest.mark.parametrize(
    "change, message",
    [
        ({"image_size": 224}, "'image_size' is for pictures"),
        ({"augmentation": {}}, "'augmentation' is for pictures"),
        ({"method": {"name": "evit"}}, "'evit' is for pictures"),
        ({"method": {"name": "dense", "teacher_tokens": 0}}, "'teacher_tokens' is for pictures"),
        ({"text": {"max_token": 16}}, "did you mean 'max_tokens'"),
        ({"text": {"max_tokens": 64}}, "max_tokens up to the start's 32"),
        ({"text": {"max_tokens": 2}}, "max_tokens of 3 or more"),
        ({"text": {"max_tokens": 16, "dropout": 1}}, "dropout in [0, 1)"),
        ({"text": {"max_tokens": 16, "bucket": 0}}, "bucket from 1"),
        ({"text": {"max_tokens": 16, "label_smoothing": 1}}, "label_smoothing"),
        ({"method": {"name": "ltpp"}}, "did you mean 'ltp'"),
        ({"method": LTP | {"mask": 1}}, "did you mean 'masks'"),
        ({"method": LTP | {"n_ref": -1}}, "n_ref of 0 or more"),
        ({"method": LTP | {"thresholds": [0.1]}}, "final_threshold or thresholds, got both"),
        ({"method": {"name": "ltp", "soft_epochs": 1, "thresholds": [0.1]}}, "a threshold for each of the 3 after"),
        ({"method": LTP | {"temperature": 0}}, "temperature above 0"),
        ({"method": LTP | {"soft_epochs": 4}}, "expected more epochs"),
        ({"method": {"name": "cascade", "keep": 2}}, "keep in [-10, 1]"),
        ({"method": {"name": "cascade", "first": 4}}, "more blocks than those that keep all"),
        ({"method": {"name": "ltp", "teacher_logits": 0.5}}, "teacher_logits, which needs --teacher"),
        ({"method": {"name": "pabee", "patience": -1}}, "[patience] expected a whole number"),
        ({"method": {"name": "top"}}, "expected a teacher"),
        ({"method": {"name": "adapler"}}, "expected a teacher"),
        ({"method": {"name": "adapler", "length": 1}}, "did you mean 'lengths'"),
        ({"method": {"name": "adapler", "lengths": -1}}, "saliencies and lengths of 0 or more"),
        ({"method": {"name": "adapler", "growth": 0}}, "sharpness and growth above 0"),
        ({"method": {"name": "adapler", "choose_after": -1}}, "choose_after of 0 epochs or more"),
        ({"method": {"name": "top", "bins": 0}}, "expected 1 to 1299 bins at 3 sites"),
        ({"method": {"name": "top", "first": 9}}, "first block that drops from 1 to 3"),
        ({"method": {"name": "top", "first": -1}}, "'first'"),
        ({"batch": 1000}, "make batches smaller"),
    ],
)
def test_a_wrong_config_is_named(place, change, message):
    (place / "config.json").write_text(json.dumps(CONFIG | change))
    done = run(place, "out")
    assert done.returncode in (1, 2)
    assert message in done.stderr, done.stderr


def test_starts_and_teachers_that_do_not_fit_are_refused(place):
    write_start(place / "other")
    words = (place / "other" / "vocab.txt").read_text().splitlines()
    (place / "other" / "vocab.txt").write_text("\n".join(words[::-1]) + "\n")
    done = run(place, "out", "--teacher", place / "other")
    assert done.returncode == 1 and "another vocabulary" in done.stderr
    (place / "start" / "vocab.txt").write_text("\n".join([*words, "more"]) + "\n")
    done = run(place, "out")
    assert done.returncode == 1 and "tokenizer of" in done.stderr


def test_changed_texts_are_another_run(place):
    assert run(place, "out", "--stop-after", "2").returncode == 0
    write_texts(place / "texts.tsv", seed=3)
    assert "other settings" in run(place, "out").stderr


def test_the_configs_of_the_demo_run(place):
    paths = sorted((ROOT / "demos" / "train" / "text").glob("*.json"))
    assert paths
    for path in paths:
        config = json.loads(path.read_text()) | {"batch": 8, "log_every": 1, "save_every": 1}
        config["text"]["max_tokens"] = 16
        if "target" in config["method"]:
            config["method"]["slack"] = 1  # a few steps do not get there
        if "thresholds" in config["method"]:
            del config["method"]["thresholds"][3:]  # of 4 blocks
        (place / "config.json").write_text(json.dumps(config))
        done = run(place, path.stem, "--teacher", place / "start")
        assert done.returncode == 0, (path, done.stderr)
