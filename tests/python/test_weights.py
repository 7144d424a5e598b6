"""The shipped models are what their manifest says, open, and stay small."""

import hashlib
import json

import pytest
import tokensieve as ts
from conftest import ROOT

WEIGHTS = ROOT / "weights"
MANIFEST = json.loads((WEIGHTS / "manifest.json").read_text())


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_files_are_those_of_the_manifest(name):
    assert {path.name for path in (WEIGHTS / name).iterdir()} == set(MANIFEST[name])
    for file, known in MANIFEST[name].items():
        content = (WEIGHTS / name / file).read_bytes()
        assert len(content) == known["bytes"], file
        assert hashlib.sha256(content).hexdigest() == known["sha256"], file


def test_every_folder_is_in_the_manifest_and_all_are_below_the_limit():
    assert {path.name for path in WEIGHTS.iterdir() if path.is_dir()} == set(MANIFEST)
    assert sum(known["bytes"] for files in MANIFEST.values() for known in files.values()) < 250e6


@pytest.mark.parametrize("name", sorted(name for name in MANIFEST if name.startswith("vit")))
def test_every_model_of_pictures_classifies_and_says_what_it_was_measured_at(name, pictures):
    model = ts.load(WEIGHTS / name)
    result = model(pictures)
    expected = [path.stem.removesuffix("_room").removesuffix("_pair").replace("_", " ") for path in pictures]
    right = sum(label == name for label, name in zip(result.labels, expected, strict=True))
    assert right >= len(pictures) - 1
    measured = model.provenance["accuracy"]
    assert measured["pictures"] == 3925
    assert all(0.5 < top1 < 1 for top1 in list(measured["imagenette_test_top1"].values())[:3])


def test_the_model_of_texts_classifies_and_says_what_it_was_measured_at():
    model = ts.load(WEIGHTS / "minilm_sst2")
    texts = {
        "the jokes are old, but the cast is so good that i left with a smile": "positive",
        "a gorgeous mess, and the best film of the year": "positive",
        "two hours of people shouting at each other in the rain": "negative",
        "neither funny nor sad, just long": "negative",
    }
    result = model(list(texts))
    assert result.labels == list(texts.values())
    dense = model(list(texts), recipe="dense")
    assert result.macs.sum() < 0.7 * dense.macs.sum()
    measured = model.provenance["accuracy"]
    assert measured["texts"] == 1821
    assert set(measured["sst2_test_top1"]) == {"dense", str(model.recipe)}
    assert all(0.8 < top1 < 1 for top1 in measured["sst2_test_top1"].values())
