"""Input that is off: names and texts of other bytes, arrays of other kinds, folders that cannot be written."""

import json
import os
import resource
import shutil
import subprocess

import numpy as np
import pytest
import tokensieve as ts
from command import program, run, run_json
from PIL import Image
from safetensors.numpy import load_file, save_file
from text_data import make_texts, write_text_model, write_texts
from tiny_model import write_picture, write_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("odd") / "model")


@pytest.fixture
def picture(tmp_path):
    return write_picture(tmp_path / "picture.png")


@pytest.mark.parametrize("start", ["", "n", "nn"])
def test_messages_end_between_characters(tmp_path, start):
    (tmp_path / "a.tsv").write_text(f"label\ttext\n{start}{'é' * 200}\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="é"):
        ts.read_text_dataset(tmp_path / "a.tsv")


def test_messages_may_quote_bytes_that_are_no_utf8(tmp_path, folder):
    (tmp_path / "a.tsv").write_bytes(b"label\ttext\nn\xe9\n")
    with pytest.raises(RuntimeError, match="n\ufffd"):
        ts.read_text_dataset(tmp_path / "a.tsv")
    with pytest.raises(RuntimeError, match="n\ufffd.jpg"):
        ts.load(folder)(os.fsdecode(os.fsencode(tmp_path) + b"/n\xe9.jpg"))


def test_a_picture_of_any_name_is_drawn(tmp_path, folder):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/t\xe9nch.jpg")
    write_picture(name)
    result = ts.load(folder)(name, recipe="evit(keep=0.5)")
    assert result.strip().ndim == 3 and result._repr_html_()
    result.save(tmp_path / "a.html")
    assert "t\ufffdnch.jpg" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_arrays_of_other_kinds_are_refused(folder):
    model = ts.load(folder)
    for wrong in (np.zeros((20, 20, 3), np.float32), np.zeros((20, 20, 3)), np.zeros((3, 20, 20), np.float32)):
        with pytest.raises(ValueError, match=r"expected uint8 \[height, width, 3\]"):
            model.preprocess(wrong)


def test_grey_pictures_of_16_bits_are_read_alike(tmp_path, folder):
    values = np.arange(0, 65536, 64, dtype=np.uint16)[: 32 * 32].reshape(32, 32)
    Image.fromarray(values).save(tmp_path / "grey.png")
    model = ts.load(folder)
    of_file, of_pil = (model.preprocess(x) for x in (tmp_path / "grey.png", Image.open(tmp_path / "grey.png")))
    np.testing.assert_array_equal(of_file, of_pil)


def test_a_plot_is_written_whole_or_not_at_all(tmp_path, folder, image_folder):
    table = ts.evaluate(ts.load(folder), image_folder, ["evit(keep=0.5)"], rounds=0, progress=False)
    target = tmp_path / "plot.svg"
    table.plot(target)
    before = target.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(RuntimeError, match="plot.svg"):
            table.plot(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == before and os.listdir(tmp_path) == ["plot.svg"]


def test_many_long_names_leave_a_plot_its_height(tmp_path, folder, image_folder):
    model = ts.load(folder)
    recipes = [f"random(keep=0.5, seed={1000000000 + seed})" for seed in range(24)]
    few, many = (ts.evaluate(model, image_folder, r, rounds=0, progress=False).plot() for r in (recipes[:1], recipes))
    assert many.shape[0] > few.shape[0] and many.shape[1] == few.shape[1]


def test_calibration_finds_its_folder_from_anywhere(tmp_path, monkeypatch, image_folder):
    write_tiny_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    model = ts.load("model")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ts.calibrate(model, image_folder, "evit(keep=0.5)", 0.5, repeat=0, progress=False)
    assert len(ts.load(tmp_path / "model").calibrations) == 1


def test_a_pair_of_a_recipe_and_a_model_needs_no_list(folder, image_folder):
    model, other = ts.load(folder), ts.load(folder)
    table = ts.evaluate(model, image_folder, ("evit(keep=0.5)", other), rounds=0, progress=False)
    assert [row.name for row in table] == ["dense", f"evit(keep=0.5)@{folder}"]


def test_pairs_of_texts_are_tuples(tmp_path):
    write_text_model(tmp_path / "texts")
    model = ts.load(tmp_path / "texts")
    with pytest.raises(ValueError, match="a pair of texts as a tuple"):
        model([["ba", "be"]])


def test_classify_refuses_a_model_without_a_classifier(tmp_path, folder):
    headless = tmp_path / "headless"
    shutil.copytree(folder, headless)
    config = json.loads((headless / "config.json").read_text())
    config["num_classes"] = config["model_args"]["num_classes"] = 0
    config.pop("label_names", None)
    (headless / "config.json").write_text(json.dumps(config))
    weights = load_file(headless / "model.safetensors")
    save_file({k: v for k, v in weights.items() if not k.startswith("head.")}, headless / "model.safetensors")
    picture = write_picture(tmp_path / "a.jpg")
    assert "[classify]" in run("classify", "-m", headless, picture, code=1).stderr
    assert run_json("info", headless)["num_classes"] == 0


def test_spreadsheets_mark_their_utf8(tmp_path):
    write_text_model(tmp_path / "weights" / "minilm_sst2")
    write_texts(tmp_path / "texts.tsv", make_texts(4))
    (tmp_path / "TEXTS.TSV").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "texts.tsv").read_bytes())
    assert run_json("evaluate", "TEXTS.TSV", "--rounds", "0", cwd=tmp_path)["texts"] == 4
    marked, plain = (ts.read_text_dataset(tmp_path / name) for name in ("TEXTS.TSV", "texts.tsv"))
    assert list(marked.texts) == list(plain.texts) and list(marked.labels) == list(plain.labels)
    write_picture(tmp_path / "a.jpg")
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.jpg\t0\n")
    assert run_json("classify", "-m", write_tiny_model(tmp_path / "model"), tmp_path / "list.txt")["images"]
    (tmp_path / "glue.tsv").write_text("sentence\tlabel\ngood\t1\n")
    said = run("evaluate", "glue.tsv", "-m", tmp_path / "model", code=1, cwd=tmp_path).stderr
    assert "begins with the line label<TAB>text" in said


def test_options_that_would_do_nothing_are_refused(tmp_path, folder, image_folder):
    picture = write_picture(tmp_path / "a.jpg")
    page = ["visualize", "-m", folder, "--recipe", "evit(keep=0.5)", "--out", tmp_path / "a.html", picture]
    for option in (["--colormap", "cividis"], ["--magnify", "4"], ["--no-maps"]):
        assert "are for PNG files and folders" in run(*page, *option, code=2).stderr
    command = ["calibrate", image_folder, "-m", folder, "--recipe", "evit(keep=0.5)", "--max-length", "7"]
    assert "--max-length is for text models" in run(*command, code=2).stderr
    assert "--architecture is for" in run("info", folder, "--architecture", "x", code=2).stderr
    weights = folder / "model.safetensors"
    assert "--recipe needs a model folder" in run("info", weights, "--recipe", "evit", code=2).stderr


def test_outputs_are_checked_ahead_of_the_work(tmp_path, folder, image_folder):
    picture = write_picture(tmp_path / "a.jpg")
    drawn = ["visualize", "-m", folder, "--recipe", "evit(keep=0.5)", picture, "--out"]
    assert "there is no folder" in run(*drawn, tmp_path / "none" / "a.html", code=1).stderr
    same = ["--csv", tmp_path / "x.csv", "--predictions", tmp_path / "x.csv"]
    said = run("evaluate", image_folder, "-m", folder, "--recipes", "evit(keep=0.5)", *same, code=2).stderr
    assert "expected a file of its own for each output" in said


def test_convert_refuses_a_recipe_that_cannot_run(tmp_path, folder):
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "sieve.json").write_text('{"recipe": "nonsense(3)"}')
    assert "nonsense" in run("convert", broken, "--out", tmp_path / "out", code=2).stderr
    assert not (tmp_path / "out").exists()


def test_broken_pictures_are_left_out_on_demand(tmp_path, folder):
    for name in ("a", "c"):
        write_picture(tmp_path / "in" / f"{name}.png")
    (tmp_path / "in" / "b.jpg").write_bytes(b"no picture")
    for command in (["classify", "--repeat", "1", "--json"], ["visualize", "--json", "--out", tmp_path / "kept.html"]):
        arguments = [*command, "-m", folder, "--recipe", "evit(keep=0.5)", tmp_path / "in"]
        stopped = run(*arguments, code=1).stderr
        assert "b.jpg" in stopped and "; --skip-broken goes on" in stopped
        done = run(*arguments, "--skip-broken")
        assert "note: left out: " in done.stderr and "b.jpg" in done.stderr
    found = run_json("classify", "--repeat", "1", "--json", "-m", folder, "--skip-broken", tmp_path / "in")["images"]
    assert [os.path.basename(image["image"]) for image in found] == ["a.png", "c.png"]
    (tmp_path / "none").mkdir()
    shutil.move(tmp_path / "in" / "b.jpg", tmp_path / "none")
    for command in (["classify"], ["visualize", "--out", tmp_path / "none.html"]):
        words = [program(), *command, "-m", folder, "--skip-broken", tmp_path / "none"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 1 and "none of the pictures can be read" in done.stderr


def test_outputs_are_tried_before_the_work(tmp_path, folder, image_folder):
    (tmp_path / "file").touch()
    for option in ("--csv", "--predictions"):
        said = run("evaluate", "-m", folder, image_folder, option, tmp_path / "file" / "a.csv", code=1)
        assert "there is no folder" in said.stderr and not said.stdout
    said = run("evaluate", "-m", folder, image_folder, "--csv", "/proc/a.csv", code=1)
    assert "[write] cannot create a file beside /proc/a.csv" in said.stderr and not said.stdout
    assert os.listdir(tmp_path) == ["file"]


def test_a_calibration_is_not_replaced_unseen(tmp_path, folder, image_folder):
    shutil.copytree(folder, tmp_path / "model")
    arguments = ["calibrate", image_folder, "-m", tmp_path / "model", "--recipe", "evit(keep=0.5)", "--no-latency"]
    assert "replaces" not in run(*arguments, "--sweep", "0.9..0.8").stderr
    assert "note: this replaces the calibration on 21 samples" in run(*arguments, "--sweep", "0.9..0.8").stderr


def test_pickles_are_sent_to_their_converter_at_once(tmp_path, picture):
    (tmp_path / "a.pth").write_bytes(b"x")
    for command in (["classify", "-m", tmp_path / "a.pth", picture], ["convert", tmp_path / "a.pth", "--out", tmp_path / "b"]):
        said = run(*command, code=1).stderr
        assert "convert it with python -m tokensieve.convert" in said and "--architecture" not in said


def test_arguments_of_other_types_are_named(folder, picture):
    model = ts.load(folder)
    for arguments, message in [
        ({"macs": "2G"}, "expected a number for macs, got '2G'"),
        ({"keep": "0.5"}, "expected a number for keep, got '0.5'"),
        ({"recipe": 5}, "expected a Recipe or its text, got int"),
    ]:
        with pytest.raises(TypeError, match=message):
            model(picture, **arguments)
    with pytest.raises(TypeError, match="got list"):
        model.within(["evit"], agree=0.9)


def test_endings_of_files_may_be_capitals(tmp_path, folder, picture):
    result = ts.load(folder)(picture, recipe="evit(keep=0.5)")
    for name in ("a.PNG", "a.HTML"):
        result.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    with pytest.raises(RuntimeError, match="/no/such"):
        result.save("/no/such/a.html")
