"""`tokensieve classify --text` on a text model of a few kilobytes."""

import numpy as np
import pytest
import tokensieve as ts
from command import run, run_json
from random_bert import SMALL, random_network
from text_data import make_texts, write_exits, write_text_model

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "gor", "##geous", "mess", "!"]
RECIPE = "ltp(threshold=0.3)"
TEXT = max(make_texts(8), key=len)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text") / "tiny"
    random_network("Bert", "ForSequenceClassification", **SMALL).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return folder


def test_texts_get_labels_macs_and_what_left(folder):
    text = "A gorgeous mess!"
    options = ["--model", folder, "--recipe", RECIPE, "--repeat", "1"]
    found = run_json("classify", *options, "--text", text, "--text", "")["texts"]
    assert [entry["text"] for entry in found] == [text, ""]
    assert [entry["token_count"] for entry in found] == [7, 2]
    model = ts.load(folder)
    for recipe, answer in zip(["dense", RECIPE], found[0]["runs"], strict=True):
        expected = model(text, recipe=recipe)
        assert answer["name"] == recipe and answer["macs"] == expected.macs[0]
        assert answer["top"][0]["name"] == expected.labels[0]
        assert answer["top"][0]["label"] == expected.logits[0].argmax()
        assert answer["kept"] == expected.kept[0].tolist() and answer["exit_layer"] == -1
    dense, sieved = found[0]["runs"]
    assert sieved["macs_share"] == sieved["macs"] / dense["macs"] and dense["macs_share"] == 1
    assert sieved["same_label"] == (sieved["top"][0]["label"] == dense["top"][0]["label"])
    assert sieved["speedup"] == dense["seconds"] / sieved["seconds"]
    assert sieved["macs"] < dense["macs"] and sieved["tokens"][-1] < dense["tokens"][0] == 6


def test_words_that_left_carry_their_block(folder):
    shown = run("classify", "--model", folder, "--recipe", RECIPE, "--text", "A gorgeous mess!", "--repeat", "1")
    assert "\x1b" not in shown.stdout
    assert "stayed: " in shown.stdout and "block 1: " in shown.stdout
    trace_says_left = (ts.load(folder)("A gorgeous mess!", recipe=RECIPE).traces[0].dropped_at() >= 0).any()
    assert trace_says_left == any(digit in shown.stdout for digit in "₁₂₃")
    assert RECIPE in shown.stdout and "GMACs" in shown.stdout


def test_pairs_are_read_as_one_input(folder, tmp_path):
    first, second = "A gorgeous mess!", "a mess"
    options = ["--model", folder, "--recipe", RECIPE, "--repeat", "1"]
    [entry] = run_json("classify", *options, "--text", first, "--pair", second)["texts"]
    expected = ts.load(folder)((first, second), recipe=RECIPE)
    assert (entry["text"], entry["text_pair"]) == (first, second)
    assert entry["token_count"] == len(expected.tokens[0].ids)
    assert entry["runs"][1]["kept"] == expected.kept[0].tolist()
    (tmp_path / "pairs.tsv").write_text(f"label\ttext\ttext_pair\n0\t{first}\t{second}\n")
    assert run_json("classify", *options, "--file", tmp_path / "pairs.tsv")["texts"][0]["runs"][1]["kept"] == entry["runs"][1]["kept"]
    shown = run("classify", *options, "--text", first, "--pair", second).stdout.splitlines()
    words = ["".join(c for c in line if c not in "₀₁₂₃") for line in shown]
    assert words[words.index(first) + 1] == second
    picture = expected.strip()
    expected.save(tmp_path / "pair.png")
    assert picture.shape[1] == 900 and (tmp_path / "pair.png").exists()
    assert expected.words() in "\n".join(shown) + "\n"


def test_no_dense_leaves_dense_out(folder):
    found = run_json("classify", "--model", folder, "--text", "a mess", "--recipe", RECIPE, "--no-dense", "--repeat", "1")
    assert [answer["name"] for answer in found["texts"][0]["runs"]] == [RECIPE]


def test_long_and_broken_texts_have_an_answer(folder):
    found = run_json("classify", "--model", folder, "--text", "mess " * 20000, "--repeat", "1")
    assert found["texts"][0]["token_count"] == 512
    found = run_json("classify", "--model", folder, "--text", "\x01\x02 \udcff a", "--repeat", "1")
    assert np.isfinite(found["texts"][0]["runs"][0]["top"][0]["probability"])


def test_exits_take_a_number_per_call(tmp_path):
    folder = write_exits(write_text_model(tmp_path / "exits"))
    options = ["--model", folder, "--repeat", 1, "--text", TEXT, "--recipe"]
    model = ts.load(folder)
    for recipe, key, value in [
        ("magic_pyramid(threshold=0.05)", "entropy", 1.0),
        ("magic_pyramid(threshold=0.05, confidence=0.9)", "confidence", 0.4),
        ("pabee", "patience", 1),
    ]:
        found = run_json("classify", *options, recipe, f"--{key}", value)["texts"][0]["runs"][1]
        expected = model(TEXT, recipe=recipe, **{key: value})
        assert found["exit_layer"] == expected.exit_layers[0] and found["macs"] == expected.macs[0]
        assert f"{key}={value:g}" in found["name"]
    said = run("classify", *options, "ltp(threshold=0.05)", "--entropy", 1, code=2).stderr
    assert "expected threshold, the density of" in said


def test_what_cannot_be_read_says_why(folder, tiny_folder, tmp_path):
    assert "pictures or texts, --text or --file, got neither" in run("classify", "--model", folder, code=2).stderr
    both = run("classify", "--model", folder, "--text", "a", tmp_path, code=2)
    assert "pictures or texts, --text or --file, got both" in both.stderr
    assert "model of texts" in run("classify", "--model", tiny_folder, "--text", "a", code=1).stderr
    brief = run("classify", "--model", folder, "--text", "a", "--brief", code=2)
    assert "--brief is for pictures" in brief.stderr
    batch = run("classify", "--model", folder, "--text", "a", "--batch", "8", code=2)
    assert "--batch is for pictures" in batch.stderr
    assert "--limit is for --file" in run("classify", "--model", folder, "--text", "a", "--limit", 1, code=2).stderr
    assert "--limit is for --file" in run("visualize", "--limit", 1, "-o", "x.png", tmp_path, code=2).stderr
    assert "calibrate" in run("classify", "--model", folder, "--text", "a", "--agree", "0.9", code=2).stderr
    bare = tmp_path / "bare"
    random_network("Bert", "ForSequenceClassification", **SMALL).save_pretrained(bare)
    assert "expected a tokenizer" in run("classify", "--model", bare, "--text", "a", code=1).stderr
    tokens = tmp_path / "tokens"
    random_network("Bert", "ForTokenClassification", **SMALL).save_pretrained(tokens)
    (tokens / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    assert "one for each token" in run("classify", "--model", tokens, "--text", "a", code=1).stderr


def test_an_embedding_has_no_label_to_compare(tmp_path):
    folder = write_text_model(tmp_path / "embedding", task="Model")
    options = ["--model", folder, "--recipe", RECIPE, "--repeat", "1"]
    (entry,) = run_json("classify", *options, "--text", "A gorgeous mess!")["texts"]
    assert [run["top"] for run in entry["runs"]] == [[], []]
    assert entry["runs"][1]["macs_share"] < 1 and "same_label" not in entry["runs"][1]
