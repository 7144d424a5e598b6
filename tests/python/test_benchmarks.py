"""The benchmarks run, and write the figures that they print."""

import json
import subprocess
import sys

import pytest
from command import program
from conftest import ROOT
from tiny_model import write_picture, write_tiny_model


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
