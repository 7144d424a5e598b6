"""The program `tokensieve` on a model with predictors: learned scores on every command."""

import pytest
import tokensieve as ts
from command import run, run_json
from safetensors.numpy import load_file
from tiny_model import tiny_predictors, write_picture, write_tiny_model


@pytest.fixture
def picture(tmp_path):
    return write_picture(tmp_path / "tiles.png")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A model with predictors for three sites."""
    folder = tmp_path_factory.mktemp("models") / "learned"
    return write_tiny_model(folder, recipe="dynamicvit(keep=0.7, sites=3/6/9)", predictors=3)


def test_info_lists_predictors_and_counts_them(learned, tiny_folder):
    tensors = tiny_predictors()
    each = sum(tensor.size for tensor in tensors.values()) // 3
    info, without = run_json("info", learned), run_json("info", tiny_folder)
    assert info["predictors"] == [each] * 3 and without["predictors"] == []
    assert info["parameters"] == without["parameters"] + 3 * each
    sizes = [(learned / f"{name}.safetensors").stat().st_size for name in ("model", "sieve")]
    assert info["bytes"] == sum(sizes)
    assert [row["fixed"] for row in info["recipes"]] == [True, True]
    assert info["recipes"][1]["tokens_per_layer"] == [17] * 3 + [12] * 3 + [8] * 3 + [6]
    assert f"3, one a site, of {each} parameters each" in run("info", learned).stdout
    assert "predictors" not in run("info", tiny_folder).stdout


def test_learned_scores_take_a_density_per_call(learned, picture):
    result = run_json("classify", "-m", learned, "--keep", "0.5", picture)
    dense, sieved = result["images"][0]["runs"]
    assert sieved["tokens"] == [16, 8, 4, 2]
    assert sieved["macs"] < dense["macs"]
    recipe = "dynamicvit(threshold=0.9)"
    options = ["--no-dense", "--recipe", recipe, "--threshold", "0.01", picture]
    low = run_json("classify", "-m", learned, *options)["images"][0]["runs"][0]["tokens"]
    high = run_json("classify", "-m", learned, "--no-dense", "--recipe", recipe, picture)
    assert low[1] > high["images"][0]["runs"][0]["tokens"][1]


def test_evaluate_sweeps_learned_scores(learned, image_folder):
    recipes = ["dynamicvit(keep=0.7)", "random(keep=0.7)"]
    options = ["--sweep", "0.9..0.5:0.4", "--recipes", *recipes]
    rows = run_json("evaluate", image_folder, "-m", learned, *options)["recipes"]
    assert [row["name"] for row in rows[:3]] == [
        "dense",
        "dynamicvit(keep=0.9)",
        "dynamicvit(keep=0.5)",
    ]


def test_heat_maps_say_that_they_show_keep_probabilities(learned, picture, tmp_path):
    run("visualize", "-m", learned, "--out", tmp_path / "kept", picture)
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert {f"tiles_score_block{block}.png" for block in (3, 6, 9)} <= names
    page = (tmp_path / "kept" / "index.html").read_text(encoding="utf-8")
    assert page.count('"scoreName":"keep probability"') == 3


def test_learned_scores_without_predictors_are_bad_usage(tiny_folder, learned, picture, tmp_path):
    recipe = ["--recipe", "dynamicvit(keep=0.7)"]
    for command in (["classify", "-m", tiny_folder, picture], ["info", tiny_folder]):
        assert "no predictors; train or convert" in run(*command, *recipe, code=2).stderr
    wrong = ["classify", "-m", learned, "--recipe", "dynamicvit(keep=0.7, sites=3/6)", picture]
    assert "predictors for 3 sites and the recipe has 2 sites" in run(*wrong, code=2).stderr
    out = tmp_path / "out"
    assert "no predictors" in run("convert", tiny_folder, "--out", out, *recipe, code=2).stderr
    assert not out.exists()


def test_predictors_are_asked_at_their_own_sites_only(learned, picture):
    said = run("classify", "-m", learned, "-r", "dynamicvit(keep=0.7, sites=1/2/8)", picture, code=2).stderr
    assert "the sites that the predictors were trained for" in said
    assert "before:3 before:6 before:9" in said and "before:1 before:2 before:8" in said
    for keeps in ("1/0.7/0.7", "1"):  # a site that keeps everything is one of them all the same
        run("classify", "-m", learned, "-r", f"dynamicvit(keep={keeps})", picture)
    run("classify", "-m", learned, "-r", "dynamicvit(keep=1, sites=1/2/8)", picture)  # asks none
    with pytest.raises(ValueError, match="the sites that the predictors were trained for"):
        ts.load(learned)(picture, recipe="dynamicvit(keep=0.7, sites=1/2/8)")


def test_convert_takes_predictors_along(learned, picture, tmp_path):
    run("convert", learned, "--out", tmp_path / "copy")
    copied = load_file(tmp_path / "copy" / "sieve.safetensors")
    assert copied.keys() == tiny_predictors().keys()
    for name, tensor in tiny_predictors().items():
        assert (copied[name] == tensor).all(), name
    run("convert", learned, "--out", tmp_path / "small", "--dtype", "bf16")
    assert run_json("info", tmp_path / "small")["predictors"]
    run("classify", "-m", tmp_path / "small", picture)


def test_completion_knows_the_method():
    assert "dynamicvit" in run("completion", "bash").stdout
