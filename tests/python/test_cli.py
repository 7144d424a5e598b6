"""The program `tokensieve`: its commands but `evaluate`, which has a file of its own."""

import math
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from command import program, run, run_json
from conftest import ROOT
from safetensors.numpy import save_file
from text_data import make_texts, write_exits, write_text_model, write_texts
from tiny_model import LABELS, write_masked_model, write_picture

COMMANDS = ["classify", "visualize", "evaluate", "calibrate", "info", "convert", "completion"]


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


def test_every_example_in_the_docs_runs(tiny_folder, image_folder, tmp_path):
    text = (pathlib.Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 18
    for name in ("vit_s14_imagenette", "vit_s14_imagenette_dense"):
        shutil.copytree(tiny_folder, tmp_path / "weights" / name)
    shutil.copy(tiny_folder / "model.safetensors", tmp_path / "deit_s.safetensors")
    shutil.copytree(image_folder, tmp_path / "DATA")
    write_picture(tmp_path / "demos" / "images" / "tench.jpg")
    for name in ("evit", "sait"):
        shutil.copytree(tiny_folder, tmp_path / "runs" / name / "model")
    for name in ("DIR", "weights/minilm_sst2"):
        write_exits(write_text_model(tmp_path / name))
    for name in ("test.tsv", "reviews.tsv"):
        write_texts(tmp_path / name, make_texts(8))
    (tmp_path / "reviews.txt").write_text("\n".join(make_texts(30)))
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
        (["evaluate", "--plot", "a.pdf", "x"], "--plot"),
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
def test_wrong_recipes_are_bad_usage(tiny_folder, picture, options, says):
    assert says in run("classify", "--model", tiny_folder, *options, picture, code=2).stderr


# --- files ----------------------------------------------------------------------------------------


def test_missing_files_are_failures_that_suggest_a_name(tiny_folder, picture):
    folder = picture.parent
    assert "did you mean" in run("classify", "-m", tiny_folder, folder / "tilse.png", code=1).stderr
    assert "did you mean" in run("classify", "-m", f"{tiny_folder}y", picture, code=1).stderr
    assert "no/such" in run("evaluate", "-m", tiny_folder, "no/such", code=1).stderr
    assert "nothing" in run("info", folder / "nothing", code=1).stderr
    assert "nothing" in run("convert", folder / "nothing", "--out", "x", code=1).stderr


def test_a_folder_without_pictures_is_a_failure(tiny_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in run("classify", "-m", tiny_folder, tmp_path / "empty", code=1).stderr
    assert "empty" in run("evaluate", "-m", tiny_folder, tmp_path / "empty", code=1).stderr


def test_a_broken_picture_is_a_failure_that_names_it(tiny_folder, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no JPEG")
    assert "broken.jpg" in run("classify", "-m", tiny_folder, broken, code=1).stderr
    out = tmp_path / "out.png"
    assert "broken.jpg" in run("visualize", "-m", tiny_folder, broken, "-o", out, code=1).stderr
    assert not out.exists()


def test_model_comes_from_the_environment_or_the_working_folder(tiny_folder, picture, tmp_path):
    assert "--model" in run("classify", picture, code=1, cwd=tmp_path).stderr
    found = run_json("classify", picture, TOKENSIEVE_MODEL=str(tiny_folder))
    assert found["model"] == str(tiny_folder)
    (tmp_path / "weights").mkdir()
    shutil.copytree(tiny_folder, tmp_path / "weights" / "vit_s14_imagenette")
    found = run_json("classify", picture, cwd=tmp_path)["model"]
    assert found == "weights/vit_s14_imagenette"
    assert "weights/minilm_sst2; pass --model" in run("classify", "--text", "ba", code=1, cwd=tmp_path).stderr
    write_text_model(tmp_path / "weights" / "minilm_sst2")
    assert run_json("classify", "--text", "ba", cwd=tmp_path)["model"] == "weights/minilm_sst2"
    assert "weights/minilm_sst2" in run_json("visualize", "--text", "ba", "--out", "a.html", cwd=tmp_path)["model"]
    write_texts(tmp_path / "texts.tsv", make_texts(4))
    for command in ("evaluate texts.tsv --rounds 0", "calibrate texts.tsv --recipe ltp(threshold=0.01) --no-latency --sweep 0.01..0.02:0.01"):
        assert run_json(*command.split(), cwd=tmp_path)["model"] == "weights/minilm_sst2"


def test_a_weights_file_as_model_gets_the_command_that_converts_it(tiny_folder, picture):
    text = run("classify", "-m", tiny_folder / "model.safetensors", picture, code=1).stderr
    assert "tokensieve convert" in text


# --- classify -------------------------------------------------------------------------------------


def test_classify_reports_labels_tokens_macs_and_time(tiny_folder, picture):
    report = run_json("classify", "-m", tiny_folder, "--repeat", 2, picture)
    (image,) = report["images"]
    dense, sieved = image["runs"]
    assert dense["name"] == "dense" and sieved["name"] == "evit(keep=0.5, fuse)"
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
    assert report["summary"][1]["recipe"].startswith("score=cls_attention | select=top_k(0.5")


def test_classify_takes_folders_lists_batches_and_several_recipes(
    tiny_folder, image_folder, tmp_path
):
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{image_folder}/red/{i}.png\t2\n" for i in range(3)))
    options = ["-m", tiny_folder, "--repeat", 1, "-r", "evit", "-r", "random(keep=0.5)"]
    single = run_json("classify", *options, listing, image_folder / "blue")
    batched = run_json("classify", *options, "--batch", 4, listing, image_folder / "blue")
    assert len(single["images"]) == 10
    for one, other in zip(single["images"], batched["images"]):
        assert one["image"] == other["image"]
        assert [run["name"] for run in one["runs"]] == ["dense", "evit", "random(keep=0.5)"]
        for a, b in zip(one["runs"], other["runs"]):
            assert a["tokens"] == b["tokens"] and a["macs"] == b["macs"]
            assert math.isclose(
                a["top"][0]["probability"], b["top"][0]["probability"], abs_tol=1e-5
            )


def test_classify_no_dense_runs_the_recipe_alone(tiny_folder, picture):
    (image,) = run_json("classify", "-m", tiny_folder, "--no-dense", picture)["images"]
    (only,) = image["runs"]
    assert only["name"] == "evit(keep=0.5, fuse)"
    assert only["macs_share"] < 1.0 and "speedup" not in only


def test_keep_changes_the_density_and_the_name(tiny_folder, picture):
    (image,) = run_json("classify", "-m", tiny_folder, "--keep", 0.25, picture)["images"]
    assert image["runs"][1]["name"] == "evit(keep=0.25, fuse)"
    assert image["runs"][1]["tokens"][1] == 5


def test_classify_text_is_plain_when_piped_and_fits_100_columns(tiny_folder, image_folder):
    folders = [image_folder / "red", image_folder / "green"]
    done = run("classify", "-m", tiny_folder, "--repeat", 1, *folders)
    assert "\x1b" not in done.stdout and done.stderr == ""
    assert max(map(len, done.stdout.replace(str(image_folder), "data").splitlines())) <= 100
    assert "mean of 14" in done.stdout
    brief = run("classify", "-m", tiny_folder, "--brief", "--repeat", 1, image_folder / "red").stdout
    assert "tokens left" not in brief and "mean of 7" in brief


# --- visualize ------------------------------------------------------------------------------------


def is_png(path):
    return pathlib.Path(path).read_bytes().startswith(b"\x89PNG")


def test_visualize_writes_png_html_or_a_folder(tiny_folder, image_folder, tmp_path):
    one = image_folder / "red" / "0.png"
    png, page, folder = tmp_path / "out.png", tmp_path / "out.html", tmp_path / "maps"
    assert run("visualize", "-m", tiny_folder, one, "--out", png).stdout == f"wrote {png}\n"
    assert is_png(png)
    run("visualize", "-m", tiny_folder, one, image_folder / "blue" / "0.png", "--out", page)
    text = page.read_text()
    assert "<html" in text and "http://" not in text.replace("http://www.w3.org", "")
    pictures = [one, image_folder / "blue" / "0.png"]
    files = run_json("visualize", "-m", tiny_folder, *pictures, "-o", folder)["files"]
    names = {pathlib.Path(name).name for name in files}
    assert names == {path.name for path in folder.iterdir()}
    blocks = {f"0{twin}_score_block{block}.png" for twin in ("", "_2") for block in (3, 6, 9)}
    assert names == blocks | {
        "0_strip.png", "0_2_strip.png", "0_dropped_at.png", "0_2_dropped_at.png", "index.html"
    }  # fmt: skip
    assert all(is_png(name) for name in files if name.endswith(".png"))


def test_a_limit_on_threads_takes_nothing_from_the_work():
    words = ["classify", "-m", ROOT / "weights" / "vit_s14_imagenette", ROOT / "demos" / "images" / "golf_ball.jpg"]
    answers = []
    for environment in ({}, {"OMP_THREAD_LIMIT": "1"}, {"OMP_DYNAMIC": "true"}):
        [picture] = run_json(*words, **environment)["images"]
        answers.append({guess["name"]: guess["probability"] for guess in picture["runs"][0]["top"]})
    assert max(answers[0], key=answers[0].get) == "golf ball"
    for answer in answers[1:]:
        assert answer == pytest.approx(answers[0], abs=1e-4)


def test_two_sites_of_a_block_have_a_score_map_each(tiny_folder, picture, tmp_path):
    recipe = "score=cls_attention | select=top_k(0.7, of=present, round=ceil) | drop=gone | at=before:3, after_attention:3"
    files = run_json("visualize", "-m", tiny_folder, "--recipe", recipe, picture, "-o", tmp_path / "maps")["files"]
    names = [pathlib.Path(name).name for name in files if "_score_" in name]
    assert [name.split("_score_")[1] for name in names] == ["block3_before.png", "block3_after_attention.png"]


def test_control_characters_of_files_do_not_reach_the_terminal(tiny_folder, picture, tmp_path):
    evil = tmp_path / "a\x1b]0;title\x07b\u009b.png"
    shutil.copy(picture, evil)
    save_file({"x": np.zeros(2, np.float32)}, tmp_path / "x.safetensors", {"note": "\x1b[2J\u009bx"})
    for words in (
        ["classify", "-m", tiny_folder, evil],
        ["classify", "-m", tiny_folder, "--brief", evil],
        ["info", tmp_path / "x.safetensors"],
    ):
        shown = run(*words).stdout
        assert "\\x1b" in shown and not set("\x1b\x07\u009b") & set(shown), words
    long = tmp_path / (150 * "x" + "_end.png")
    shutil.copy(picture, long)
    assert "_end.png" in run("classify", "-m", tiny_folder, "--brief", long).stdout


def test_visualize_without_times_writes_the_same_files_every_time(tiny_folder, picture, tmp_path):
    options = ["-m", tiny_folder, "--recipe", "ats(keep=0.7)", "--no-times", picture]
    for name in ("a.png", "b.png", "a.html", "b.html"):
        run("visualize", *options, "--out", tmp_path / name)
    for kind in ("png", "html"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    run("visualize", *options, "--no-maps", "--out", tmp_path / "small.png")
    with Image.open(tmp_path / "a.png") as full, Image.open(tmp_path / "small.png") as small:
        assert small.height < full.height


def test_masked_heads_are_drawn_and_listed(tiny_folder, picture, tmp_path):
    masks = {"heads": [[0], [], [0, 1]] + 7 * [[]], "rows": 1, "columns": 1, "kind": "hard", "sees_prefix": True}
    masked = write_masked_model(tiny_folder, tmp_path / "masked", masks)

    files = run_json("visualize", "-m", masked, "-o", tmp_path / "maps", picture)["files"]
    assert sum(name.endswith("_masks.png") for name in files) == 1
    plain, drawn = tmp_path / "plain.png", tmp_path / "drawn.png"
    run("visualize", "-m", tiny_folder, "-o", plain, picture)
    run("visualize", "-m", masked, "-o", drawn, picture)
    with Image.open(plain) as without, Image.open(drawn) as with_masks:
        assert with_masks.height > without.height + 300
    run("visualize", "-m", masked, "-o", tmp_path / "page.html", picture)
    assert "<h3>masked heads</h3>" in (tmp_path / "page.html").read_text()

    assert run_json("info", masked)["attention_masks"] == masks
    assert run_json("info", tiny_folder)["attention_masks"] is None
    assert "1 0 2 0 0 0 0 0 0 0 in blocks 0 to 9, 3 x 3 patches, hard" in run("info", masked).stdout

    masks["heads"] = 10 * [[0, 1]]
    masked = write_masked_model(tiny_folder, tmp_path / "more", masks)
    [dense] = run_json("classify", "-m", masked, "--recipe", "dense", picture)["images"][0]["runs"]
    assert dense["macs_share"] == 1


# --- info, convert, completion --------------------------------------------------------------------


def test_info_shows_the_model_and_what_recipes_cost(tiny_folder, picture):
    info = run_json("info", tiny_folder, "--recipe", "evit(mass=0.9)")
    assert (info["depth"], info["embed_dim"], info["num_classes"]) == (10, 64, 3)
    assert info["labels"] == LABELS and info["recipe"] == "evit(keep=0.5, fuse)"
    dense, sieved, mass = info["recipes"]
    assert dense["tokens_per_layer"] == [17] * 10
    assert sieved["fixed"] and not mass["fixed"]
    (image,) = run_json("classify", "-m", tiny_folder, "--repeat", 1, picture)["images"]
    assert [run["macs"] for run in image["runs"]] == [dense["macs"], sieved["macs"]]
    text = run("info", tiny_folder).stdout
    assert "10 blocks" in text and "evit(keep=0.5, fuse)" in text


def test_info_of_a_lone_file_shows_its_tensors(tiny_folder):
    info = run_json("info", tiny_folder / "model.safetensors")
    folder = run_json("info", tiny_folder)
    assert info["parameters"] == folder["parameters"]
    assert info["tensors"]["head.weight"] == {"dtype": "F32", "shape": [3, 64]}
    (tiny_folder.parent / "bad.safetensors").write_bytes(b"\xff" * 20)
    assert "bad.safetensors" in run("info", tiny_folder.parent / "bad.safetensors", code=1).stderr


def test_convert_round_trips(tiny_folder, picture, tmp_path):
    copy, small = tmp_path / "copy", tmp_path / "small"
    run("convert", tiny_folder, "--out", copy)
    first = run_json("classify", "-m", tiny_folder, "--repeat", 1, picture)["images"][0]["runs"]
    again = run_json("classify", "-m", copy, "--repeat", 1, picture)["images"][0]["runs"]
    assert [entry["top"] for entry in first] == [entry["top"] for entry in again]
    run("convert", copy, "--out", small, "--dtype", "bf16", "--recipe", "evit(mass=0.9)")
    assert run_json("info", small)["recipe"] == "evit(mass=0.9)"
    ratio = (small / "model.safetensors").stat().st_size / (copy / "model.safetensors").stat().st_size
    assert ratio < 0.6
    assert "copy" in run("convert", tiny_folder, "--out", copy, code=1).stderr  # it exists


def test_convert_of_a_file_needs_an_architecture(tiny_folder, tmp_path):
    file = tiny_folder / "model.safetensors"
    assert "--architecture" in run("convert", file, "--out", tmp_path / "x", code=2).stderr
    options = ["--out", tmp_path / "x", "--architecture", "vit_smal_patch"]
    assert run("convert", tiny_folder, *options, code=2)
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
