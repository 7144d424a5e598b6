"""ts.evaluate: accuracy, MACs and speed over a folder of pictures."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import tokensieve as ts
from command import run_json
from PIL import Image
from test_cli_evaluate import agresti_min, wilson
from tiny_model import LABELS, write_nan_model, write_picture, write_tiny_model, write_turned_folders


def evaluate(*arguments, **options):
    return ts.evaluate(*arguments, **{"progress": False, "rounds": 0} | options)


def test_evaluate_counts_what_a_loop_counts(tiny, image_folder):
    recipes = ["dense", "evit(keep=0.3)"]
    table = evaluate(tiny, image_folder, recipes, batch=4)
    paths = sorted(image_folder.glob("*/*.png"))
    truth = np.array([LABELS.index(path.parent.name) for path in paths])
    right = []
    for row, recipe in zip(table, recipes, strict=True):
        result = tiny(paths, recipe=recipe)
        right.append(result.logits.argmax(axis=1) == truth)
        gained, lost = (right[-1] & ~right[0]).sum(), (~right[-1] & right[0]).sum()
        assert row.name == recipe and row.recipe == str(ts.Recipe(recipe))
        assert row.correct == right[-1].sum() and row.top1 == pytest.approx(right[-1].mean())
        assert row.top1_interval == pytest.approx(wilson(right[-1].sum(), 21))
        assert (row.gained, row.lost) == (gained, lost)
        assert row.difference == pytest.approx((gained - lost) / 21)
        if recipe != "dense":
            assert row.difference_interval == pytest.approx(agresti_min(gained, lost, 21))
        assert row.macs == pytest.approx(result.macs.mean())
        assert row.tokens_per_layer == pytest.approx(result.tokens_per_layer.mean(axis=0))
    assert (table[1].method, table[1].density_key, table[1].density) == ("evit", "keep", "0.3")


def test_evaluate_gives_what_the_program_gives(tiny, tiny_folder, image_folder, tmp_path):
    """The same rows under the same names, in JSON and in CSV; times aside."""
    recipes = ["evit(keep=0.7, fuse)", "tome(r=2)", "random(keep=0.3)"]
    path = tmp_path / "table.csv"
    report = run_json(
        "evaluate", "-m", tiny_folder, "--rounds", 1, "--csv", path, "--recipes", *recipes, "--", image_folder
    )
    table = evaluate(tiny, image_folder, recipes, rounds=1)
    timed = ("samples_per_second", "samples_per_second_quartiles", "speedup", "speedup_quartiles", "efficiency")
    for mine, theirs in zip(json.loads(table.to_json()), report["recipes"], strict=True):
        assert list(mine) == list(theirs)
        for speed, other in zip(mine.pop("speeds"), theirs.pop("speeds"), strict=True):
            assert list(speed) == list(other)
            assert [speed[k] for k in speed if k not in timed] == pytest.approx(
                [other[k] for k in other if k not in timed]
            )
        for key, value in theirs.items():
            assert mine[key] == (value if isinstance(value, str) else pytest.approx(value)), key
    with path.open(newline="") as file:
        columns = next(csv.reader(file))
    assert table.to_csv().splitlines()[0] == ",".join(columns)


def test_evaluate_times_recipes_beside_dense(tiny, image_folder):
    table = evaluate(tiny, image_folder, "evit(keep=0.5)", rounds=3, limit=5)
    assert [row.name for row in table] == ["dense", "evit(keep=0.5)"]
    for speed, batch in zip(table[1].speeds, (1, 8), strict=True):
        assert speed.batch == batch
        low, high = speed.samples_per_second_quartiles
        assert 0 < low <= speed.samples_per_second <= high
        assert speed.mac_gain == pytest.approx(table[0].macs / table[1].macs)
        assert speed.efficiency == pytest.approx(speed.speedup / speed.mac_gain)
    assert table[0].speeds[0].speedup == 1
    accuracy, speed, tokens = str(table).split("\n\n")
    assert [len(part.splitlines()) for part in (accuracy, speed, tokens)] == [3, 4, 3]
    assert "at batch 8" in speed and f" {table[1].speeds[1].samples_per_second:.1f} " in speed


def test_evaluate_prints_and_writes_its_table(tiny, image_folder):
    table = evaluate(tiny, image_folder, [tiny.recipe])
    read = json.loads(table.to_json())
    assert [row["recipe"] for row in read] == [row.recipe for row in table]
    assert read[1]["tokens_per_layer"] == table[1].tokens_per_layer
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [float(row["top1"]) for row in rows] == [row.top1 for row in table]
    assert rows[1]["tokens_per_layer"] == "17 17 17 10 10 10 7 7 7 5"
    accuracy, tokens = str(table).split("\n\n")
    assert accuracy.splitlines()[1].split()[:2] == ["dense", f"{100 * table[0].top1:.2f}"]
    assert tokens.splitlines()[2].endswith(" 17 17 17 10 10 10 7 7 7 5")


def test_a_baseline_is_another_model_s_dense_network(tiny, image_folder, tmp_path):
    other = ts.load(write_tiny_model(tmp_path / "other", seed=5))
    table = evaluate(tiny, image_folder, "evit(keep=0.5)", baseline=other, rounds=1)
    assert [row.name for row in table] == ["dense", "all tokens", "evit(keep=0.5)"]
    assert [row.method for row in table] == ["dense", "all tokens", "evit"]
    own = evaluate(tiny, image_folder, "evit(keep=0.5)")
    assert table[0].correct == evaluate(other, image_folder, "dense")[0].correct
    assert [row.correct for row in table[1:]] == [row.correct for row in own]
    assert table[2].difference == pytest.approx(table[2].top1 - table[0].top1)
    renamed = ts.load(write_tiny_model(tmp_path / "renamed", labels=["a", "b", "c"]))
    with pytest.raises(ValueError, match="a model with the labels of the first"):
        evaluate(tiny, image_folder, baseline=renamed)
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0.4, 0.4, 0.4]
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="preprocesses pictures as the first does"):
        evaluate(tiny, image_folder, baseline=ts.load(tmp_path / "other"))


def test_one_table_holds_recipes_of_several_models(tiny, image_folder, tmp_path):
    other = ts.load(write_tiny_model(tmp_path / "other", seed=5))
    table = evaluate(tiny, image_folder, ["evit(keep=0.5)", ("dense", other), ("evit(keep=0.5)", other)])
    place = f"@{other.folder}"
    assert [row.name for row in table] == [
        "dense", "evit(keep=0.5)", "dense" + place, "evit(keep=0.5)" + place
    ]
    assert [row.method for row in table] == ["dense", "evit", "dense" + place, "evit" + place]
    alone = evaluate(other, image_folder, "evit(keep=0.5)")
    assert [row.correct for row in table[2:]] == [row.correct for row in alone]
    assert table[2].difference == pytest.approx(table[2].top1 - table[0].top1)


def test_a_table_draws_itself(tiny, image_folder, tmp_path):
    table = evaluate(tiny, image_folder, ["evit(keep=0.7)", "random(keep=0.7)"], rounds=1, limit=4)
    table.plot(tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text().count("images/s at batch") == 2
    picture = table.plot()
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    table.plot(tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as read:
        assert (np.asarray(read.convert("RGB")) == picture).all()
    with pytest.raises(ValueError, match="ends in .svg or .png, got curves.pdf"):
        table.plot("curves.pdf")


def test_evaluate_takes_a_limit_spread_over_the_classes(tiny, image_folder):
    def count(**options):  # of the pictures
        row = evaluate(tiny, image_folder, **options)[0]
        return round(row.correct / row.top1)

    assert count(limit=6) == 6
    assert count(limit=999) == 21


def test_evaluate_takes_a_list_and_says_how_classes_were_found(tiny, image_folder, tmp_path):
    folders = sorted(path for path in image_folder.iterdir() if path.is_dir())
    pairs = [(path, label) for label, folder in enumerate(folders) for path in sorted(folder.iterdir())]
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{path}\t{label}\n" for path, label in pairs))
    row = evaluate(tiny, listing)[0]
    assert row.correct == evaluate(tiny, image_folder)[0].correct
    for number, folder in enumerate(folders):
        shutil.copytree(folder, tmp_path / "other" / f"n{number}")
    with pytest.raises(RuntimeError, match="folders, one of them 'n0'.*; rename them"):
        evaluate(tiny, tmp_path / "other")
    (tmp_path / "list.txt").write_text(f"{pairs[0][0]}\n")
    with pytest.raises(RuntimeError, match="has no label"):
        evaluate(tiny, listing)


def test_evaluate_shows_progress_when_asked(tiny, image_folder, capsys):
    evaluate(tiny, image_folder, limit=4, batch=2, progress=True, rounds=1)
    said = capsys.readouterr().err
    assert "evaluate [" in said and "4/4" in said and "speed [" in said
    evaluate(tiny, image_folder, limit=4, progress=None)
    assert capsys.readouterr() == ("", "")


def test_evaluate_explains_what_it_cannot_do(tiny, image_folder, tmp_path):
    with pytest.raises(ValueError, match="expected one recipe or more"):
        evaluate(tiny, image_folder, [])
    with pytest.raises(ValueError, match="limit must be 1 or more, got 0"):
        evaluate(tiny, image_folder, limit=0)
    with pytest.raises(ValueError, match="batch must be 1 or more, got 0"):
        evaluate(tiny, image_folder, batch=0)
    with pytest.raises(ValueError, match="rounds must be 0 or more, got -1"):
        evaluate(tiny, image_folder, rounds=-1)
    with pytest.raises(ValueError, match="did you mean 'evit'"):
        evaluate(tiny, image_folder, ["evitt"])
    with pytest.raises(RuntimeError, match="nowhere"):
        evaluate(tiny, tmp_path / "nowhere")
    write_picture(tmp_path / "data" / "gren" / "a.png")
    with pytest.raises(RuntimeError, match="one of them 'gren' .did you mean 'green'"):
        evaluate(tiny, tmp_path / "data")
    write_picture(tmp_path / "bad" / "green" / "a.png").write_bytes(b"not a picture")
    with pytest.raises(RuntimeError, match="a.png"):
        evaluate(tiny, tmp_path / "bad")


def test_evaluate_takes_a_recipe_as_text(tiny, image_folder):
    """A lone string is one recipe, not a list of letters."""
    assert [row.name for row in evaluate(tiny, image_folder, "dense", limit=2)] == ["dense"]
    assert evaluate(tiny, image_folder, "evit", limit=2)[1].name == "evit"
    assert evaluate(tiny, image_folder, limit=2)[1].recipe == str(tiny.recipe)


def test_a_picture_whose_logits_hold_nan_is_wrong(image_folder, tmp_path):
    model = ts.load(write_nan_model(tmp_path / "nan"))
    row = evaluate(model, image_folder)[0]
    assert row.top1 == 0 and row.same_label == 0


def test_pictures_may_be_left_as_they_are_stored(tiny, tmp_path):
    stored, seen, plain = write_turned_folders(tmp_path)

    def tokens(folder, **options):  # how many stay depends on what is in the picture
        return evaluate(tiny, folder, "evit(mass=0.7)", **options)[1].tokens_per_layer

    assert tokens(stored) == tokens(seen)
    assert tokens(stored, apply_orientation=False) == tokens(plain)
    assert tokens(seen) != tokens(plain), "these pictures would hide a difference"
