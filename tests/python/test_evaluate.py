"""ts.evaluate: accuracy, MACs and speed over a folder of pictures."""

import csv
import io
import json
import math

import numpy as np
import pytest
import tokensieve as ts
from tiny_model import LABELS, write_nan_model, write_picture, write_turned_folders


def wilson(right, count):
    z, share = 1.959964, right / count
    root = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return [(share + z * z / (2 * count) + s * root) / (1 + z * z / count) for s in (-1, 1)]


def test_evaluate_counts_what_a_loop_counts(tiny, image_folder):
    recipes = ["dense", "evit(keep=0.3)"]
    table = ts.evaluate(tiny, image_folder, recipes, batch=4, progress=False)
    paths = sorted(image_folder.glob("*/*.png"))
    truth = np.array([LABELS.index(path.parent.name) for path in paths])
    right = []
    for row, recipe in zip(table, recipes, strict=True):
        result = tiny(paths, recipe=recipe)
        right.append(result.logits.argmax(axis=1) == truth)
        assert row.recipe == str(ts.Recipe(recipe)) and row.images == len(paths) == 21
        assert row.top1 == pytest.approx(right[-1].mean())
        assert [row.top1_low, row.top1_high] == pytest.approx(wilson(right[-1].sum(), 21))
        difference = right[-1].astype(float) - right[0]
        half = 1.959964 * difference.std() / math.sqrt(21)
        assert row.difference == pytest.approx(difference.mean())
        assert row.difference_high - row.difference_low == pytest.approx(2 * half)
        assert row.gmacs == pytest.approx(result.macs.mean() / 1e9)
        assert row.tokens == pytest.approx(result.tokens_per_layer.mean(axis=0))
        assert row.images_per_second > 0


def test_evaluate_prints_and_writes_its_table(tiny, image_folder):
    table = ts.evaluate(tiny, image_folder, ["dense", tiny.recipe], progress=False)
    read = json.loads(table.to_json())
    assert [row["recipe"] for row in read] == [row.recipe for row in table]
    assert read[1]["tokens"] == table[1].tokens
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [float(row["top1"]) for row in rows] == [row.top1 for row in table]
    assert rows[1]["tokens"] == "17.0/17.0/17.0/10.0/10.0/10.0/7.0/7.0/7.0/5.0"
    lines = str(table).splitlines()
    assert len(lines) == 3 and lines[0].startswith("top-1 %") and lines[1].endswith("dense")


def test_evaluate_takes_a_limit_spread_over_the_classes(tiny, image_folder):
    table = ts.evaluate(tiny, image_folder, limit=6, progress=False)
    assert table[0].images == 6
    assert ts.evaluate(tiny, image_folder, limit=999, progress=False)[0].images == 21


def test_evaluate_shows_progress_when_asked(tiny, image_folder, capsys):
    ts.evaluate(tiny, image_folder, limit=4, batch=2, progress=True)
    assert "4/4" in capsys.readouterr().err
    ts.evaluate(tiny, image_folder, limit=4)
    assert capsys.readouterr() == ("", "")


def test_evaluate_explains_what_it_cannot_do(tiny, image_folder, tmp_path):
    with pytest.raises(ValueError, match="expected one recipe or more"):
        ts.evaluate(tiny, image_folder, [])
    with pytest.raises(ValueError, match="limit must be 1 or more, got 0"):
        ts.evaluate(tiny, image_folder, limit=0)
    with pytest.raises(ValueError, match="batch must be 1 or more, got 0"):
        ts.evaluate(tiny, image_folder, batch=0)
    with pytest.raises(ValueError, match="did you mean 'evit'"):
        ts.evaluate(tiny, image_folder, ["evitt"])
    with pytest.raises(RuntimeError, match="nowhere"):
        ts.evaluate(tiny, tmp_path / "nowhere")
    write_picture(tmp_path / "data" / "gren" / "a.png")
    with pytest.raises(ValueError, match="no label 'gren' .did you mean 'green'"):
        ts.evaluate(tiny, tmp_path / "data")
    write_picture(tmp_path / "bad" / "green" / "a.png").write_bytes(b"not a picture")
    with pytest.raises(RuntimeError, match="a.png"):
        ts.evaluate(tiny, tmp_path / "bad", progress=False)


def test_evaluate_takes_a_recipe_as_text(tiny, image_folder):
    """A lone string is one recipe, not a list of letters."""
    assert ts.evaluate(tiny, image_folder, "dense", limit=2)[0].recipe == "dense"


def test_a_picture_whose_logits_hold_nan_is_wrong(image_folder, tmp_path):
    model = ts.load(write_nan_model(tmp_path / "nan"))
    assert ts.evaluate(model, image_folder, progress=False)[0].top1 == 0


def test_pictures_may_be_left_as_they_are_stored(tiny, tmp_path):
    stored, seen, plain = write_turned_folders(tmp_path)

    def tokens(folder, **options):  # how many stay depends on what is in the picture
        return ts.evaluate(tiny, folder, "evit(mass=0.7)", progress=False, **options)[0].tokens

    assert tokens(stored) == tokens(seen)
    assert tokens(stored, apply_orientation=False) == tokens(plain)
    assert tokens(seen) != tokens(plain), "these pictures would hide a difference"
