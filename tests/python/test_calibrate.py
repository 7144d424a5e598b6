"""Density by budget: `tokensieve calibrate`, and calls that name MACs, milliseconds or agreement."""

import json
import math
import shutil

import pytest
import tokensieve as ts
from command import run, run_json
from tiny_model import write_nan_model, write_picture, write_tiny_model

RECIPE = "evit(keep=0.7, fuse)"


@pytest.fixture
def model(tiny_folder, tmp_path):
    """A copy of the tiny model that may be changed."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


@pytest.fixture
def flat(image_folder, tmp_path):
    """The pictures without classes."""
    for path in sorted(image_folder.glob("*/*.png")):
        target = tmp_path / "flat" / f"{path.parent.name}_{path.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path / "flat"


def sieve(folder):
    return json.loads((folder / "sieve.json").read_text())


def latency(milliseconds):
    return {"median": milliseconds, "low": 0.9 * milliseconds, "high": 1.2 * milliseconds}


def inject(folder, dense, steps, agreed=(999, 995, 950), recipe=RECIPE, **machine):
    """Writes a calibration of three steps, with latencies of this machine (or as `machine` says)."""
    here = ts.load(folder).machine | machine
    steps_of = [
        {"density": density, "macs": macs, "agreed": count}
        for density, macs, count in zip((0.9, 0.7, 0.5), (9e6, 8e6, 7e6), agreed)
    ]
    calibration = {
        "recipe": recipe,
        "samples": 1000,
        "dense": {"macs": 1e7},
        "steps": steps_of,
        "latencies": [here | {"dense": latency(dense), "steps": [latency(ms) for ms in steps]}],
    }
    (folder / "sieve.json").write_text(json.dumps({"recipe": recipe, "calibrations": [calibration]}))


def keep_of(result):
    """The keep rate that a call ran at, None for dense."""
    if result.recipe.is_dense:
        return None
    return float(str(result.recipe).split("top_k(")[1].split(",")[0])


# --- the command ----------------------------------------------------------------------------------


def test_calibrate_counts_what_evaluate_counts(model, image_folder):
    said = run_json("calibrate", "-m", model, "--repeat", 3, "--threads", 1, image_folder)
    evaluated = run_json(
        "evaluate", "-m", model, "--sweep", "0.9..0.2", "--threads", 1, image_folder
    )["recipes"]
    calibration = said["calibration"]
    assert sieve(model)["calibrations"] == [calibration]
    assert sieve(model)["recipe"] == calibration["recipe"] == "evit(keep=0.5, fuse)"
    assert calibration["samples"] == 21 and said["skipped"] == 0
    dense, rest = evaluated[0], evaluated[1:]
    assert calibration["dense"] == {
        "macs": pytest.approx(dense["macs"]),
        "correct": dense["correct"],
    }
    steps = calibration["steps"]
    assert [step["density"] for step in steps] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    for step, row in zip(steps, rest, strict=True):
        assert step["macs"] == pytest.approx(row["macs"])
        assert step["agreed"] == round(21 * row["same_label"])
        assert step["correct"] == row["correct"]
    (measured,) = calibration["latencies"]
    machine = {key: measured[key] for key in ("cpu", "threads", "precision")}
    assert machine == ts.load(model, threads=1).machine and machine["threads"] == 1
    for time in [measured["dense"], *measured["steps"]]:
        assert 0 < time["low"] <= time["median"] <= time["high"]
    assert len(measured["steps"]) == 8
    assert ts.load(model).calibrations == [calibration]


@pytest.mark.parametrize(
    "recipe, sweep, densest",
    [
        ("evit(keep=0.7)", [], 0.9),
        ("evit(mass=0.9)", [], 0.9),
        ("evit(threshold=0.01)", ["--sweep", "0.01..0.05:0.01"], 0.01),
        ("dynamicvit(keep=0.7)", [], 0.9),
        ("dynamicvit(threshold=0.5)", ["--sweep", "0.3..0.7"], 0.3),
        ("sait(keep=0.46)", [], 0.9),
        ("sait(mass=0.9)", [], 0.9),
        ("asvit(threshold=0.02/0.03/0.04, sites=3/6/9)", ["--sweep", "0.02..0.06:0.02"], 0.02),
        ("tome(r=2)", ["--sweep", "1..3:1"], 1),
        ("ats(keep=1)", [], 0.9),
        ("random(keep=0.7, seed=3)", [], 0.9),
    ],
)
def test_every_recipe_with_a_density_can_be_calibrated(tmp_path, flat, recipe, sweep, densest):
    folder = write_tiny_model(tmp_path / "model", predictors=3)
    said = run_json("calibrate", "-m", folder, "-r", recipe, *sweep, "--repeat", 2, flat)
    steps = said["calibration"]["steps"]
    assert steps[0]["density"] == densest
    macs = [step["macs"] for step in steps]
    assert macs == sorted(macs, reverse=True) and macs[-1] < macs[0]
    model = ts.load(folder)  # its recipe is dense, so this calibration is the only one that fits
    choice = model.within(macs=macs[-1])
    assert choice.recipe.is_dense or choice.density in [step["density"] for step in steps]


def test_a_second_calibration_replaces_its_own_recipe_only(model, flat):
    for recipe in ("evit(keep=0.7)", "sait(keep=0.5)", "evit(keep=0.1)"):
        run("calibrate", "-m", model, "-r", recipe, "--sweep", "0.9..0.8", "--no-latency", flat)
    known = sieve(model)["calibrations"]
    assert [entry["recipe"] for entry in known] == ["evit(keep=0.1)", "sait(keep=0.5)"]
    assert all(entry["latencies"] == [] for entry in known)


def test_pictures_need_no_labels(model, flat, image_folder, tmp_path):
    options = ["-m", model, "--sweep", "0.9..0.8", "--no-latency"]
    said = run_json("calibrate", *options, flat)["calibration"]
    assert said["samples"] == 21 and "correct" not in said["dense"]
    assert all("correct" not in step for step in said["steps"])
    for name in ("monday", "tuesday"):  # folders, but no classes
        shutil.copytree(flat, tmp_path / "days" / name)
    done = run("calibrate", *options, tmp_path / "days")
    assert "no accuracy" in done.stderr and "monday" in done.stderr and "top-1" not in done.stdout
    assert sieve(model)["calibrations"][0]["samples"] == 42
    paths = [str(path) for path in sorted(flat.iterdir())]
    (tmp_path / "list.txt").write_text("\n".join(paths))
    assert run_json("calibrate", *options, tmp_path / "list.txt")["calibration"] == said
    (tmp_path / "list.tsv").write_text("".join(f"{path}\t1\n" for path in paths))
    assert "correct" in run_json("calibrate", *options, tmp_path / "list.tsv")["calibration"]["dense"]
    assert "top-1" in run("calibrate", *options, image_folder).stdout


def test_an_answer_with_nan_agrees_with_nothing(tmp_path, flat):
    folder = write_nan_model(tmp_path / "nan")
    said = run_json("calibrate", "-m", folder, "-r", "evit", "--no-latency", flat)["calibration"]
    assert all(step["agreed"] == 0 for step in said["steps"])


def test_a_broken_picture_stops_calibrate_or_is_skipped(model, flat):
    (flat / "aa_first.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    arguments = ["calibrate", "-m", model, "--sweep", "0.9..0.8", "--repeat", 2, flat]
    before = (model / "sieve.json").read_text()
    stopped = run(*arguments, code=1).stderr
    assert "[calibrate]" in stopped and "aa_first.png" in stopped and "--skip-broken" in stopped
    assert (model / "sieve.json").read_text() == before
    said = run_json(*arguments, "--skip-broken")
    assert said["calibration"]["samples"] == 21 and said["skipped"] == 1


@pytest.mark.parametrize(
    "options, says",
    [
        (["-r", "dense"], "got dense; pass one, such as --recipe"),
        (["-r", "evti"], "did you mean 'evit'"),
        (["-r", "tome(r=2)"], "expected --sweep with a r, such as --sweep 1..8:1"),
        (["-r", "evit(threshold=0.1)"], "expected --sweep with a threshold"),
        (["--sweep", "0.9"], "[sweep]"),
        (["--sweep", "1.9..0.2"], "(0, 1]"),
        (["--only-latency"], "make one: tokensieve calibrate"),
        (["--only-latency", "--no-latency"], "--only-latency"),
        (["--only-latency", "--sweep", "0.9..0.2"], "leave --sweep and --limit out"),
        (["--only-latncy"], "did you mean '--only-latency'"),
    ],
)
def test_what_cannot_be_calibrated_is_bad_usage(model, flat, options, says):
    assert says in run("calibrate", "-m", model, *options, flat, code=2).stderr


def test_info_shows_calibrations_and_convert_keeps_them(model, image_folder, tmp_path):
    run("calibrate", "-m", model, "--sweep", "0.9..0.8", "--repeat", 2, image_folder)
    text = run("info", model).stdout
    assert "calibrated on 21 samples" in text and "keep=0.8" in text and "top-1" in text
    assert max(map(len, text.splitlines())) <= 120
    known = sieve(model)["calibrations"]
    assert run_json("info", model)["calibrations"] == known
    run("convert", model, "--out", tmp_path / "copy")
    assert sieve(tmp_path / "copy")["calibrations"] == known
    done = run("convert", model, "--dtype", "bf16", "--out", tmp_path / "rounded")
    assert "calibrations are left out" in done.stderr
    assert "calibrations" not in sieve(tmp_path / "rounded")


# --- calls ----------------------------------------------------------------------------------------


def test_a_budget_chooses_the_density_of_a_call(model, flat):
    inject(model, 10, [9, 7, 5])
    loaded, picture = ts.load(model), next(flat.iterdir())
    assert keep_of(loaded(picture, macs=2e7)) is None
    assert keep_of(loaded(picture, macs=8.5e6)) == 0.7
    assert keep_of(loaded(picture, latency_ms=9.5)) == 0.9
    assert keep_of(loaded(picture, latency_ms=5)) == 0.5
    assert keep_of(loaded(picture, agree=0.93)) == 0.5
    assert keep_of(loaded(picture, agree=0.99)) == 0.9
    result = loaded(picture, agree=0.996)
    assert keep_of(result) is None and result.reason.startswith("agree=0.996: dense")
    chosen = loaded(picture, agree=0.98)
    assert (chosen.logits == loaded(picture, keep=0.7).logits).all()
    assert chosen.reason.startswith("agree=0.98: keep=0.7, agrees in 0.989")
    assert loaded(picture).reason == ""


def test_nothing_slower_than_dense_is_ever_chosen(model, flat):
    picture = next(flat.iterdir())
    budgets = [{"macs": 8.5e6}, {"macs": 7e6}, {"agree": 0.9}, {"agree": 0.99}]
    for times in ([11, 12, 13], [11, 7, 12], [9, 11, 5], [10, 10, 10], [11, 11, 9]):
        inject(model, 10, times)
        loaded = ts.load(model)
        slower = {keep for keep, ms in zip((0.9, 0.7, 0.5), times) if ms > 10}
        for budget in [*budgets, {"latency_ms": 10}]:
            result = loaded(picture, **budget)
            assert keep_of(result) not in slower, (times, budget)
            if len(slower) == 3:
                assert keep_of(result) is None and "dense" in result.reason
            for key, value in budget.items():
                option = f"--{key.replace('_', '-')}"
                shown = run_json("classify", "-m", model, option, value, "--repeat", 1, picture)
                assert [entry["recipe"] for entry in shown["summary"]] in (
                    ["dense"],
                    ["dense", str(result.recipe)],
                )
    inject(model, 10, [11, 12, 13])
    with pytest.raises(ValueError, match="no calibrated step is faster here"):
        ts.load(model)(picture, latency_ms=9)


@pytest.mark.parametrize("machine", [{"cpu": "Another"}, {"threads": 63}, {"precision": "bf16"}])
def test_times_of_another_machine_are_not_taken(model, flat, machine):
    inject(model, 10, [11, 9, 13], **machine)
    loaded, picture = ts.load(model), next(flat.iterdir())
    with pytest.raises(ValueError, match="measure them: tokensieve calibrate DATA --only-latency"):
        loaded(picture, latency_ms=9)
    lean = loaded(picture, macs=9e6)  # 0.9 is slower where it was measured
    assert keep_of(lean) == 0.7 and "not measured on this machine" in lean.reason
    said = run_json("calibrate", "-m", model, "--only-latency", "--repeat", 3, flat)["calibration"]
    assert len(said["latencies"]) == 2 and said["samples"] == 1000
    times = said["latencies"][1]
    fits = 1.001 * min(time["median"] for time in [times["dense"], *times["steps"]])
    assert ts.load(model)(picture, latency_ms=fits).reason.startswith("latency_ms=")
    again = run_json("calibrate", "-m", model, "--only-latency", "--repeat", 2, flat)["calibration"]
    assert len(again["latencies"]) == 2


def test_too_few_pictures_are_refused_with_the_number_needed(model, flat):
    run("calibrate", "-m", model, "--no-latency", flat)
    with pytest.raises(ValueError, match="at least 299 calibration samples for agree=0.99, got 21"):
        ts.load(model)(next(flat.iterdir()), agree=0.99)
    assert 0.05 ** (1 / 299) >= 0.99 > 0.05 ** (1 / 298)


@pytest.mark.parametrize(
    "call, message",
    [
        ({"agree": 0.99, "keep": 0.5}, "expected keep or agree, which chooses a density, got both"),
        ({"agree": 0.99, "macs": 1e9}, "expected one of macs, latency_ms and agree"),
        ({"agree": 1.0}, "above 0 and below 1"),
        ({"macs": math.nan}, "expected macs above 0"),
        ({"macs": 1e6}, "expected macs of at least 0.007e9, those of keep=0.5"),
        ({"latency_ms": 1}, "expected latency_ms of at least 5, that of keep=0.5"),
        ({"recipe": "evit(mass=0.9)", "agree": 0.99}, "make one: tokensieve calibrate DATA --recipe"),
        ({"recipe": "dense", "agree": 0.99}, "expected a recipe with a density"),
    ],
)
def test_budgets_that_cannot_be_kept_are_explained(model, flat, call, message):
    inject(model, 10, [9, 7, 5])
    with pytest.raises(ValueError, match=message):
        ts.load(model)(next(flat.iterdir()), **call)


def test_a_model_without_calibration_says_which_command_makes_one(model, flat):
    with pytest.raises(ValueError, match="make one: tokensieve calibrate"):
        ts.load(model).within(agree=0.99)
    done = run("classify", "-m", model, "--agree", 0.99, flat, code=2)
    assert "tokensieve calibrate" in done.stderr


def test_commands_take_the_same_budgets(model, image_folder, flat, tmp_path):
    inject(model, 10, [9, 7, 5])
    done = run("classify", "-m", model, "--macs", "0.0085G", "--json", "--repeat", 1, flat)
    assert "note: macs=0.0085e9: keep=0.7" in done.stderr
    (dense, sieved) = json.loads(done.stdout)["summary"]
    assert sieved["name"] == "evit(keep=0.7, fuse)" and "reason" not in dense
    assert sieved["reason"].startswith("macs=0.0085e9: keep=0.7")
    rows = run_json("evaluate", "-m", model, "--agree", 0.99, image_folder)["recipes"]
    assert [row["name"] for row in rows] == ["dense", "evit(keep=0.9, fuse)"]
    (row,) = run_json("evaluate", "-m", model, "--agree", 0.996, image_folder)["recipes"][:1]
    assert row["name"] == "dense" and "samples" in row["reason"]
    run("visualize", "-m", model, "--latency-ms", 7, "--out", tmp_path / "kept.html", flat)
    for options, says in [
        (["--macs", "much"], "--macs"),
        (["--macs", "8M", "--agree", "0.9"], "expected one of macs, latency_ms and agree"),
        (["--macs", "8M", "--keep", "0.5"], "expected a density or macs"),
        (["--agre", "0.99"], "did you mean '--agree'"),
        (["--recipe", "dense", "--agree", "0.99"], "expected a recipe with a density, got dense"),
    ]:
        assert says in run("classify", "-m", model, *options, flat, code=2).stderr
    both = ["--sweep", "0.9..0.8", "--agree", "0.9"]
    assert "--sweep or agree" in run("evaluate", "-m", model, *both, "--", image_folder, code=2).stderr


def test_the_only_calibration_serves_a_model_whose_recipe_is_dense(model, flat):
    inject(model, 10, [9, 7, 5])
    content = sieve(model)
    del content["recipe"]
    (model / "sieve.json").write_text(json.dumps(content))
    loaded, picture = ts.load(model), write_picture(flat / "more.png", seed=5)
    assert loaded.recipe.is_dense
    assert keep_of(loaded(picture, agree=0.99)) == 0.9
    shown = run_json("classify", "-m", model, "--agree", 0.99, "--repeat", 1, picture)
    assert shown["summary"][1]["name"] == "evit(keep=0.9, fuse)"
    run("calibrate", "-m", model, "--only-latency", "--threads", 1, "--repeat", 2, flat)
    assert len(sieve(model)["calibrations"][0]["latencies"]) == 2
