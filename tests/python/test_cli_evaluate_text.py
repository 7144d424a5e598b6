"""`tokensieve evaluate` of text models."""

import csv
import json

import numpy as np
import pytest
import tokensieve as ts
from command import run, run_json
from PIL import Image
from random_bert import SMALL, random_network
from test_cli_evaluate import agresti_min, wilson
from text_data import RECIPE, make_texts, write_exits, write_text_model, write_texts

TEXTS = make_texts(24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_text_model(tmp_path_factory.mktemp("text") / "model")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "texts.tsv"
    write_texts(path, TEXTS)
    return path


def evaluate(folder, data, *options, rounds=0):
    return run_json("evaluate", "-m", folder, "--rounds", rounds, *options, "--", data)


def predictions_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_figures_equal_a_loop_over_single_calls(folder, data, tmp_path):
    path = tmp_path / "predictions.csv"
    recipes = ["dense", RECIPE, "random(keep=0.5, sites=1/2)"]
    report = evaluate(folder, data, "--recipes", *recipes[1:], "--predictions", path, "--batch", 7)
    model = ts.load(folder)
    truth = ts.read_text_dataset(data).labels
    rows = predictions_of(path)
    assert report["texts"] == len(rows) == 24
    assert [int(row["label"]) for row in rows] == truth.tolist()
    assert [row["text"] for row in rows] == [str(i + 1) for i in range(24)]
    assert [int(row["tokens"]) for row in rows] == [len(text.split()) + 2 for text in TEXTS]
    for entry, recipe in zip(report["recipes"], recipes, strict=True):
        results = [model(text, recipe=recipe) for text in TEXTS]
        said = np.array([result.logits.argmax() for result in results])
        right = said == truth
        assert [int(row[recipe]) for row in rows] == said.tolist()
        assert entry["correct"] == right.sum()
        assert entry["top1_interval"] == pytest.approx(wilson(right.sum(), 24))
        assert entry["macs"] == pytest.approx(np.mean([result.macs[0] for result in results]))
        tokens = np.mean([result.tokens_per_layer[0] for result in results], axis=0)
        assert entry["tokens_per_layer"] == pytest.approx(tokens.tolist())
    dense = report["recipes"][0]
    live = [model.dense_macs(len(text.split()) + 2) for text in TEXTS]  # not padded
    assert dense["macs"] == pytest.approx(np.mean(live))
    assert report["max_length"] == 512 and report["padded_macs"] == model.dense_macs(512)
    assert report["recipes"][1]["macs"] < dense["macs"]


def test_buckets_hold_the_texts_of_their_lengths(folder, data, tmp_path):
    path = tmp_path / "predictions.csv"
    report = evaluate(folder, data, "-r", RECIPE, "--buckets", 16, 32, "--predictions", path)
    rows = predictions_of(path)
    dense, sieved = report["recipes"]
    groups = [[r for r in rows if low < int(r["tokens"]) <= high] for low, high in ((0, 16), (16, 32), (32, 99))]
    assert [bucket["count"] for bucket in sieved["buckets"]] == [len(group) for group in groups]
    for bucket, of_dense, group in zip(sieved["buckets"], dense["buckets"], groups, strict=True):
        lengths = [int(row["tokens"]) for row in group]
        assert (bucket["shortest"], bucket["longest"]) == (min(lengths), max(lengths))
        right = [row[RECIPE] == row["label"] for row in group]
        right_dense = [row["dense"] == row["label"] for row in group]
        gained = sum(a and not b for a, b in zip(right, right_dense))
        lost = sum(b and not a for a, b in zip(right, right_dense))
        assert (bucket["correct"], bucket["gained"], bucket["lost"]) == (sum(right), gained, lost)
        assert bucket["difference_interval"] == pytest.approx(agresti_min(gained, lost, len(group)))
        assert bucket["macs_share"] == pytest.approx(bucket["macs"] / of_dense["macs"])
    whole = sum(bucket["macs"] * bucket["count"] for bucket in sieved["buckets"]) / 24
    assert whole == pytest.approx(sieved["macs"])


def test_without_buckets_a_quarter_of_the_texts_is_in_each(folder, data):
    counts = [bucket["count"] for bucket in evaluate(folder, data, "-r", RECIPE)["recipes"][1]["buckets"]]
    assert len(counts) == 4 and sum(counts) == 24 and min(counts) >= 4


def test_truncation_runs_dense_on_texts_cut_off(folder, data, tmp_path):
    path = tmp_path / "predictions.csv"
    report = evaluate(folder, data, "-r", RECIPE, "--truncate", 10, 20, "--predictions", path)
    assert [entry["name"] for entry in report["recipes"]] == ["dense", RECIPE, "truncate(10)", "truncate(20)"]
    model, rows = ts.load(folder), predictions_of(path)
    for entry, most in zip(report["recipes"][2:], (10, 20), strict=True):
        assert (entry["method"], entry["density_key"], entry["density"]) == ("truncate", "tokens", str(most))
        tokens = [model.tokenizer.encode(text, most) for text in TEXTS]
        result = model([t.ids for t in tokens], recipe="dense")
        assert [int(row[f"truncate({most})"]) for row in rows] == result.logits.argmax(axis=1).tolist()
        assert entry["macs"] == pytest.approx(result.macs.mean())
    cut = evaluate(folder, data, "-r", RECIPE, "--max-length", 20)["recipes"][0]
    assert cut["macs"] == pytest.approx(report["recipes"][3]["macs"])


@pytest.mark.parametrize("pairs", [False, True])
def test_equal_truncation_costs_no_less_than_the_recipe(folder, data, tmp_path, pairs):
    if pairs:
        data = tmp_path / "pairs.jsonl"
        write_texts(data, list(zip(make_texts(20, 1), make_texts(20, 2))))
    recipes = [RECIPE, "random(keep=0.5, sites=1/2)"]
    report = evaluate(folder, data, "--recipes", *recipes, "--truncate", "equal")
    dense, *rest = report["recipes"]
    cuts = rest[2:]
    assert 1 <= len(cuts) <= 2
    for sieved in rest[:2]:
        enough = [cut for cut in cuts if cut["macs"] >= sieved["macs"]]
        closest = min(enough, key=lambda cut: cut["macs"])
        assert sieved["macs"] <= closest["macs"] < dense["macs"]
        shorter = evaluate(folder, data, "--recipes", "dense", "--truncate", int(closest["density"]) - 1)
        assert shorter["recipes"][-1]["macs"] < sieved["macs"]


def test_pairs_of_a_jsonl_file_run_too(folder, tmp_path):
    data = tmp_path / "pairs.jsonl"
    pairs = list(zip(make_texts(6, 1), make_texts(6, 2)))
    labels = write_texts(data, pairs)
    report = evaluate(folder, data, "-r", RECIPE)
    result = ts.load(folder)(pairs, recipe=RECIPE)
    assert report["recipes"][1]["correct"] == (result.logits.argmax(axis=1) == labels).sum()
    assert report["recipes"][1]["macs"] == pytest.approx(result.macs.mean())


def test_sweep_csv_text_and_plot_are_of_texts(folder, data, tmp_path):
    table, svg, png = (tmp_path / name for name in ("table.csv", "curves.svg", "curves.png"))
    options = ["--sweep", "0.01..0.03:0.01", "--truncate", 12, "--rounds", 2, "--recipes", RECIPE]
    shown = run("evaluate", "-m", folder, *options, "--csv", table, "--plot", svg, "--", data).stdout
    rows = list(csv.DictReader(table.open(newline="")))
    assert [row["name"] for row in rows][2] == "ltp(threshold=0.02)" and len(rows) == 5
    assert [row["method"] for row in rows] == ["dense", "ltp", "ltp", "ltp", "truncate"]
    for row in rows:
        assert f"{100 * float(row['top1']):.2f}" in shown
        assert f" {float(row['batch8_samples_per_second']):.1f} " in shown
    assert "24 texts" in shown and "texts/s: median of 2 rounds" in shown and "tokens=12" in shown
    assert "picture" not in shown and "image" not in shown
    assert "dense padded to 512" in shown
    drawn = svg.read_text()
    assert ">truncate<" in drawn and "GMACs per text" in drawn and "texts/s at batch 8" in drawn
    run("evaluate", "-m", folder, "--rounds", 0, "--plot", png, data)
    assert Image.open(png).width > 100


def test_speed_is_of_the_same_texts_for_all(folder, data):
    report = evaluate(folder, data, "-r", RECIPE, "--truncate", 10, rounds=1)
    assert report["speed_texts"] == 16 and report["speed_rounds"] == 1
    dense, sieved, cut = report["recipes"]
    for a, b, c in zip(dense["speeds"], sieved["speeds"], cut["speeds"], strict=True):
        assert a["mac_gain"] == 1 < min(b["mac_gain"], c["mac_gain"])
        assert c["efficiency"] == pytest.approx(c["speedup"] / c["mac_gain"])


def test_a_baseline_reads_texts_with_its_own_tokenizer(folder, data, tmp_path):
    other = write_text_model(tmp_path / "other", seed=5)
    vocabulary = (other / "vocab.txt").read_text().split()
    (other / "vocab.txt").write_text("\n".join(vocabulary[:5] + vocabulary[:4:-1]) + "\n")
    report = evaluate(folder, data, "--baseline", other, "-r", RECIPE)
    assert [entry["name"] for entry in report["recipes"]] == ["dense", "all tokens", RECIPE]
    alone = evaluate(other, data)["recipes"][0]
    own = evaluate(folder, data, "-r", RECIPE)["recipes"]
    assert report["recipes"][0]["correct"] == alone["correct"]
    assert [entry["correct"] for entry in report["recipes"][1:]] == [entry["correct"] for entry in own]
    renamed = write_text_model(tmp_path / "renamed", labels=["a", "b", "c"])
    said = run("evaluate", "-m", folder, "--baseline", renamed, data, code=1).stderr
    assert "a model with the labels of --model" in said


def test_an_exit_is_swept_by_its_name(data, tmp_path):
    folder = write_exits(write_text_model(tmp_path / "exits"))
    recipe = "magic_pyramid(threshold=0.02, entropy=0.3)"
    report = evaluate(folder, data, "-r", recipe, RECIPE, "--sweep", "entropy=0.2..0.4:0.2")
    names = ["dense", recipe.replace("0.3", "0.2"), recipe.replace("0.3", "0.4"), RECIPE]
    assert [entry["name"] for entry in report["recipes"]] == names
    said = run("evaluate", "-m", folder, data, "-r", RECIPE, "--sweep", "entropy=0.2..0.4", code=2).stderr
    assert "[sweep] expected a recipe with entropy, got" in said


def test_a_baseline_is_of_the_same_kind(folder, data, tiny_folder):
    said = run("evaluate", "-m", folder, "--baseline", tiny_folder, data, code=1).stderr
    assert "expected a model of texts" in said


def test_texts_of_every_kind_have_an_answer(folder, tmp_path):
    data = tmp_path / "odd.jsonl"
    texts = ["", "ba", "ba " * 100_000, "\x00\x01\x02 \ufffd", "👩‍👩‍👧 中文"]
    write_texts(data, texts)
    report = evaluate(folder, data, "-r", RECIPE)
    assert report["texts"] == 5
    assert [bucket["longest"] for bucket in report["recipes"][0]["buckets"]][-1] == 512
    rubbish = tmp_path / "rubbish.tsv"
    rubbish.write_bytes(b"label\ttext\n0\t\xff\xfe\x80 ba \xc3\n1\t\n")
    assert evaluate(folder, rubbish, "-r", RECIPE)["texts"] == 2


@pytest.mark.parametrize(
    "options, cause",
    [
        (["--truncate", "some"], "expected 'equal' or a number of tokens of 4 or more, got 'some'"),
        (["--truncate", "3"], "a number of tokens of 4 or more"),
        (["--truncate", "12x"], "got '12x'"),
        (["--buckets", "20", "10"], "numbers of tokens that rise"),
        (["--max-length", "513"], "at most 512 tokens, as the model reads, got 513"),
        (["--max-length", "2"], "expected max_tokens"),
        (["--recipes", "evit(keep=0.7, sites=9)"], "site"),
    ],
)
def test_bad_options_say_what_is_wrong(folder, data, options, cause):
    assert cause in run("evaluate", "-m", folder, "--rounds", 0, *options, "--", data, code=2).stderr


def test_options_of_texts_are_refused_for_pictures(tiny_folder, image_folder):
    for option in (["--truncate", 9], ["--buckets", 9], ["--max-length", 9]):
        said = run("evaluate", "-m", tiny_folder, *option, "--", image_folder, code=2).stderr
        assert "are for text models" in said


def test_data_that_does_not_fit_says_what_is_wrong(folder, data, image_folder, tmp_path):
    nothing = tmp_path / "unlabelled.jsonl"
    nothing.write_text('{"text": "ba", "label": 1}\n{"text": "be"}\n')
    assert "text 2 of" in run("evaluate", "-m", folder, nothing, code=1).stderr
    assert "has no label" in run("evaluate", "-m", folder, nothing, code=1).stderr
    beyond = tmp_path / "beyond.tsv"
    beyond.write_text("label\ttext\n0\tba\n3\tbe\n")
    assert "has label 3, but the model has 3 classes" in run("evaluate", "-m", folder, beyond, code=1).stderr
    assert "expected a .tsv or .jsonl file" in run("evaluate", "-m", folder, image_folder, code=1).stderr
    assert "no such file" in run("evaluate", "-m", folder, tmp_path / "none.tsv", code=1).stderr
    (tmp_path / "empty.tsv").write_text("label\ttext\n")
    assert "got none" in run("evaluate", "-m", folder, tmp_path / "empty.tsv", code=1).stderr


def test_models_that_cannot_label_texts_say_so(data, tmp_path):
    tokens = write_text_model(tmp_path / "tokens", task="ForTokenClassification")
    assert "labels for each token" in run("evaluate", "-m", tokens, data, code=1).stderr
    bare = tmp_path / "bare"
    random_network("Bert", "ForSequenceClassification", **SMALL, num_labels=3).save_pretrained(bare)
    assert "expected a tokenizer" in run("evaluate", "-m", bare, data, code=1).stderr
    many = write_text_model(tmp_path / "many", words=[f"w{i}" for i in range(1200)])
    said = run("evaluate", "-m", many, data, code=1).stderr
    assert "a vocabulary of at most 1000 entries" in said and "got 1205" in said


def test_labels_are_printed_as_json_of_one_object(folder, data):
    done = run("evaluate", "-m", folder, "--rounds", 0, "--json", data)
    assert json.loads(done.stdout)["data"] == str(data) and done.stderr == ""
