"""The benchmarks run, and write the figures that they print."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tokensieve as ts

from command import program
from conftest import ROOT
from text_data import make_texts, write_contributions, write_exits, write_text_model, write_texts
from tiny_model import LABELS, write_picture, write_tiny_model


def test_the_footprint_is_printed_and_written(tiny_folder, tmp_path):
    for index in range(2):
        write_picture(tmp_path / "pictures" / f"{index}.jpg", seed=index)
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "bench_footprint.py", tiny_folder,
            tmp_path / "pictures", "--program", program(), "--batch", "2", "--runs", "1",
            "--json", figures,
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = json.loads(figures.read_text())
    assert read["batch"] == 2 and read["runs"] == 1
    assert f"{read['peak_over_weights']:.2f} times the weights" in done.stdout
    assert f"{read['one_picture_seconds']:.3f} s from start to end" in done.stdout
    assert read["peak_bytes"] > read["weights_bytes"] > 1e6


def test_the_curve_pairs_every_rate_with_dense_and_random(image_folder, tmp_path):
    sieved = write_tiny_model(tmp_path / "sieved", recipe="dynamicvit(keep=0.7, sites=3/6/9)", predictors=3)
    dense = write_tiny_model(tmp_path / "dense")
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "dynamicvit_curve.py", image_folder,
            "--calibrate", image_folder, "--model", sieved, "--dense", dense,
            "--keeps", "0.7", "0.4", "--threads", "1", "--json", figures,
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = json.loads(figures.read_text())["rows"]
    assert [row["name"] for row in rows[:2]] == ["dense model", "all tokens"] and len(rows) == 10
    assert rows[0]["against_dense"]["difference"] == 0
    for top_k, adaptive, random, _ in (rows[2:6], rows[6:]):
        assert random["gmacs"] >= top_k["gmacs"] or random["recipe"] == "dense"
        assert abs(adaptive["gmacs"] - top_k["gmacs"]) < 0.2 * top_k["gmacs"]
        assert f"{100 * top_k['top1']:.2f}" in done.stdout


def test_controls_drop_at_the_same_places_and_cost_no_less(image_folder, tmp_path):
    model = write_tiny_model(tmp_path / "model")
    other = write_tiny_model(tmp_path / "other")
    figures = tmp_path / "figures.json"
    recipes = ["asvit(threshold=0.02/0.03/0.04, sites=3/6/9)", f"evit(keep=0.4, sites=2..)@{other}"]
    command = [sys.executable, ROOT / "benchmarks" / "equal_macs.py", image_folder, "--model", model, "--threads", "1"]
    done = subprocess.run(
        [*command, "--top-k", "--json", figures, "--recipes", *recipes], capture_output=True, text=True, check=True
    )
    found = json.loads(figures.read_text())
    assert [row["name"] for row in found["rows"]] == recipes
    network, pictures = ts.load(model), sorted(pathlib.Path(image_folder).rglob("*.*g"))

    def left(recipe):
        return network(pictures, recipe=recipe).tokens_per_layer.mean(0)

    for row in found["rows"]:
        assert [control["name"] for control in row["controls"]] == ["random", "top-k"]
        for control in row["controls"]:
            assert row["gmacs"] <= control["gmacs"] <= found["dense_gmacs"]
            assert control["recipe"].split("at=")[1].startswith(row["recipe"].split("at=")[1].rstrip("."))
            assert np.abs(left(control["recipe"]) - left(row["recipe"])).max() <= 2, (row, control)
            gap = 100 * (row["top1"] - control["top1"])
            assert f"{100 * control['recipe_against_it']['difference']:+.2f}" == f"{gap:+.2f}"
        assert "score=random" in row["controls"][0]["recipe"] and f"{100 * row['top1']:.2f}" in done.stdout
    refused = subprocess.run([*command, "--recipes", "dense"], capture_output=True, text=True)
    assert refused.returncode == 1 and "expected recipes that drop tokens, got dense" in refused.stderr
    refused = subprocess.run([*command, "--top-k", "--recipes", "tome(r=2)"], capture_output=True, text=True)
    assert refused.returncode == 1 and "--top-k needs a recipe with a score" in refused.stderr


def test_texts_are_timed_against_every_rival_in_every_mode(tmp_path):
    for package in ("ctranslate2", "onnxruntime", "openvino"):
        pytest.importorskip(package)
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "bench_bert.py", "--shape", "tiny", "--batch", "12",
            "--rounds", "2", "--warmup", "1", "--threads", "1", "--json", figures,
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = {row["contender"]: row for row in json.loads(figures.read_text())["rows"]}
    assert len(rows) == 2 + 3 * 3
    sieved = next(row for name, row in rows.items() if name.startswith("tokensieve ltp"))
    assert 2.1 <= sieved["macs_ratio"] < 2.6
    for rival in ("onnxruntime", "openvino", "ctranslate2"):
        assert f"best of {rival}:" in done.stdout


def test_methods_for_texts_are_chosen_on_dev_and_judged_on_test(tmp_path):
    recipes = {
        "dense_control": "dense",
        "ltp": "ltp(threshold=0.005/0.01/0.02, sites=1..3)",
        "cascade": "score=received_attention | select=top_k(0.5, of=input, round=ceil) | drop=gone | at=after_attention:1..",
        "top_half": "top(bins=11100/11000, sites=1/2)",
        "adapler": "adapler(threshold=0.5)",
        "magic_pyramid": "magic_pyramid(threshold=0.005/0.01/0.02, sites=1..3, entropy=0.3)",
        "pabee": "pabee(patience=1)",
    }
    runs = tmp_path / "runs"
    for method, recipe in recipes.items():
        model = write_text_model(runs / method / "model", seed=len(method))
        if method in ("magic_pyramid", "pabee"):
            write_exits(model)
        if method == "adapler":
            write_contributions(model)
        (model / "sieve.json").write_text(json.dumps({"recipe": recipe}))
    for part, count in (("dev", 30), ("test", 50)):
        write_texts(tmp_path / f"{part}.tsv", make_texts(count, count), count)
    figures = tmp_path / "figures.json"
    command = [
        sys.executable, ROOT / "benchmarks" / "text_methods.py", "--runs", runs, "--dev", tmp_path / "dev.tsv",
        "--test", tmp_path / "test.tsv", "--max-length", "48", "--ratios", "1.2", "1.6", "90", "--threads", "1",
        "--json", figures,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    rows = {(row["method"], row["wanted"]): row for row in found["rows"]}
    assert {method for method, _ in rows} >= {"ltp", "cascade", "adapler", "magic_pyramid", "its tokens alone"}
    assert ("top_half", 2.0) in rows, "at its target alone"
    assert {"method": "ltp", "wanted": 90.0} in found["too_dense"]
    assert found["texts"] == 50 and found["dev_texts"] == 30
    for (method, wanted), row in rows.items():
        assert row["ratio"] > 0.9 * wanted or method == "top_half", (method, "dev and test are alike")
        assert sum(bucket["texts"] for bucket in row["buckets"]) == 50
        assert row["padded_ratio"] == pytest.approx(found["padded_gmacs"] / row["gmacs"]) and row["padded_ratio"] > row["ratio"]
        assert "against_truncation" in row or row["ratio"] <= 1
    assert "cascade" in rows["ltp", 1.2]["against_controls"]
    controls = {"its tokens alone", "its exits alone", "ltp", "pabee"}
    assert set(rows["magic_pyramid", 1.2]["against_controls"]) == controls
    for row in rows.values():
        assert row["dev_ratio"] >= row["wanted"] or row["method"] == "top_half"
        for control in row["against_controls"].values():
            assert 1 <= control["dev_ratio"] <= row["dev_ratio"] < 1.3 * control["dev_ratio"], (row["method"], control)
    model = ts.load(runs / "ltp" / "model", threads=1)
    row = rows["ltp", 1.2]
    table = ts.evaluate(
        model, tmp_path / "test.tsv", row["recipe"], baseline=ts.load(runs / "dense_control" / "model", threads=1),
        truncate=row["truncation"], max_length=48, rounds=0, progress=False,
    )  # fmt: skip
    dense, _, sieved, cut = table
    assert dense.top1 == pytest.approx(found["dense_top1"]) and sieved.top1 == pytest.approx(row["top1"])
    assert sieved.difference == pytest.approx(row["against_dense"]["difference"])
    assert sieved.top1 - cut.top1 == pytest.approx(row["against_truncation"]["difference"])
    assert cut.macs >= sieved.macs
    again = subprocess.run([*command[:-1], tmp_path / "again.json"], capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout and len(list((runs / "answers").iterdir())) > 20
    # Of other test texts, longer ones, the same recipes are judged.
    write_texts(tmp_path / "test.tsv", [" ".join(make_texts(3, seed)) for seed in range(20)])
    subprocess.run(command, capture_output=True, check=True)
    others = json.loads(figures.read_text())["rows"]
    assert {(row["method"], row["wanted"]): row["recipe"] for row in others} == {key: row["recipe"] for key, row in rows.items()}
    assert others[0]["texts"] == 20 and others[0]["ratio"] != rows["ltp", 1.2]["ratio"]


def test_tokenizers_are_compared_on_equal_tokens(tmp_path):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "gor", "##geous", "mess", "!"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n")
    (tmp_path / "texts.tsv").write_text("label\ttext\n1\tA gorgeous mess!\n0\ta mess\n")
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "bench_tokenizer.py", tmp_path / "texts.tsv",
            "--vocab", tmp_path / "vocab.txt", "--rounds", "2", "--json", figures,
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = json.loads(figures.read_text())
    assert read["texts"] == 2 and read["words"] == 5 and read["rounds"] == 2
    assert f"{read['speed_up']:.1f} times as fast" in done.stdout


TRAINER = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test")) / "bin" / "tokensieve-train"


@pytest.mark.skipif(not TRAINER.exists(), reason=f"{TRAINER} is not built (TOKENSIEVE_NN)")
def test_from_scratch_runs_are_compared_and_not_repeated(tmp_path):
    for part, count in (("train", 48), ("test", 5)):
        for number, label in enumerate(LABELS):
            for index in range(count):
                name = tmp_path / "data" / part / label / f"{index}.png"
                write_picture(name, seed=1000 * number + index, size=(32, 32))
    start = write_tiny_model(tmp_path / "start")
    figures = tmp_path / "figures.json"
    command = [
        sys.executable, ROOT / "benchmarks" / "cifar10.py", tmp_path / "data", "--runs", tmp_path / "runs",
        "--start", start, "--program", TRAINER, "--seeds", "3", "--epochs", "1", "--threads", "1",
        "--json", figures,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == ["dense", "mait", "relabel", "token_labeling"] and found["pictures"] == 15
    first = json.loads((tmp_path / "runs" / "mait_first.json").read_text())
    assert first["attention_masks"]["heads"] == [[0]] * 6
    later = json.loads((tmp_path / "runs" / "mait_3.json").read_text())
    assert later["attention_masks"] == found["mait"]["attention_masks"] and later["seed"] == 3
    held_out = [(tmp_path / "runs" / name / "held_out.txt").read_text() for name in ("dense_3", "mait_3", "teacher")]
    assert held_out[0] == held_out[1] == held_out[2]
    labelled = rows["token_labeling"]
    assert labelled["against_relabel"]["mean"] == pytest.approx(labelled["mean"] - rows["relabel"]["mean"])
    assert f"{100 * labelled['mean']:.2f}" in done.stdout and 0 <= found["teacher_top1"] <= 1
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout and "training" not in again.stderr
    other = subprocess.run([*command, "--epochs", "2"], capture_output=True, text=True)
    assert other.returncode == 1 and "of other settings" in other.stderr
    without = subprocess.run([*command, "--start", ""], capture_output=True, text=True)
    assert without.returncode == 2 and "--start or --teacher" in without.stderr


def test_masked_heads_are_timed_beside_none(tmp_path):
    pytest.importorskip("timm")
    figures = tmp_path / "figures.json"
    command = [sys.executable, ROOT / "benchmarks" / "bench_mait.py", "--batch", "1", "--rounds", "1"]
    subprocess.run([*command, "--warmup", "0", "--json", figures], check=True, capture_output=True)
    rows = json.loads(figures.read_text())["rows"]
    by_name = {row["masked"]: row["macs_ratio"] for row in rows}
    assert by_name["without masks"] == 1 and by_name["all heads"] > 1.05
    assert by_name["all heads, 13 x 13"] == 1, "multiplied densely"
