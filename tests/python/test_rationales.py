"""benchmarks/rationales.py: its measures against their definitions, and a whole run on a tiny model."""

import gzip
import importlib.util
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import ROOT
from reference_adapler import random_predictors
from safetensors.torch import save_file
from test_train_text import WORDS, write_start
from transformers import AutoModelForSequenceClassification

SCRIPT = ROOT / "benchmarks" / "rationales.py"
ETAS = [0.3, 0.5, 0.7, 0.9]


@pytest.fixture(scope="module")
def rationales():
    spec = importlib.util.spec_from_file_location("rationales", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["rationales"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


def test_the_measures_are_their_definitions(rationales):
    dice = np.random.default_rng(1)
    for _ in range(50):
        scores = dice.integers(0, 6, 12) / 5  # many ties
        marked = dice.random(12) < 0.4
        if not 0 < marked.sum() < 12:
            continue
        pairs = [(a > b) + 0.5 * (a == b) for a in scores[marked] for b in scores[~marked]]
        assert rationales.auc(scores, marked) == pytest.approx(np.mean(pairs))
        total, recall = 0.0, 0.0
        for cut in sorted(set(scores), reverse=True):
            chosen = scores >= cut
            now = (chosen & marked).sum() / marked.sum()
            total += (now - recall) * (chosen & marked).sum() / chosen.sum()
            recall = now
        assert rationales.average_precision(scores, marked) == pytest.approx(total)


def test_false_positives_are_counted_at_equal_recall(rationales):
    scores = np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    marked = np.array([False, True, True, False, False, True])
    at = rationales.false_positives_at
    assert at(0.0, scores, marked) == 0
    assert at(1 / 3, scores, marked) == pytest.approx(1 / 3)
    assert at(2 / 3, scores, marked) == pytest.approx(1 / 3)
    assert at(1.0, scores, marked) == pytest.approx(1)
    ties = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    assert at(1 / 3, ties, marked) == pytest.approx(1 / 3)  # half of the tied words, at random
    assert rationales.auc(np.zeros(6), marked) == 0.5


@pytest.fixture
def place(tmp_path):
    """A dense folder, one with predictors, and reviews of which some words are marked."""
    folder = write_start(tmp_path / "model")
    write_start(tmp_path / "dense")
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    save_file(random_predictors(network), folder / "sieve.safetensors")
    recipe = f"adapler(threshold={'/'.join(map(str, ETAS))}, sites=0..3)"
    (folder / "sieve.json").write_text(json.dumps({"recipe": recipe}))
    dice = random.Random(3)
    with gzip.open(tmp_path / "test.jsonl.gz", "wt") as file:
        for index in range(6):
            words = dice.choices(WORDS, k=20 + 5 * index)
            words[3] = "word1-word2"  # one word here, three to the tokenizer
            spans = [[2, 5], [10, 12]] if index else []
            entry = {"id": str(index), "label": index % 2, "text": " ".join(words), "rationales": spans}
            file.write(json.dumps(entry) + "\n")
    return tmp_path


def test_words_are_those_between_spaces(rationales, place):
    model = ts.load(place / "model")
    reviews = rationales.read_reviews(place / "test.jsonl.gz", model.tokenizer, 32)
    first, second = reviews[0], reviews[1]
    assert first.word_of.tolist() == [-1, 0, 1, 2, 3, 3, 3, *range(4, 20), -1]
    assert np.flatnonzero(second.marked).tolist() == [2, 3, 4, 10, 11]
    assert len(reviews[5].ids) == 32 and len(reviews[5].marked) == 28, "cut off"
    scores = np.arange(len(first.ids), dtype=float)[None]
    assert rationales.of_words(scores, first)[0, 2:5].tolist() == [3, 6, 7]


def test_gradients_and_attention_are_the_dense_networks(rationales, place):
    model = ts.load(place / "model")
    review = rationales.read_reviews(place / "test.jsonl.gz", model.tokenizer, 32)[1]
    scores, answer = rationales.Dense(place / "dense").scores(review)
    network = AutoModelForSequenceClassification.from_pretrained(place / "dense").eval()
    ids = torch.tensor(review.ids)[None].long()
    rows = network.bert.embeddings(ids).detach()
    def logit(x):  # noqa: E306
        hidden = network.bert.encoder(x)[0]
        return network.classifier(network.bert.pooler(hidden))[0, answer]
    gradient = torch.autograd.functional.jacobian(logit, rows)  # noqa: E305
    expected = (gradient * rows).norm(dim=-1)[0].numpy()
    assert np.abs(scores["gradient"][0] - expected).max() < 1e-4 * expected.max()
    assert scores["attention"].shape == (4, len(review.ids))
    assert np.abs(scores["attention"].sum(1) - 1).max() < 1e-5
    assert scores["rollout"].sum() == pytest.approx(1, abs=1e-5)


def test_the_table_is_printed_and_written(place):
    figures = place / "figures.json"
    command = [sys.executable, SCRIPT, place / "test.jsonl.gz", "--model", place / "model", "--dense", place / "dense"]
    more = ["--max-tokens", "32", "--draws", "200", "--threads", "1", "--json", figures]
    done = subprocess.run([*command, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = json.loads(figures.read_text())
    assert read["reviews"] == 5 and read["without_marks"] == 1 and read["cut_off"] == 4
    assert set(read["methods"]) == {"adapler", "gradient", "attention", "rollout", "random"}
    for name, row in read["methods"].items():
        for metric in ("average_precision", "auc", "fpr_even", "fpr_kept", "fpr_half"):
            found = row[metric]
            assert 0 <= found["low"] <= found["mean"] <= found["high"] <= 1, (name, metric)
            assert f"{found['mean']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in done.stdout
    ours, other = read["methods"]["adapler"], read["methods"]["gradient"]
    difference = ours["auc"]["mean"] - other["auc"]["mean"]
    assert other["adapler_minus_this"]["auc"]["mean"] == pytest.approx(difference)
    assert len(read["by_block"]["adapler"]["auc"]) == len(read["by_block"]["attention"]["auc"]) == 4
    assert read["times_fewer_macs"] > 1
    again = subprocess.run([*command, *more], capture_output=True, text=True)
    assert again.stdout == done.stdout, "a seed decides all draws"


def test_another_vocabulary_is_refused(place):
    words = (place / "dense" / "vocab.txt").read_text().splitlines()
    (place / "dense" / "vocab.txt").write_text("\n".join(words[::-1]) + "\n")
    command = [sys.executable, SCRIPT, place / "test.jsonl.gz", "--model", place / "model", "--dense", place / "dense"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0 and "another vocabulary" in done.stderr
