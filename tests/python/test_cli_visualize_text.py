"""`visualize`, `info`, `calibrate` and `classify` on text models."""

import json

import pytest
import tokensieve as ts
from command import run, run_json
from PIL import Image
from text_data import RECIPE, make_texts, write_contributions, write_text_model, write_texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_text_model(tmp_path_factory.mktemp("text") / "model")


# --- visualize ------------------------------------------------------------------------------------


def test_strips_go_to_the_terminal_without_out(folder):
    shown = run("visualize", "-m", folder, "-r", RECIPE, "--text", "ba be bi bo").stdout
    assert RECIPE in shown and "stayed: " in shown and "\x1b" not in shown
    assert shown == run("visualize", "-m", folder, "-r", RECIPE, "--text", "ba be bi bo").stdout


def test_a_page_a_picture_or_a_folder_of_texts(folder, tmp_path):
    options = ["-m", folder, "-r", RECIPE, "-r", "dense", "--text", "ba be <b>", "--text", "bi", "--no-times"]
    page, png, out = tmp_path / "a.html", tmp_path / "a.png", tmp_path / "folder"
    assert run_json("visualize", *options, "--out", page)["files"] == [str(page)]
    plain = tmp_path / "plain.html"
    run("visualize", *[o if o != "ba be <b>" else "ba be (b)" for o in options], "--out", plain)
    assert page.read_text().count("<b>") == plain.read_text().count("<b>")
    assert page.read_text().count("&lt;") > plain.read_text().count("&lt;")
    first = page.read_bytes()
    run("visualize", *options, "--out", page)
    assert page.read_bytes() == first
    run("visualize", *options, "--out", png)
    assert Image.open(png).width == 900
    found = run_json("visualize", *options, "--out", out)
    names = [f"text{t}_recipe{r}_strip.png" for t in (1, 2) for r in (1, 2)] + ["index.html"]
    assert found["texts"] == 2 and found["files"] == [str(out / name) for name in names]


@pytest.mark.parametrize("name", ["texts.tsv", "texts.jsonl", "texts.txt"])
def test_texts_of_a_file(folder, tmp_path, name):
    path, texts = tmp_path / name, make_texts(5)
    if path.suffix == ".txt":
        path.write_text("\n\n".join(texts) + "\r\n")
    else:
        write_texts(path, texts)
    page = tmp_path / "a.html"
    assert run_json("visualize", "-m", folder, "--file", path, "--out", page)["texts"] == 5
    assert run_json("visualize", "-m", folder, "--file", path, "--limit", 2, "--out", page)["texts"] == 2
    found = run_json("classify", "-m", folder, "--file", path, "--text", "ba", "--repeat", 1)["texts"]
    assert [entry["text"] for entry in found] == ["ba", *texts]


def test_hostile_texts_have_a_page_or_an_error(folder, tmp_path):
    page = tmp_path / "a.html"
    rubbish = tmp_path / "rubbish.txt"
    rubbish.write_bytes(bytes(range(1, 256)) * 4)
    run("visualize", "-m", folder, "-r", RECIPE, "--file", rubbish, "--out", page)
    rubbish.write_bytes(bytes(range(256)) * 4)
    said = run("visualize", "-m", folder, "-r", RECIPE, "--file", rubbish, "--out", page, code=1).stderr
    assert "got a zero byte, as binary files have" in said
    long = tmp_path / "long.txt"
    long.write_text("ba " * 100_000)
    run("visualize", "-m", folder, "-r", RECIPE, "--file", long, "--out", page)
    options = ["-m", folder, "-r", RECIPE, "--file", long]
    said = run("visualize", *options, "--out", tmp_path / "a.png", code=2).stderr
    assert "at most 20000 bytes" in said and "an HTML page" in said
    run("visualize", "-m", folder, "-r", RECIPE, "--text", "", "--text", "ba", "--out", tmp_path / "a.png")


def test_visualize_says_what_is_wrong(folder, tiny_folder, tmp_path):
    assert "got neither" in run("visualize", "-m", folder, code=2).stderr
    assert "got both" in run("visualize", "-m", folder, "--text", "a", tmp_path, code=2).stderr
    assert "expected --out" in run("visualize", "-m", tiny_folder, tmp_path, code=2).stderr
    assert "expected --out" in run("visualize", "-m", folder, "--text", "a", "--json", code=2).stderr
    assert "model of texts" in run("visualize", "-m", tiny_folder, "--text", "a", code=1).stderr
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(picture)
    said = run("visualize", "-m", folder, picture, "--out", tmp_path / "b.png", code=1).stderr
    assert "model of images" in said
    said = run("visualize", "-m", folder, "--text", "a", "--no-maps", code=2).stderr
    assert "--magnify and --no-maps are for pictures" in said
    said = run("visualize", "-m", folder, "--text", "ba", "--text", "be", "--pair", "bi", code=2).stderr
    assert "expected a --pair for every --text or for none, got 1 for 2" in said
    many = tmp_path / "many.txt"
    many.write_text("ba\n" * 1001)
    assert "--limit" in run("visualize", "-m", folder, "--file", many, code=1).stderr
    (tmp_path / "none.txt").write_text("\n")
    assert "no texts in" in run("visualize", "-m", folder, "--file", tmp_path / "none.txt", code=1).stderr
    assert "no such file" in run("visualize", "-m", folder, "--file", tmp_path / "nowhere.txt", code=1).stderr


# --- info -----------------------------------------------------------------------------------------


def test_info_shows_a_text_model(folder):
    found = run_json("info", folder, "--recipe", RECIPE, "--recipe", "random(keep=0.5, sites=1/2)")
    assert run_json("info", "--model", folder, "--recipe", RECIPE)["recipes"] == found["recipes"][:-1]
    config = ts.load(folder).config
    for key in ("depth", "embed_dim", "num_heads", "mlp_dim", "vocab_size", "max_positions", "head", "num_classes"):
        assert found[key] == config[key], key
    assert found["tokenizer_size"] == 53 and found["labels"] == ["bad", "good", "odd"]
    dense, ltp, fixed = found["recipes"]
    assert (dense["fixed"], ltp["fixed"], fixed["fixed"]) == (True, False, True)
    model = ts.load(folder)
    assert [at["length"] for at in dense["lengths"]] == [64, 128, 256, 512]
    assert [at["macs"] for at in dense["lengths"]] == [model.dense_macs(n) for n in (64, 128, 256, 512)]
    assert all(a["macs"] < b["macs"] for a, b in zip(fixed["lengths"], dense["lengths"]))
    ids = model.tokenizer.encode("ba " * 62).ids
    expected = model(ids, recipe="random(keep=0.5, sites=1/2)")
    assert fixed["lengths"][0]["macs"] == expected.macs[0]
    assert fixed["lengths"][0]["tokens_per_layer"] == expected.tokens_per_layer[0].tolist()
    shown = run("info", folder, "--recipe", RECIPE).stdout
    assert "53 entries" in shown and "classification, 3 classes" in shown and "3: bad, good, odd" in shown
    assert f"{RECIPE} *" in shown and "counted on random words" in shown and " 512 " in shown


def test_info_of_other_heads_and_vocabularies(tmp_path):
    short = write_text_model(tmp_path / "short", task="ForTokenClassification", max_position_embeddings=100)
    found = run_json("info", short)
    assert found["head"] == "tokens" and [at["length"] for at in found["recipes"][0]["lengths"]] == [64, 100]
    many = write_text_model(tmp_path / "many", words=[f"w{i}" for i in range(1200)])
    assert "1205 entries, more than the network has" in run("info", many).stdout
    (many / "vocab.txt").unlink()
    assert "none: takes ids" in run("info", many).stdout and run_json("info", many)["tokenizer_size"] is None


def test_info_tells_what_was_learned_for_the_sieve(folder, tmp_path):
    assert "exits           none" in run("info", folder).stdout
    assert run_json("info", folder)["contributions"] is False
    learned = write_contributions(write_text_model(tmp_path / "adapler"))
    assert run_json("info", learned)["contributions"] is True
    assert "a predictor before every block" in run("info", learned).stdout


# --- calibrate ------------------------------------------------------------------------------------


def test_calibrate_counts_what_evaluate_counts(tmp_path):
    folder, data = write_text_model(tmp_path / "model"), tmp_path / "texts.tsv"
    write_texts(data, make_texts(24))
    sweep = ["--sweep", "0.01..0.03:0.01"]
    said = run_json("calibrate", "-m", folder, "-r", RECIPE, *sweep, "--no-latency", data)["calibration"]
    rows = run_json("evaluate", "-m", folder, "-r", RECIPE, *sweep, "--rounds", 0, "--", data)["recipes"]
    assert said["dense"] == {"macs": pytest.approx(rows[0]["macs"]), "correct": rows[0]["correct"]}
    for step, row in zip(said["steps"], rows[1:], strict=True):
        assert step["macs"] == pytest.approx(row["macs"]) and step["correct"] == row["correct"]
        assert step["agreed"] == round(24 * row["same_label"])
    assert json.loads((folder / "sieve.json").read_text())["calibrations"] == [said]
    assert "calibrated on 24 samples" in run("info", folder).stdout
    lean = said["steps"][-1]["macs"]
    row = run_json("evaluate", "-m", folder, "--macs", lean, "--rounds", 0, data)["recipes"][-1]
    assert row["reason"] and row["macs"] <= lean * (1 + 1e-9)
    page = tmp_path / "a.html"
    assert "note: " in run("visualize", "-m", folder, "--macs", lean, "--text", "ba", "--out", page).stderr
    assert "--sweep with a threshold" in run("calibrate", "-m", folder, "-r", RECIPE, data, code=2).stderr
    timed = run_json("calibrate", "-m", folder, "-r", RECIPE, "--only-latency", "--repeat", 2, data)["calibration"]
    (latencies,) = timed["latencies"]
    assert timed["steps"] == said["steps"] and len(latencies["steps"]) == 3
    assert all(0 < time["low"] <= time["median"] <= time["high"] for time in latencies["steps"])
