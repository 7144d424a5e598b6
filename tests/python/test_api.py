"""The package as its users call it."""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tokensieve as ts
import torch
from conftest import ROOT, random_pixels, random_timm
from PIL import Image
from tiny_model import LABELS, write_masked_model, write_picture, write_tiny_model
from tokensieve import _tokensieve as core

# --- inputs ---------------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path):
    return write_picture(tmp_path / "tiles.png", seed=7, size=(80, 60))


def test_inputs_of_every_kind_agree(tiny, picture):
    pil = Image.open(picture)
    hwc = np.asarray(pil)
    chw = tiny.preprocess(picture)
    inputs = {
        "path": picture,
        "text path": str(picture),
        "PIL": pil,
        "PIL with alpha": pil.convert("RGBA"),
        "HWC uint8": hwc,
        "HWC uint8, a view": np.asfortranarray(hwc),
        "CHW float32": chw,
        "CHW float32, read-only": np.frombuffer(chw.tobytes(), np.float32).reshape(chw.shape),
        "torch uint8": torch.from_numpy(hwc.copy()),
        "torch float32": torch.from_numpy(chw),
        "torch parameter": torch.nn.Parameter(torch.from_numpy(chw)),
        "batch NCHW": chw[None],
        "batch NHWC": hwc[None],
        "torch batch": torch.from_numpy(chw)[None],
    }
    expected = tiny(picture).logits
    assert expected.shape == (1, 3) and expected.dtype == np.float32
    for kind, value in inputs.items():
        assert np.array_equal(tiny(value).logits, expected), kind
    mixed = tiny([value for value in inputs.values() if np.ndim(value) != 4])
    assert np.array_equal(mixed.logits, np.repeat(expected, len(mixed), axis=0))
    assert np.array_equal(tiny(p for p in [picture, picture]).logits, np.repeat(expected, 2, 0))


def test_no_pictures_give_an_empty_result(tiny):
    result = tiny([])
    assert len(result) == 0 and result.labels == [] and result.kept == []
    assert result.logits.shape == (0, 3)
    assert result.tokens_per_layer.shape == (0, tiny.config["depth"])
    assert repr(result) == "<tokensieve.Result of no pictures>"


@pytest.mark.parametrize(
    "value, message",
    [
        (np.zeros((8, 8, 3)), r"got float64 \[8, 8, 3\]"),
        (np.zeros((3, 56, 56), np.float16), r"got float16 \[3, 56, 56\]"),
        (np.zeros((8, 8), np.uint8), r"got uint8 \[8, 8\]"),
        (np.zeros((8, 8, 4), np.uint8), r"got uint8 \[8, 8, 4\]"),
        (np.zeros((0, 8, 3), np.uint8), r"\[0, 8, 3\]"),
        ([np.zeros((1, 3, 56, 56), np.float32)], r"got float32 \[1, 3, 56, 56\]"),
        (np.zeros((1, 56, 56), np.float32), r"float32 arrays \[3, height, width\], got \[1, 56, 56\]"),
        (np.zeros((3, 50, 56), np.float32), "multiple"),
        (np.zeros((3, 0, 56), np.float32), "0"),
        (7, "expected paths, PIL images or arrays, got int"),
        ([7], "expected a path, PIL image or array, got int"),
        (None, "got NoneType"),
        ({"a": 1}, "got dict"),
    ],
)
def test_wrong_inputs_are_named(tiny, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(value)


# --- recipes --------------------------------------------------------------------------------------


def test_densities_of_a_call_replace_the_recipes_own(tiny, picture):
    assert tiny.recipe == ts.Recipe("evit(keep=0.5, fuse)")
    assert [tiny(picture, keep=keep).traces[0].sites[0].rows for keep in (0.9, 0.5)] == [17, 10]
    gone = [tiny(picture, recipe="evit(keep=0.7)", keep=keep) for keep in (1, 0.5, 0.25)]
    assert [len(result.kept[0]) for result in gone] == [16, 2, 1]
    by_text = tiny(picture, recipe="evit(mass=0.3)", mass=0.9)
    by_recipe = tiny(picture, recipe=ts.Recipe("evit(mass=0.9)"))
    assert by_text.recipe == by_recipe.recipe
    assert np.array_equal(by_text.kept[0], by_recipe.kept[0])
    loose, tight = (tiny(picture, recipe="evit(threshold=1)", threshold=t) for t in (1e-6, 0.06))
    assert len(loose.kept[0]) == 16 > len(tight.kept[0])


@pytest.mark.parametrize(
    "call, message",
    [
        ({"recipe": "evti(keep=0.7)"}, "did you mean 'evit'"),
        ({"recipe": "evit(kep=0.7)"}, "did you mean 'keep'"),
        ({"recipe": "evit(keep=1.5)"}, r"\(0, 1\]"),
        ({"recipe": "evit(keep=0.5, sites=3/99)"}, "99"),
        ({"recipe": ""}, "expected a method"),
        ({"keep": 0}, r"\(0, 1\]"),
        ({"mass": 0.9}, "expected keep, the density of"),
        ({"keep": 0.5, "threshold": 0.1}, "expected keep, the density of"),
        ({"recipe": "dense", "keep": 0.5}, "expected a recipe with a density to set keep"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
    ],
)
def test_wrong_recipes_are_explained(tiny, picture, call, message):
    with pytest.raises(ValueError, match=message):
        tiny(picture, **call)


@pytest.mark.parametrize(
    "text", ["dense", "evit", "evit(keep=0.9/0.8/0.7)", "evit(mass=0.9, fuse)", "random(seed=4)"]
)
def test_recipes_round_trip(text):
    recipe = ts.Recipe(text)
    assert ts.Recipe(str(recipe)) == recipe and hash(ts.Recipe(str(recipe))) == hash(recipe)
    assert eval(repr(recipe), {"Recipe": ts.Recipe}) == recipe
    assert recipe.is_dense == (text == "dense")
    assert recipe.density_key == {"dense": "", "evit(mass=0.9, fuse)": "mass"}.get(text, "keep")


def test_recipe_words_are_listed():
    assert "evit" in ts.recipe_words("method")
    assert "top_k" in ts.recipe_words("select")
    with pytest.raises(ValueError, match="did you mean 'score'"):
        ts.recipe_words("scor")


# --- loading and converting -----------------------------------------------------------------------


def test_missing_folders_and_bad_options_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="nowhere"):
        ts.load(tmp_path / "nowhere")
    with pytest.raises(RuntimeError, match="config.json"):
        ts.load(tmp_path)
    folder = write_tiny_model(tmp_path / "model")
    with pytest.raises(ValueError, match="top must be 1 or more, got 0"):
        ts.load(folder, top=0)
    with pytest.raises(ValueError, match="threads must be 0 .*got -1"):
        ts.load(folder, threads=-1)


def test_a_default_recipe_that_does_not_fit_is_told_on_loading(tmp_path):
    folder = write_tiny_model(tmp_path / "model", recipe="evit(keep=0.5, sites=3/40)")
    with pytest.raises((RuntimeError, ValueError), match="40"):
        ts.load(folder)


def test_convert_checks_its_arguments(tmp_path):
    network = random_timm("vit_tiny_patch16_224", img_size=32, num_classes=3, depth=2)
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="there exists; name a new folder"):
        ts.convert(network, tmp_path / "there")
    with pytest.raises(ValueError, match="expected 3 labels, one a class, got 2"):
        ts.convert(network, tmp_path / "new", labels=["a", "b"])
    with pytest.raises(ValueError, match="dtype must be 'f32' or 'bf16', got 'bf61'.*did you mean"):
        ts.convert(network, tmp_path / "new", dtype="bf61")
    with pytest.raises(ValueError, match="did you mean 'evit'"):
        ts.convert(network, tmp_path / "new", recipe="evitt")
    with pytest.raises(ValueError, match="3"):  # a site the network does not have
        ts.convert(network, tmp_path / "new", recipe="evit(keep=0.5)")
    with pytest.raises(ValueError, match="expected a timm vision transformer, got Linear"):
        ts.convert(torch.nn.Linear(2, 2), tmp_path / "new")
    with pytest.raises(ValueError, match="no model 'deit_smal_patch16_224'.*did you mean"):
        ts.convert("deit_smal_patch16_224", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


# --- results --------------------------------------------------------------------------------------


def test_a_result_is_consistent(tiny, pictures):
    result = tiny(pictures[:3], recipe="evit(keep=0.5, fuse)")
    assert len(result) == 3 and result.seconds > 0
    assert result.recipe == ts.Recipe("evit(keep=0.5, fuse)")
    odds = np.exp(result.logits - result.logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    for index, guesses in enumerate(result.top()):
        order = np.argsort(-odds[index], kind="stable")
        assert [name for name, _ in guesses] == [LABELS[i] for i in order]
        assert [p for _, p in guesses] == pytest.approx(odds[index][order], rel=1e-5)
        assert result.labels[index] == guesses[0][0]
        assert result.top(1)[index] == guesses[:1]
    assert result.tokens_per_layer.tolist() == [[17] * 3 + [10] * 3 + [7] * 3 + [5]] * 3
    for kept, trace in zip(result.kept, result.traces):
        assert kept.dtype == np.int32 and (np.diff(kept) > 0).all() and kept.max() < 16
        assert trace.num_tokens == 16 and trace.num_prefix_tokens == 1
        assert [site.site for site in trace.sites] == [f"after_attention:{i}" for i in (3, 6, 9)]
        assert [site.layer for site in trace.sites] == [3, 6, 9]
        last = trace.sites[-1]
        assert np.flatnonzero(last.fate == "kept").tolist() == kept.tolist()
        assert set(last.fate) == {"kept", "fused"}
        assert (last.row[kept] > 0).all() and (last.weight[kept] == 1).all()
        assert (trace.dropped_at() == -1).nonzero()[0].tolist() == kept.tolist()
        assert set(trace.kept_indices(2)) < set(trace.kept_indices(0))
        with pytest.raises(ValueError):
            trace.kept_indices(3)
    for output, macs in zip(result._outputs, result.macs):
        by_kind = output.macs_by_kind
        assert by_kind.pop("total") == macs == sum(by_kind.values())


def test_logits_that_are_no_numbers_have_no_label(tiny):
    whole = tiny.preprocess(np.zeros((40, 40, 3), np.uint8))
    result = tiny([np.full_like(whole, np.nan), whole])
    assert np.isnan(result.logits[0]).all() and result.labels[0] == "" and result.labels[1] != ""


def test_top_is_clamped_to_the_classes_and_to_what_was_asked(tiny, tiny_folder, picture):
    assert len(tiny(picture).top(50)[0]) == 3
    with pytest.raises(ValueError, match="expected k of 0 or more, got -1"):
        tiny(picture).top(-1)
    assert len(ts.load(tiny_folder, top=2)(picture).top()[0]) == 2


def test_a_trace_says_how_often_ats_drew_each_token(tiny, picture):
    site = tiny(picture, recipe="ats(keep=1)").traces[0].sites[0]
    assert site.draws.dtype == np.int32 and site.draws.sum() == 16  # one draw a token of the input
    assert ((site.fate == "kept") == (site.draws > 0)).all()
    assert tiny(picture, recipe="evit").traces[0].sites[0].draws.size == 0


def test_texts_name_what_there_is(tiny, picture):
    assert re.fullmatch(
        r"<tokensieve.Model vit_tiny_patch16_224: 10 blocks, 64 wide, 3 classes, recipe 'score=.*'>",
        repr(tiny),
    )
    result = tiny([picture] * 4)
    label = result.labels[0]
    assert repr(result).startswith(f"<tokensieve.Result of 4: '{label}', '{label}', '{label}', ...;")
    assert repr(result.traces[0]) == "<RetentionTrace of 16 tokens, 3 sites>"
    assert repr(result.traces[0].sites[0]) == "<SiteTrace after_attention:3, 10 rows>"


needs_viz = pytest.mark.skipif(not hasattr(core, "Picture"), reason="built without OpenCV")


@needs_viz
def test_masked_heads_are_drawn_and_saved(tiny_folder, picture, tmp_path):
    masks = {"heads": [[0], [], [0, 1]] + 7 * [[]], "rows": 1, "columns": 1, "kind": "hard", "sees_prefix": True}
    model = ts.load(write_masked_model(tiny_folder, tmp_path / "masked", masks))
    assert model.config["attention_masks"] == masks
    result = model(picture, recipe="evit(keep=0.5, fuse, sites=1)")
    drawn = result.masks()
    assert drawn.dtype == np.uint8 and drawn.shape[2] == 3
    assert not np.array_equal(result.masks(patch=0), drawn)
    result.save(tmp_path / "strip.png")
    with Image.open(tmp_path / "strip.png") as saved:
        assert saved.height == result.strip().shape[0] + drawn.shape[0]
        assert np.array_equal(np.asarray(saved.convert("RGB"))[-drawn.shape[0] :, : drawn.shape[1]], drawn)
    result.save(tmp_path / "page.html")
    assert "<h3>masked heads</h3>" in (tmp_path / "page.html").read_text()
    with pytest.raises(ValueError, match="one of the 16 patches"):
        result.masks(patch=16)
    plain = ts.load(tiny_folder)
    assert plain.config["attention_masks"] is None and plain(picture).masks() is None


def test_strips_are_drawn_and_saved(tiny, picture, tmp_path):
    result = tiny([picture, picture])
    strip = result.strip(1)
    assert strip.dtype == np.uint8 and strip.ndim == 3 and strip.shape[2] == 3
    result.save(tmp_path / "strip.png", index=1)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "strip.png").convert("RGB")), strip)
    result.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "tiles.png" in page and "http://" not in page.replace("http://www.w3.org", "")
    assert "src=\"data:image/png;base64," in result._repr_html_()
    assert {path.name for path in tmp_path.iterdir()} == {"tiles.png", "strip.png", "page.html"}
    with pytest.raises(ValueError, match="ends in .png or .html, got .*strip.gif"):
        result.save(tmp_path / "strip.gif")


@needs_viz
def test_what_has_no_picture_is_not_drawn(tiny):
    result = tiny(random_pixels(1, 56))
    with pytest.raises(ValueError, match="expected a picture, got a normalised array"):
        result.strip()
    assert result._repr_html_().startswith("<pre>&lt;tokensieve.Result of 1")


# --- threads and processes ------------------------------------------------------------------------


def ticks_during(work):
    """How often this thread gets to run while another one does the work."""
    runner = threading.Thread(target=work)
    ticks = 0
    runner.start()
    while runner.is_alive():
        time.sleep(0.001)
        ticks += 1
    return ticks


def test_the_gil_is_released_while_the_network_runs(deit_small):
    _, model = deit_small
    pixels = random_pixels(4, 224).numpy()
    model(pixels[:1])
    assert ticks_during(lambda: model(pixels)) > 10


BIG = np.zeros((3000, 3000, 3), np.uint8)


@pytest.mark.parametrize(
    "work",
    [
        lambda: core.resize(BIG, 2500, 2500, "lanczos"),
        lambda: core.encode_png(BIG),
    ],
    ids=["resize", "encode_png"],
)
def test_the_gil_is_released_while_pictures_are_worked_on(work):
    if not hasattr(core, "Picture") and "encode_png" in work.__code__.co_names:
        pytest.skip("this build draws no pictures")
    assert ticks_during(work) > 10


def test_threads_share_a_model(tiny, pictures):
    recipes = ["dense", "evit(keep=0.5, fuse)", "evit(mass=0.7)", "random(keep=0.3)"] * 4
    expected = [tiny(pictures, recipe=recipe).logits for recipe in recipes]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda recipe: tiny(pictures, recipe=recipe).logits, recipes))
    for ours, theirs in zip(found, expected):
        assert np.array_equal(ours, theirs)


def run_python(code, *arguments):
    """Runs a program in a process of its own; a hang is a failure."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT / "tests")
    assert done.returncode == 0, done.stderr
    return done.stdout


FORK = """
import multiprocessing, sys
import numpy as np
import tokensieve as ts

model = ts.load(sys.argv[1], threads=2)
pixels = np.random.default_rng(0).standard_normal((4, 3, 56, 56), np.float32)
before = model(pixels).logits

def child(_):
    return model(pixels).logits, ts.load(sys.argv[1])(pixels).logits

with multiprocessing.get_context("fork").Pool(2) as pool:
    for logits in pool.map_async(child, range(4)).get(60):
        assert np.allclose(logits, before, rtol=1e-5, atol=1e-5)
assert np.array_equal(model(pixels).logits, before)
"""


def test_a_forked_child_runs_the_model_of_its_parent(tiny_folder):
    run_python(FORK, tiny_folder)


@pytest.mark.parametrize("first", ["torch", "tokensieve"])
def test_torch_lives_in_the_same_process(tiny_folder, first):
    code = f"""
import sys
import {first}
import torch
import tokensieve as ts
import numpy as np
model = ts.load(sys.argv[1], threads=2)
pixels = torch.randn(2, 3, 56, 56)
a = model(pixels).logits
product = torch.randn(512, 512) @ torch.randn(512, 512)
assert torch.isfinite(product).all()
assert np.array_equal(model(pixels).logits, a)
"""
    run_python(code, tiny_folder)


def test_importing_needs_numpy_alone():
    code = """
import sys
import tokensieve
heavy = {"torch", "timm", "PIL", "safetensors", "transformers"} & set(sys.modules)
assert not heavy, heavy
"""
    run_python(code)


def test_the_package_holds_one_copy_of_the_library():
    libraries = pathlib.Path(core.__file__).parent / "lib"
    if not libraries.exists():
        pytest.skip("this is a build tree, not an installed package")
    assert len(list(libraries.glob("libtokensieve*"))) == 1
