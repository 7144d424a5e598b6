"""The program `tokensieve evaluate`."""

import csv
import json
import math
import pathlib
import shutil

import pytest
from PIL import Image
from command import run, run_json
from tiny_model import LABELS, write_nan_model, write_picture, write_tiny_model, write_turned_folders

Z = 1.959963984540054


def wilson(hits, n):
    p, scale = hits / n, 1 / (1 + Z * Z / n)
    half = scale * Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    middle = scale * (p + Z * Z / (2 * n))
    return [max(0, middle - half), min(1, middle + half)]


def agresti_min(gained, lost, n):
    b, c, n = gained + 0.5, lost + 0.5, n + 2
    half = Z * math.sqrt(b + c - (b - c) ** 2 / n) / n
    return [(b - c) / n - half, (b - c) / n + half]


def test_evaluate_equals_a_recount_of_its_predictions(tiny_folder, image_folder, tmp_path):
    predictions = tmp_path / "predictions.csv"
    report = run_json(
        "evaluate", "-m", tiny_folder, "--recipes", "evit(keep=0.7)", "random(keep=0.3)", "--batch", 4,
        "--predictions", predictions, image_folder,
    )  # fmt: skip
    with predictions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert report["images"] == len(rows) == 21 and report["skipped"] == 0
    names = ["dense", "evit(keep=0.7)", "random(keep=0.3)"]
    assert [entry["name"] for entry in report["recipes"]] == names
    assert all(LABELS[int(row["label"])] in row["image"] for row in rows)
    for entry in report["recipes"]:
        right = [row[entry["name"]] == row["label"] for row in rows]
        dense = [row["dense"] == row["label"] for row in rows]
        gained = sum(a and not b for a, b in zip(right, dense))
        lost = sum(b and not a for a, b in zip(right, dense))
        same = sum(row[entry["name"]] == row["dense"] for row in rows)
        assert (entry["correct"], entry["gained"], entry["lost"]) == (sum(right), gained, lost)
        assert entry["top1"] == pytest.approx(sum(right) / 21)
        assert entry["top1_interval"] == pytest.approx(wilson(sum(right), 21))
        assert entry["difference"] == pytest.approx((sum(right) - sum(dense)) / 21)
        assert entry["same_label"] == pytest.approx(same / 21)
        if entry["name"] != "dense":
            assert entry["difference_interval"] == pytest.approx(agresti_min(gained, lost, 21))


def test_evaluate_agrees_with_classify(tiny_folder, image_folder, tmp_path):
    predictions = tmp_path / "predictions.csv"
    report = run_json(
        "evaluate", "-m", tiny_folder, "-r", "evit(keep=0.5)", "--predictions", predictions, "--",
        image_folder,
    )
    options = ["-r", "evit(keep=0.5)", "--repeat", 1]
    shown = run_json("classify", "-m", tiny_folder, *options, image_folder)
    with predictions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [image["image"] for image in shown["images"]]
    for row, image in zip(rows, shown["images"]):
        assert int(row["dense"]) == image["runs"][0]["top"][0]["label"]
        assert int(row["evit(keep=0.5)"]) == image["runs"][1]["top"][0]["label"]
    for entry, summary in zip(report["recipes"], shown["summary"]):
        assert entry["macs"] == pytest.approx(summary["macs"])
    assert report["recipes"][0]["tokens_per_layer"] == [17] * 10
    assert report["recipes"][1]["tokens_per_layer"] == [17] * 3 + [9] * 3 + [5] * 3 + [3]


def test_sweep_runs_each_density(tiny_folder, image_folder):
    options = ["--sweep", "0.9..0.7", "--limit", 6]
    report = run_json("evaluate", "-m", tiny_folder, *options, image_folder)
    names = [f"evit(keep={keep}, fuse)" for keep in (0.9, 0.8, 0.7)]
    assert [entry["name"] for entry in report["recipes"]] == ["dense", *names]
    assert report["images"] == 6
    macs = [entry["macs"] for entry in report["recipes"]]
    assert macs == sorted(macs, reverse=True)
    for text in ("0.9", "0.9..", "0.9..0.2:0", "a..b", "1..0:0.000001"):
        options = ["-m", tiny_folder, "--sweep", text]
        assert "[sweep]" in run("evaluate", *options, image_folder, code=2).stderr


def test_evaluate_csv_and_text_show_the_same_numbers(tiny_folder, image_folder, tmp_path):
    path = tmp_path / "table.csv"
    recipes = ["--recipes", "evit(keep=0.7, fuse)", "tome(r=2)", "random(keep=0.7)"]
    text = run("evaluate", "-m", tiny_folder, "--csv", path, "--rounds", 2, *recipes, "--", image_folder).stdout
    rows = list(csv.DictReader(path.open(newline="")))
    assert [row["name"] for row in rows] == ["dense", *recipes[1:]]
    assert [row["method"] for row in rows] == ["dense", "evit(fuse)", "tome", "random"]
    assert [row["density_key"] for row in rows] == ["", "keep", "r", "keep"]
    assert [row["density"] for row in rows] == ["", "0.7", "2", "0.7"]
    for row in rows:
        assert f"{100 * float(row['top1']):.2f}" in text
        assert f" {float(row['batch1_samples_per_second']):.1f} " in text
        assert f" {float(row['batch8_samples_per_second']):.1f} " in text
        assert f" {float(row['batch8_mac_gain']):.2f}x " in text or row["name"] == "dense"
    assert f" {float(rows[1]['batch8_speedup']):.2f}x " in text
    assert "r=2" in text and "median of 2 rounds" in text and "threads: " in text
    assert max(map(len, text.splitlines())) <= 120
    assert "\x1b" not in text


@pytest.mark.parametrize("option", ["--csv", "--plot", "--predictions"])
def test_a_file_that_has_no_folder_is_refused_before_the_work(option, tiny_folder, tmp_path):
    file = tmp_path / "no" / "a.svg"
    said = run("evaluate", "-m", tiny_folder, option, file, tmp_path / "no data", code=1).stderr
    assert "there is no folder" in said and "a.svg" in said
    (tmp_path / "a.svg").mkdir()
    said = run("evaluate", "-m", tiny_folder, option, tmp_path / "a.svg", tmp_path / "no data", code=1).stderr
    assert "is a folder" in said


def test_speed_is_beside_what_the_macs_allow(tiny_folder, image_folder):
    recipes = ["--recipes", "evit(keep=0.5)", "--rounds", 3]
    report = run_json("evaluate", "-m", tiny_folder, *recipes, image_folder)
    assert report["speed_rounds"] == 3 and report["speed_images"] == 16
    dense, sieved = report["recipes"]
    assert [speed["batch"] for speed in sieved["speeds"]] == [1, 8]
    for mine, base in zip(sieved["speeds"], dense["speeds"], strict=True):
        assert base["speedup"] == base["mac_gain"] == base["efficiency"] == 1
        assert mine["mac_gain"] == pytest.approx(dense["macs"] / sieved["macs"])  # as fixed as its counts
        assert mine["efficiency"] == pytest.approx(mine["speedup"] / mine["mac_gain"])
        for figure in ("samples_per_second", "speedup"):
            low, high = mine[f"{figure}_quartiles"]
            assert 0 < low <= mine[figure] <= high
    report = run_json("evaluate", "-m", tiny_folder, "--rounds", 0, "--limit", 3, image_folder)
    assert report["speed_images"] == 0
    assert [entry["speeds"] for entry in report["recipes"]] == [[], []]
    text = run("evaluate", "-m", tiny_folder, "--rounds", 0, "--limit", 3, image_folder).stdout
    assert "images/s" not in text
    assert "--rounds" in run("evaluate", "-m", tiny_folder, "--rounds", -1, image_folder, code=2).stderr


def test_a_baseline_is_another_model_s_dense_network(tiny_folder, image_folder, tmp_path):
    other = write_tiny_model(tmp_path / "other", seed=5)
    options = ["-m", tiny_folder, "--rounds", 1, "--recipes", "evit(keep=0.5)", "--"]
    paths = [tmp_path / f"{name}.csv" for name in ("against", "alone", "own")]
    report = run_json(
        "evaluate", "--baseline", other, "--predictions", paths[0], *options, image_folder
    )
    run("evaluate", "-m", other, "--rounds", 0, "--predictions", paths[1], image_folder)
    run("evaluate", *options[:4], "--predictions", paths[2], *options[4:], image_folder)
    against, alone, own = (list(csv.DictReader(path.open(newline=""))) for path in paths)
    assert report["baseline"] == str(other)
    assert [entry["name"] for entry in report["recipes"]] == ["dense", "all tokens", "evit(keep=0.5)"]
    assert [entry["method"] for entry in report["recipes"]] == ["dense", "all tokens", "evit"]
    assert [row["dense"] for row in against] == [row["dense"] for row in alone]
    assert [row["all tokens"] for row in against] == [row["dense"] for row in own]
    assert [row["evit(keep=0.5)"] for row in against] == [row["evit(keep=0.5)"] for row in own]
    assert report["recipes"][1]["macs_share"] == 1 and report["recipes"][1]["same_label"] < 1

    renamed = write_tiny_model(tmp_path / "renamed", labels=["a", "b", "c"])
    said = run("evaluate", "-m", tiny_folder, "--baseline", renamed, image_folder, code=1).stderr
    assert "a model with the labels of --model" in said
    config = json.loads((other / "config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0.4, 0.4, 0.4]
    (other / "config.json").write_text(json.dumps(config))
    said = run("evaluate", "-m", tiny_folder, "--baseline", other, image_folder, code=1).stderr
    assert "preprocesses pictures as --model does" in said


def test_one_table_holds_recipes_of_several_models(tiny_folder, image_folder, tmp_path):
    other = write_tiny_model(tmp_path / "other", seed=5)
    path = tmp_path / "predictions.csv"
    recipes = ["evit(keep=0.5)", f"dense@{other}", f"evit(keep=0.5)@{other}", "dense"]
    options = ["--rounds", 0, image_folder, "--recipes"]
    report = run_json(
        "evaluate", "-m", tiny_folder, "--predictions", path, *options, *recipes
    )
    names = ["dense", "evit(keep=0.5)", f"dense@{other}", f"evit(keep=0.5)@{other}"]
    assert [entry["name"] for entry in report["recipes"]] == names
    assert [entry["method"] for entry in report["recipes"]] == ["dense", "evit", names[2], f"evit@{other}"]
    alone = run_json("evaluate", "-m", other, *options, "evit(keep=0.5)")["recipes"]
    assert [entry["correct"] for entry in report["recipes"][2:]] == [entry["correct"] for entry in alone]
    assert alone[0]["correct"] != report["recipes"][0]["correct"]
    assert list(next(csv.DictReader(path.open(newline="")))) == ["image", "label", *names]

    swept = run_json("evaluate", "-m", tiny_folder, "--sweep", "0.7..0.5:0.2", *options, *recipes[1:3])
    assert [entry["name"] for entry in swept["recipes"]] == [
        "dense", names[2], f"evit(keep=0.7)@{other}", f"evit(keep=0.5)@{other}"
    ]
    said = run("evaluate", "-m", tiny_folder, *options, "evit(keep=0.5)@", code=2).stderr
    assert "[evaluate] expected RECIPE@DIR, got 'evit(keep=0.5)@' without a folder" in said
    said = run("evaluate", "-m", tiny_folder, *options, f"dense@{other}x", code=1).stderr
    assert f"{other}x" in said and "did you mean" in said


def test_evaluate_draws_the_trade_off(tiny_folder, image_folder, tmp_path):
    options = ["--recipes", "evit(keep=0.7)", "random(keep=0.7)", "--sweep", "0.9..0.7", "--rounds", 1]
    svg, png = tmp_path / "curves.svg", tmp_path / "curves.png"
    run("evaluate", "-m", tiny_folder, *options, "--plot", svg, "--", image_folder)
    text = svg.read_text()
    for word in (">dense<", ">evit<", ">random<", "GMACs per image", "images/s at batch 1", "at batch 8"):
        assert word in text
    assert text.count("stroke-dasharray") >= 3  # random drop, in each of three plots
    run("evaluate", "-m", tiny_folder, "--rounds", 0, "--plot", png, image_folder)
    with Image.open(png) as picture:
        assert picture.format == "PNG" and picture.width > 500
    refused = run("evaluate", "-m", tiny_folder, "--plot", "a.pdf", image_folder, code=2).stderr
    assert "a name that ends in .svg or .png, got a.pdf" in refused


def test_a_broken_picture_stops_evaluate_or_is_skipped_and_counted(
    tiny_folder, image_folder, tmp_path
):
    shutil.copytree(image_folder, tmp_path / "data")
    (tmp_path / "data" / "red" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    arguments = ["evaluate", "-m", tiny_folder, "--limit", 21, tmp_path / "data"]
    stopped = run(*arguments, code=1).stderr
    assert "3.png" in stopped and "--skip-broken" in stopped
    done = run(*arguments, "--skip-broken", "--json")
    report = json.loads(done.stdout)
    assert report["images"] == 20 and report["skipped"] == 1
    assert "3.png" in done.stderr


def test_class_folders_are_matched_by_name(tiny_folder, tmp_path):
    for name in ("Red", "green"):  # two of three classes, in another order, one in capitals
        write_picture(tmp_path / "data" / name / "a.png")
    predictions = tmp_path / "predictions.csv"
    run("evaluate", "-m", tiny_folder, "--predictions", predictions, tmp_path / "data")
    with predictions.open(newline="") as file:
        labels = {pathlib.Path(row["image"]).parent.name: row["label"] for row in csv.DictReader(file)}
    assert labels == {"Red": "2", "green": "1"}
    write_picture(tmp_path / "data" / "gren" / "a.png")
    text = run("evaluate", "-m", tiny_folder, tmp_path / "data", code=1).stderr
    assert "'gren' (did you mean 'green'?)" in text


def test_lists_need_labels_that_the_model_has(tiny_folder, tmp_path):
    write_picture(tmp_path / "a.png")
    listing = tmp_path / "list.txt"
    listing.write_text("a.png\n")
    assert "a.png has no label" in run("evaluate", "-m", tiny_folder, listing, code=1).stderr
    listing.write_text("a.png\t3\n")
    assert "label 3" in run("evaluate", "-m", tiny_folder, listing, code=1).stderr


def test_a_picture_whose_logits_hold_nan_is_wrong(image_folder, tmp_path):
    model = write_nan_model(tmp_path / "nan")
    predictions = tmp_path / "predictions.csv"
    report = run_json(
        "evaluate", "-m", model, "-r", "evit(keep=0.5)", "--predictions", predictions, "--",
        image_folder,
    )  # fmt: skip
    assert [entry["correct"] for entry in report["recipes"]] == [0, 0]
    assert [entry["same_label"] for entry in report["recipes"]] == [0, 0]
    with predictions.open(newline="") as file:
        assert all(row["dense"] == "-1" for row in csv.DictReader(file))


def test_pictures_may_be_left_as_they_are_stored(tiny_folder, tmp_path):
    stored, seen, plain = write_turned_folders(tmp_path)

    def predictions(folder, *options):
        path = tmp_path / "predictions.csv"
        run("evaluate", "-m", tiny_folder, "--predictions", path, *options, folder)
        with path.open(newline="") as file:
            return [row["dense"] for row in csv.DictReader(file)]

    assert predictions(stored) == predictions(seen)
    assert predictions(stored, "--no-orientation") == predictions(plain)
    assert predictions(seen) != predictions(plain), "these pictures would hide a difference"
