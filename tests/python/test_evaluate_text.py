"""ts.evaluate, ts.calibrate and the pictures of text models."""

import json

import numpy as np
import pytest
import tokensieve as ts
from command import run_json
from text_data import RECIPE, make_texts, write_exits, write_text_model, write_texts

TEXTS = make_texts(24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_text_model(tmp_path_factory.mktemp("text") / "model")


@pytest.fixture(scope="module")
def model(folder):
    return ts.load(folder, threads=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "texts.tsv"
    write_texts(path, TEXTS)
    return path


def evaluate(*arguments, **options):
    return ts.evaluate(*arguments, **{"progress": False, "rounds": 0} | options)


# --- evaluate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [False, True])
def test_evaluate_gives_what_the_program_gives(model, folder, data, tmp_path, pairs):
    """The same rows under the same names, buckets and truncation among them; times aside."""
    if pairs:
        data = tmp_path / "pairs.jsonl"
        write_texts(data, list(zip(make_texts(20, 1), make_texts(20, 2))))
    recipes = [RECIPE, "random(keep=0.5, sites=1/2)"]
    for options, keywords in (
        (["--truncate", "equal", "9"], {"truncate": ["equal", 9]}),
        (["--buckets", "16", "32", "--max-length", "40"], {"buckets": [16, 32], "max_length": 40}),
    ):
        report = run_json(
            "evaluate", "-m", folder, "--rounds", 1, *options, "--recipes", *recipes, "--", data
        )
        table = evaluate(model, data, recipes, rounds=1, batch=5, **keywords)
        assert table.sample == "text"
        for mine, theirs in zip(json.loads(table.to_json()), report["recipes"], strict=True):
            assert list(mine) == list(theirs)
            for speed, other in zip(mine.pop("speeds"), theirs.pop("speeds"), strict=True):
                assert list(speed) == list(other)
                assert speed["mac_gain"] == pytest.approx(other["mac_gain"])
            for bucket, other in zip(mine.pop("buckets"), theirs.pop("buckets"), strict=True):
                assert list(bucket) == list(other)
                for key, value in other.items():
                    assert bucket[key] == pytest.approx(value), key
            for key, value in theirs.items():
                assert mine[key] == (value if isinstance(value, str) else pytest.approx(value)), key


def test_a_table_of_texts_prints_its_lengths(model, data):
    table = evaluate(model, data, RECIPE, truncate=12, rounds=1)
    accuracy, lengths, speed, tokens = str(table).split("\n\n")
    assert "tokens=12" in accuracy and speed.startswith("texts/s")
    assert len(lengths.splitlines()) == 1 + 3 * 4
    assert "buckets" not in table.to_csv()


def test_a_baseline_of_texts_and_its_limits(model, data, tmp_path, tiny):
    other = ts.load(write_text_model(tmp_path / "other", seed=5))
    table = evaluate(model, data, RECIPE, baseline=other, limit=9)
    assert [row.name for row in table] == ["dense", "all tokens", RECIPE]
    assert table[0].correct == evaluate(other, data, "dense", limit=9)[0].correct
    with pytest.raises(ValueError, match="expected a model of texts"):
        evaluate(model, data, baseline=tiny)


def test_evaluate_explains_what_it_cannot_do_with_texts(model, data, tiny, image_folder, tmp_path):
    for options, cause in (
        ({"truncate": "some"}, "expected 'equal' or 4 tokens or more"),
        ({"truncate": 3}, "4 tokens or more, got 3"),
        ({"buckets": [9, 9]}, "expected buckets that rise"),
        ({"max_length": 513}, "a max_length of 4 to 512 tokens, got 513"),
    ):
        with pytest.raises(ValueError, match=cause):
            evaluate(model, data, RECIPE, **options)
    with pytest.raises(ValueError, match="are for text models"):
        evaluate(tiny, image_folder, truncate=9)
    unlabelled = tmp_path / "unlabelled.jsonl"
    unlabelled.write_text('{"text": "ba", "label": 1}\n{"text": "be"}\n')
    with pytest.raises(RuntimeError, match="text 2 of .* has no label"):
        evaluate(model, unlabelled)
    beyond = tmp_path / "beyond.tsv"
    beyond.write_text("label\ttext\n3\tbe\n")
    with pytest.raises(RuntimeError, match="has label 3, but the model has 3 classes"):
        evaluate(model, beyond)
    tokens = ts.load(write_text_model(tmp_path / "tokens", task="ForTokenClassification"))
    with pytest.raises(ValueError, match="expected a model with a label for a text"):
        evaluate(tokens, data)
    many = ts.load(write_text_model(tmp_path / "many", words=[f"w{i}" for i in range(1200)]))
    with pytest.raises(RuntimeError, match="a vocabulary of at most 1000 entries"):
        evaluate(many, data)


def test_texts_that_exit_early_cost_what_they_ran(data, tmp_path):
    folder = write_exits(write_text_model(tmp_path / "exits"))
    model, recipe = ts.load(folder), "pabee(patience=1)"
    result = model(TEXTS, recipe=recipe)
    assert (result.exit_layers >= 0).any()
    table = evaluate(model, data, recipe)
    assert table[1].macs == pytest.approx(result.macs.mean()) and table[1].macs < table[0].macs
    assert table[1].tokens_per_layer == pytest.approx(result.tokens_per_layer.mean(axis=0).tolist())
    options = ["--rounds", 0, "--recipes", recipe, "--", data]
    (_, row) = run_json("evaluate", "-m", folder, *options)["recipes"]
    assert row["macs"] == pytest.approx(table[1].macs) and row["density_key"] == "patience"
    found = ts.calibrate(model, data, recipe, [3, 1], repeat=0, progress=False)
    assert [step["density"] for step in found["steps"]] == [3, 1]
    said = run_json("calibrate", "-m", folder, "-r", recipe, "--sweep", "1..3:2", "--no-latency", data)
    assert said["calibration"]["steps"] == [pytest.approx(step) for step in found["steps"]]
    index = int((result.exit_layers >= 0).argmax())
    assert f"answered after block {result.exit_layers[index]} of 4" in result.words(index)


def test_a_call_takes_what_iterates_over_texts(model):
    texts = TEXTS[:3]
    expected = model(texts).logits
    for given in (iter(texts), (text for text in texts), dict.fromkeys(texts).keys(), np.array(texts)):
        np.testing.assert_array_equal(model(given).logits, expected)
    for wrong in (None, 5, {"a": 1}):
        with pytest.raises(TypeError, match="expected a text, a pair of texts, token ids"):
            model(wrong)


def test_dense_macs_are_those_of_a_call(model):
    assert model.dense_macs(7) == model("ba be bi bo bu", recipe="dense").macs[0]
    for tokens in (0, 513):
        with pytest.raises(ValueError, match="expected 1 to 512 tokens"):
            model.dense_macs(tokens)


# --- data -----------------------------------------------------------------------------------------


def test_a_data_set_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "texts.jsonl"
    labels = write_texts(path, ["naïve ba", ""])
    data = ts.read_text_dataset(path)
    assert (data.texts, data.labels.tolist(), data.pairs, len(data)) == (["naïve ba", ""], labels, False, 2)
    write_texts(path, [("a", "b")])
    assert ts.read_text_dataset(path).texts == [("a", "b")]
    path = tmp_path / "bytes.tsv"
    path.write_bytes(b"label\ttext\n0\t\xff ba\n")
    assert ts.read_text_dataset(path).texts == [b"\xff ba"]
    with pytest.raises(RuntimeError, match="expected a .tsv or .jsonl file"):
        ts.read_text_dataset(tmp_path / "texts.txt")


def test_the_package_has_a_version():
    assert ts.__version__.count(".") == 2


# --- calibrate ------------------------------------------------------------------------------------


def test_calibrate_measures_what_the_program_measures(tmp_path, data):
    folder = write_text_model(tmp_path / "model")
    options = ["-r", RECIPE, "--sweep", "0.01..0.03:0.01"]
    said = run_json("calibrate", "-m", folder, "--no-latency", *options, "--", data)["calibration"]
    (folder / "sieve.json").unlink()
    model = ts.load(folder, threads=1)
    mine = ts.calibrate(model, data, RECIPE, [0.01, 0.02, 0.03], repeat=3, progress=False)
    assert model.calibrations == [mine] == ts.load(folder).calibrations
    (latencies,) = mine.pop("latencies")
    assert {key: latencies[key] for key in model.machine} == model.machine
    for time in [latencies["dense"], *latencies["steps"]]:
        assert 0 < time["low"] <= time["median"] <= time["high"]
    said.pop("latencies")
    assert mine["steps"] == [pytest.approx(step) for step in said["steps"]]
    assert mine["dense"] == pytest.approx(said["dense"])
    assert (mine["samples"], mine["recipe"]) == (said["samples"], said["recipe"])


def test_calibrate_takes_pictures_too(tmp_path, tiny_folder, image_folder):
    import shutil

    folder = shutil.copytree(tiny_folder, tmp_path / "model")
    said = run_json("calibrate", "-m", folder, "--no-latency", image_folder)["calibration"]
    model = ts.load(folder)
    mine = ts.calibrate(model, image_folder, repeat=0, progress=False)
    assert [step["density"] for step in mine["steps"]] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    assert mine["steps"] == [pytest.approx(step) for step in said["steps"]]
    assert mine["latencies"] == [] and mine["samples"] == 21
    flat = tmp_path / "flat"
    for path in image_folder.glob("*/*.png"):
        flat.mkdir(exist_ok=True)
        shutil.copy(path, flat / f"{path.parent.name}_{path.name}")
    assert "correct" not in ts.calibrate(model, flat, repeat=0, limit=5, progress=False)["dense"]
    (flat / "empty").mkdir()
    beside = shutil.copytree(image_folder, flat / "more")
    count = len(list(flat.glob("*.png"))) + len(list(beside.rglob("*.png")))
    for samples in (
        ts.calibrate(model, flat, repeat=0, progress=False)["samples"],
        run_json("calibrate", "-m", model.folder, "--no-latency", flat)["calibration"]["samples"],
    ):
        assert samples == count, "a folder with pictures of its own has no classes"
    for path, message in [(flat / "none", "expected a folder or a list"), (flat / "empty", "no pictures in")]:
        with pytest.raises(RuntimeError, match=message):
            ts.calibrate(model, path, repeat=0, progress=False)


def test_a_call_within_a_budget(tmp_path, data):
    folder = write_text_model(tmp_path / "model")
    unlabelled = tmp_path / "unlabelled.jsonl"
    unlabelled.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    model = ts.load(folder)
    found = ts.calibrate(model, unlabelled, RECIPE, [0.01, 0.03], repeat=0, progress=False)
    assert "correct" not in found["dense"]
    lean = found["steps"][-1]
    result = model(TEXTS[0], macs=lean["macs"])
    assert result.recipe == model.within(macs=lean["macs"]).recipe and result.reason
    assert result.recipe.density == str(lean["density"])
    told = run_json("classify", "-m", folder, "--macs", lean["macs"], "--text", TEXTS[0], "--repeat", 1)
    assert told["texts"][0]["runs"][1]["macs"] == result.macs[0]
    with pytest.raises(ValueError, match="too few|at least|expected"):
        model(TEXTS[0], agree=0.999)
    with pytest.raises(ValueError, match="got both"):
        model(TEXTS[0], agree=0.9, threshold=0.1)


def test_calibrate_explains_what_it_cannot_do(model, data):
    for options, cause in (
        ({"recipe": "dense"}, "a recipe with a density, got dense"),
        ({"recipe": RECIPE}, "expected densities, numbers for threshold"),
        ({"recipe": RECIPE, "densities": []}, "one density or more"),
        ({"recipe": RECIPE, "densities": [0.1], "batch": 0}, "batch >= 1"),
        ({"recipe": RECIPE, "densities": [0.1], "limit": 0}, "limit must be 1 or more"),
    ):
        with pytest.raises(ValueError, match=cause):
            ts.calibrate(model, data, **options)


# --- pictures -------------------------------------------------------------------------------------


def test_a_result_draws_its_texts(model, tmp_path):
    from PIL import Image

    result = model(["ba be <b> naïve", "bi"], recipe=RECIPE)
    strip = result.strip(0, width=400)
    assert strip.dtype == np.uint8 and strip.shape[1:] == (400, 3)
    result.save(tmp_path / "strip.png")
    assert np.asarray(Image.open(tmp_path / "strip.png")).shape[1] == 900
    result.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page == result.page() and "<b> " not in page and "naïve" in page and "text 2" in page
    assert "stayed: " in result.words(1) and "\x1b" in result.words(0, color=True)
    assert result._repr_html_().startswith("<iframe srcdoc=")


def test_pairs_are_drawn_text_by_text(model):
    pair = model([("ba", b"be")], recipe="dense")
    assert pair.words().splitlines()[:2] == ["ba", "be"] and "2 words" in pair.words()
    assert "<b>ba</b><br><b>be</b>" in pair.page() and pair._repr_html_().startswith("<iframe")
    assert pair.strip().shape[0] > model("ba be", recipe="dense").strip().shape[0]


def test_what_cannot_be_drawn_says_why(model, tmp_path):
    ids = model(model.tokenizer.encode("ba").ids)
    with pytest.raises(ValueError, match="expected a text, got ids"):
        ids.strip()
    assert ids._repr_html_().startswith("<pre>")
    with pytest.raises(ValueError, match="ends in .png or .html, got a.pdf"):
        model("ba").save("a.pdf")
    with pytest.raises(ValueError, match="20,?000"):
        model("ba " * 10_000).strip()
    assert "ba" in model("ba " * 10_000).page()
