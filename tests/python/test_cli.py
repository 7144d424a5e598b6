"""The program `tokensieve`, run as its users run it.

TOKENSIEVE_CLI names the program; otherwise it is the one that the wheel put beside this Python, or the
one on PATH.
"""

import csv
import io
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from tiny_model import LABELS, write_image_folder, write_picture, write_tiny_model

COMMANDS = ["classify", "visualize", "evaluate", "info", "convert", "completion"]
Z = 1.959963984540054


def program():
    beside = shutil.which("tokensieve", path=os.path.dirname(sys.executable))
    path = os.environ.get("TOKENSIEVE_CLI") or beside or shutil.which("tokensieve")
    if path is None:
        pytest.fail("no program to test: set TOKENSIEVE_CLI to the built `tokensieve`")
    return path


def run(*arguments, code=0, cwd=None, **environment):
    """Runs the program, checks its exit code, returns the finished process."""
    variables = {k: v for k, v in os.environ.items() if k != "TOKENSIEVE_MODEL"} | environment
    done = subprocess.run(
        [program(), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=variables
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    if code != 0:
        assert done.stdout == ""
        assert done.stderr.startswith("tokensieve: "), done.stderr
    return done


def run_json(*arguments, **options):
    command, *rest = arguments
    return json.loads(run(command, "--json", *rest, **options).stdout)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return write_tiny_model(folder, recipe="evit(keep=0.5, fuse)")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_image_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture
def picture(tmp_path):
    return write_picture(tmp_path / "tiles.png")


# --- help and usage -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_and_fits_the_screen(command):
    text = run(command, "--help").stdout
    assert f"tokensieve {command}" in text
    assert "Example: " in text
    assert max(map(len, text.splitlines())) <= 120


def test_every_example_in_the_docs_runs(model, data, tmp_path):
    text = (pathlib.Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 18
    shutil.copytree(model, tmp_path / "weights" / "vit_s14_imagenette")
    shutil.copy(model / "model.safetensors", tmp_path / "deit_s.safetensors")
    shutil.copytree(data, tmp_path / "DATA")
    write_picture(tmp_path / "demos" / "images" / "tench.jpg")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tokensieve").symlink_to(program())
    search = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, capture_output=True, env=os.environ | {"PATH": search}
        )
        assert done.returncode == 0, (line, done.stderr)


def test_help_lists_the_commands_and_version_is_one_line():
    text = run("--help").stdout
    assert all(command in text for command in COMMANDS)
    assert len(run("--version").stdout.split()) == 2


def test_no_command_shows_the_help_and_is_bad_usage():
    done = subprocess.run([program()], capture_output=True, text=True)
    assert done.returncode == 2
    assert "classify" in done.stderr


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["clasify", "x.png"], "did you mean 'classify'?"),
        (["classify", "--recpie", "dense", "x.png"], "did you mean '--recipe'?"),
        (["visualize", "--ot", "x.png", "x.png"], "did you mean '--out'?"),
        (["classify"], "[classify]"),
        (["info", "a", "b"], "unexpected argument 'b'"),
        (["classify", "--keep", "much", "x.png"], "--keep"),
        (["classify", "--batch", "0", "x.png"], "--batch"),
        (["classify", "--batch", "2.5", "x.png"], "--batch"),
        (["evaluate", "--csv", "--json", "x"], "--csv"),
        (["visualize", "--out", "x.gif", "x.png"], ".png or .html"),
        (["completion", "bsh"], "did you mean 'bash'?"),
        (["convert", "--dtype", "bf61", "--out", "x", "."], "did you mean 'bf16'?"),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_what_is_wrong(arguments, says):
    assert says in run(*arguments, code=2).stderr


@pytest.mark.parametrize(
    "options, says",
    [
        (["--recipe", "evti"], "did you mean 'evit'?"),
        (["--recipe", "evit(keep=1.5)"], "1.5"),
        (["--recipe", "evit(sites=3/12)"], "12"),
        (["--keep", "0"], "keep"),
        (["--keep", "nan"], "keep"),
        (["--mass", "0.5"], "keep"),
        (["--recipe", "dense", "--keep", "0.5"], "--recipe"),
    ],
)
def test_wrong_recipes_are_bad_usage(model, picture, options, says):
    assert says in run("classify", "--model", model, *options, picture, code=2).stderr


# --- files ----------------------------------------------------------------------------------------


def test_missing_files_are_failures_that_suggest_a_name(model, picture):
    folder = picture.parent
    assert "did you mean" in run("classify", "-m", model, folder / "tilse.png", code=1).stderr
    assert "did you mean" in run("classify", "-m", f"{model}y", picture, code=1).stderr
    assert "no/such" in run("evaluate", "-m", model, "no/such", code=1).stderr
    assert "nothing" in run("info", folder / "nothing", code=1).stderr
    assert "nothing" in run("convert", folder / "nothing", "--out", "x", code=1).stderr


def test_a_folder_without_pictures_is_a_failure(model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in run("classify", "-m", model, tmp_path / "empty", code=1).stderr
    assert "empty" in run("evaluate", "-m", model, tmp_path / "empty", code=1).stderr


def test_a_broken_picture_is_a_failure_that_names_it(model, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no JPEG")
    assert "broken.jpg" in run("classify", "-m", model, broken, code=1).stderr
    out = tmp_path / "out.png"
    assert "broken.jpg" in run("visualize", "-m", model, broken, "-o", out, code=1).stderr
    assert not out.exists()


def test_model_comes_from_the_environment_or_the_working_folder(model, picture, tmp_path):
    assert "--model" in run("classify", picture, code=1, cwd=tmp_path).stderr
    assert run_json("classify", picture, TOKENSIEVE_MODEL=str(model))["model"] == str(model)
    (tmp_path / "weights").mkdir()
    shutil.copytree(model, tmp_path / "weights" / "vit_s14_imagenette")
    found = run_json("classify", picture, cwd=tmp_path)["model"]
    assert found == "weights/vit_s14_imagenette"


def test_a_weights_file_as_model_gets_the_command_that_converts_it(model, picture):
    text = run("classify", "-m", model / "model.safetensors", picture, code=1).stderr
    assert "tokensieve convert" in text


# --- classify -------------------------------------------------------------------------------------


def test_classify_reports_labels_tokens_macs_and_time(model, picture):
    report = run_json("classify", "-m", model, "--repeat", 2, picture)
    (image,) = report["images"]
    dense, sieved = image["runs"]
    assert dense["recipe"] == "dense" and sieved["recipe"] == "evit(keep=0.5, fuse)"
    assert dense["tokens"] == [16]
    assert sieved["tokens"][:2] == [16, 9]  # ceil(16 / 2) and the fused row
    assert len(sieved["tokens"]) == 4
    assert dense["macs_share"] == 1.0 and 0.0 < sieved["macs_share"] < 1.0
    for entry in (dense, sieved):
        assert entry["seconds"] > 0.0
        assert {guess["name"] for guess in entry["top"]} == set(LABELS)
        probabilities = [guess["probability"] for guess in entry["top"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert math.isclose(sum(probabilities), 1.0, abs_tol=1e-5)
    same = dense["top"][0]["label"] == sieved["top"][0]["label"]
    assert sieved["same_label"] == same
    assert report["summary"][1]["recipe_long"].startswith("score=cls_attention | select=top_k(0.5")


def test_classify_takes_folders_lists_batches_and_several_recipes(model, data, tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{data}/red/{i}.png\t2\n" for i in range(3)))
    options = ["-m", model, "--repeat", 1, "-r", "evit", "-r", "random(keep=0.5)"]
    single = run_json("classify", *options, listing, data / "blue")
    batched = run_json("classify", *options, "--batch", 4, listing, data / "blue")
    assert len(single["images"]) == 10
    for one, other in zip(single["images"], batched["images"]):
        assert one["image"] == other["image"]
        assert [run["recipe"] for run in one["runs"]] == ["dense", "evit", "random(keep=0.5)"]
        for a, b in zip(one["runs"], other["runs"]):
            assert a["tokens"] == b["tokens"] and a["macs"] == b["macs"]
            assert math.isclose(
                a["top"][0]["probability"], b["top"][0]["probability"], abs_tol=1e-5
            )


def test_classify_no_dense_runs_the_recipe_alone(model, picture):
    (image,) = run_json("classify", "-m", model, "--no-dense", picture)["images"]
    (only,) = image["runs"]
    assert only["recipe"] == "evit(keep=0.5, fuse)"
    assert only["macs_share"] < 1.0 and "speedup" not in only


def test_keep_changes_the_density_and_the_name(model, picture):
    (image,) = run_json("classify", "-m", model, "--keep", 0.25, picture)["images"]
    assert image["runs"][1]["recipe"] == "evit(keep=0.25, fuse)"
    assert image["runs"][1]["tokens"][1] == 5


def test_classify_text_is_plain_when_piped_and_fits_100_columns(model, data):
    done = run("classify", "-m", model, "--repeat", 1, data / "red", data / "green")
    assert "\x1b" not in done.stdout and done.stderr == ""
    assert max(map(len, done.stdout.replace(str(data), "data").splitlines())) <= 100
    assert "mean of 14" in done.stdout
    brief = run("classify", "-m", model, "--brief", "--repeat", 1, data / "red").stdout
    assert "tokens left" not in brief and "mean of 7" in brief


# --- visualize ------------------------------------------------------------------------------------


def is_png(path):
    return pathlib.Path(path).read_bytes().startswith(b"\x89PNG")


def test_visualize_writes_png_html_or_a_folder(model, data, tmp_path):
    one = data / "red" / "0.png"
    png, page, folder = tmp_path / "out.png", tmp_path / "out.html", tmp_path / "maps"
    assert run("visualize", "-m", model, one, "--out", png).stdout == f"wrote {png}\n"
    assert is_png(png)
    run("visualize", "-m", model, one, data / "blue" / "0.png", "--out", page)
    text = page.read_text()
    assert "<html" in text and "http://" not in text.replace("http://www.w3.org", "")
    files = run_json("visualize", "-m", model, one, data / "blue" / "0.png", "-o", folder)["files"]
    names = {pathlib.Path(name).name for name in files}
    assert names == {path.name for path in folder.iterdir()}
    blocks = {f"0{twin}_score_block{block}.png" for twin in ("", "_2") for block in (3, 6, 9)}
    assert names == blocks | {
        "0_strip.png", "0_2_strip.png", "0_dropped_at.png", "0_2_dropped_at.png", "index.html"
    }  # fmt: skip
    assert all(is_png(name) for name in files if name.endswith(".png"))


# --- evaluate -------------------------------------------------------------------------------------


def wilson(hits, n):
    p, scale = hits / n, 1 / (1 + Z * Z / n)
    half = scale * Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    middle = scale * (p + Z * Z / (2 * n))
    return [max(0, middle - half), min(1, middle + half)]


def agresti_min(gained, lost, n):
    b, c, n = gained + 0.5, lost + 0.5, n + 2
    half = Z * math.sqrt(b + c - (b - c) ** 2 / n) / n
    return [(b - c) / n - half, (b - c) / n + half]


def test_evaluate_equals_a_recount_of_its_predictions(model, data, tmp_path):
    predictions = tmp_path / "predictions.csv"
    report = run_json(
        "evaluate", "-m", model, "--recipes", "evit(keep=0.7)", "random(keep=0.3)", "--batch", 4,
        "--predictions", predictions, data,
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


def test_evaluate_agrees_with_classify(model, data, tmp_path):
    predictions = tmp_path / "predictions.csv"
    report = run_json(
        "evaluate", "-m", model, "-r", "evit(keep=0.5)", "--predictions", predictions, "--", data
    )
    shown = run_json("classify", "-m", model, "-r", "evit(keep=0.5)", "--repeat", 1, data)
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


def test_sweep_runs_each_density(model, data):
    report = run_json("evaluate", "-m", model, "--sweep", "0.9..0.7", "--limit", 6, data)
    names = [f"evit(keep={keep}, fuse)" for keep in (0.9, 0.8, 0.7)]
    assert [entry["name"] for entry in report["recipes"]] == ["dense", *names]
    assert report["images"] == 6
    macs = [entry["macs"] for entry in report["recipes"]]
    assert macs == sorted(macs, reverse=True)
    for text in ("0.9", "0.9..", "0.9..0.2:0", "a..b", "1..0:0.000001"):
        assert "[sweep]" in run("evaluate", "-m", model, "--sweep", text, data, code=2).stderr


def test_evaluate_csv_and_text_show_the_same_numbers(model, data):
    arguments = ["evaluate", "-m", model, "--recipes", "evit(keep=0.7)", "--", data]
    rows = list(csv.DictReader(io.StringIO(run("evaluate", "--csv", *arguments[1:]).stdout)))
    assert [row["name"] for row in rows] == ["dense", "evit(keep=0.7)"]
    text = run(*arguments).stdout
    for row in rows:
        assert f"{100 * float(row['top1']):.2f}" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "\x1b" not in text


def test_a_broken_picture_stops_evaluate_or_is_skipped_and_counted(model, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "red" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    arguments = ["evaluate", "-m", model, "--limit", 21, tmp_path / "data"]
    stopped = run(*arguments, code=1).stderr
    assert "3.png" in stopped and "--skip-broken" in stopped
    done = run(*arguments, "--skip-broken", "--json")
    report = json.loads(done.stdout)
    assert report["images"] == 20 and report["skipped"] == 1
    assert "3.png" in done.stderr


def test_class_folders_are_matched_by_name(model, tmp_path):
    for name in ("Red", "green"):  # two of three classes, in another order, one in capitals
        write_picture(tmp_path / "data" / name / "a.png")
    predictions = tmp_path / "predictions.csv"
    run("evaluate", "-m", model, "--predictions", predictions, tmp_path / "data")
    with predictions.open(newline="") as file:
        labels = {pathlib.Path(row["image"]).parent.name: row["label"] for row in csv.DictReader(file)}
    assert labels == {"Red": "2", "green": "1"}
    write_picture(tmp_path / "data" / "gren" / "a.png")
    text = run("evaluate", "-m", model, tmp_path / "data", code=1).stderr
    assert "'gren' (did you mean 'green'?)" in text


def test_lists_need_labels_that_the_model_has(model, tmp_path):
    write_picture(tmp_path / "a.png")
    listing = tmp_path / "list.txt"
    listing.write_text("a.png\n")
    assert "a.png has no label" in run("evaluate", "-m", model, listing, code=1).stderr
    listing.write_text("a.png\t3\n")
    assert "label 3" in run("evaluate", "-m", model, listing, code=1).stderr


# --- info, convert, completion --------------------------------------------------------------------


def test_info_shows_the_model_and_what_recipes_cost(model, picture):
    info = run_json("info", model, "--recipe", "evit(mass=0.9)")
    assert (info["depth"], info["embed_dim"], info["num_classes"]) == (10, 64, 3)
    assert info["labels"] == LABELS and info["recipe"] == "evit(keep=0.5, fuse)"
    dense, sieved, mass = info["recipes"]
    assert dense["tokens_per_layer"] == [17] * 10
    assert sieved["fixed"] and not mass["fixed"]
    (image,) = run_json("classify", "-m", model, "--repeat", 1, picture)["images"]
    assert [run["macs"] for run in image["runs"]] == [dense["macs"], sieved["macs"]]
    text = run("info", model).stdout
    assert "10 blocks" in text and "evit(keep=0.5, fuse)" in text


def test_info_of_a_lone_file_shows_its_tensors(model):
    info = run_json("info", model / "model.safetensors")
    folder = run_json("info", model)
    assert info["parameters"] == folder["parameters"]
    assert info["tensors"]["head.weight"] == {"dtype": "F32", "shape": [3, 64]}
    (model.parent / "bad.safetensors").write_bytes(b"\xff" * 20)
    assert "bad.safetensors" in run("info", model.parent / "bad.safetensors", code=1).stderr


def test_convert_round_trips(model, picture, tmp_path):
    copy, small = tmp_path / "copy", tmp_path / "small"
    run("convert", model, "--out", copy)
    first = run_json("classify", "-m", model, "--repeat", 1, picture)["images"][0]["runs"]
    again = run_json("classify", "-m", copy, "--repeat", 1, picture)["images"][0]["runs"]
    assert [entry["top"] for entry in first] == [entry["top"] for entry in again]
    run("convert", copy, "--out", small, "--dtype", "bf16", "--recipe", "evit(mass=0.9)")
    assert run_json("info", small)["recipe"] == "evit(mass=0.9)"
    ratio = (small / "model.safetensors").stat().st_size / (copy / "model.safetensors").stat().st_size
    assert ratio < 0.6
    assert "copy" in run("convert", model, "--out", copy, code=1).stderr  # it exists


def test_convert_of_a_file_needs_an_architecture(model, tmp_path):
    file = model / "model.safetensors"
    assert "--architecture" in run("convert", file, "--out", tmp_path / "x", code=2).stderr
    options = ["--out", tmp_path / "x", "--architecture", "vit_smal_patch"]
    assert run("convert", model, *options, code=2)
    done = run_json("convert", file, "--out", tmp_path / "x", "--architecture", "test_vit")
    assert (tmp_path / "x" / "config.json").exists() and done["bytes"] > 0


def test_bash_completes_commands_options_and_recipes(tmp_path):
    if shutil.which("bash") is None:
        pytest.fail("bash is needed for this test")
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash").stdout)

    def complete(*words):
        typed = " ".join(f"'{word}'" for word in words)
        ask = f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _tokensieve"
        done = subprocess.run(
            ["bash", "-c", ask + '; echo "${COMPREPLY[@]}"'], capture_output=True, text=True
        )
        return done.stdout.split()

    assert complete("tokensieve", "cl") == ["classify"]
    assert complete("tokensieve", "evaluate", "--sw") == ["--sweep"]
    assert "evit" in complete("tokensieve", "classify", "--recipe", "e")
