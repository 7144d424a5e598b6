"""The code of the documents runs: Python block after block, the commands of docs/methods.md one by one."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import tokensieve as ts
import torch
from command import program, run
from conftest import ROOT, random_timm
from tiny_model import write_picture

sys.path.insert(0, str(ROOT / "scripts"))
import docs_pictures  # noqa: E402

METHODS = ROOT / "docs" / "methods.md"
METHOD_COMMANDS = docs_pictures.commands(METHODS)
SHIPPED_COMMANDS = [words for words in METHOD_COMMANDS if not docs_pictures.trained_models(words)]


@pytest.fixture
def run_blocks(monkeypatch):
    """Runs the Python blocks of a document from the project's root; returns the names they leave."""
    if not (ROOT / "weights" / "vit_s14_imagenette").exists():
        pytest.skip("the shipped model is not there")
    monkeypatch.chdir(ROOT)

    def run(document):
        text = (ROOT / document).read_text(encoding="utf-8")
        blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
        assert blocks
        names = {}
        for match in blocks:
            line = text[: match.start(1)].count("\n")
            exec(compile("\n" * line + match.group(1), document, "exec"), names)
        return names

    return run


@pytest.mark.parametrize("part", ["method", "score", "select", "drop", "reduce", "at", "exit"])
def test_the_format_names_every_word_of_recipes(part):
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    text = text[text.index("## Recipes") :]
    missing = [word for word in ts.recipe_words(part) if not re.search(rf"\b{word}\b", text)]
    assert not missing


def test_the_readme_runs(run_blocks):
    names = run_blocks("README.md")
    assert names["result"].labels == ["golf ball"]
    assert 0 < len(names["result"].kept[0]) < 144
    assert names["result"].macs[0] > 1e9


def test_the_python_guide_runs(run_blocks, capsys):
    names = run_blocks("docs/python.md")
    said = capsys.readouterr().out
    assert said.startswith("['golf ball']\n[[('golf ball', ")
    assert names["read"].labels == ["positive", "negative"]
    assert (names["out"] / "strip.png").exists() and (names["out"] / "texts.html").exists()
    assert names["half"].macs[0] < 0.75 * names["dense"].macs[0]
    assert len(names["table"]) == 3 and (names["out"] / "report.html").exists()


@pytest.fixture(scope="session")
def methods_folder(tmp_path_factory):
    """What the commands of docs/methods.md find: weights, sample pictures, a masked model, DATA."""
    if not (ROOT / "weights" / "vit_s14_imagenette_dense").exists():
        pytest.skip("the shipped models are not there")
    folder = tmp_path_factory.mktemp("methods")
    for name in ("weights", "demos"):
        (folder / name).symlink_to(ROOT / name)
    docs_pictures.make_masked_model(METHODS, folder / "vit_mait")
    for name in ("golf_ball", "tench"):
        (folder / "DATA" / name).mkdir(parents=True)
        shutil.copy(ROOT / "demos" / "images" / f"{name}.jpg", folder / "DATA" / name)
    return folder


@pytest.mark.parametrize("words", SHIPPED_COMMANDS, ids=" ".join)
def test_a_command_of_the_methods_page_runs(words, methods_folder):
    if words[0] == "tokensieve":
        run(*words[1:], *(["--rounds", "1"] if words[1] == "evaluate" else []), cwd=methods_folder)
    else:
        build = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test"))
        if not (build / "bin" / words[0]).exists():
            pytest.skip(f"{words[0]} is not built (TOKENSIEVE_NN)")
        subprocess.run([build / "bin" / words[0], *words[1:]], cwd=methods_folder, check=True)
    for option in ("--out", "--plot"):
        if option in words:
            assert (methods_folder / words[words.index(option) + 1]).exists()


def test_the_walk_through_of_training_runs(tmp_path):
    """All of its commands in order, on a DeiT-Ti and a few pictures, with an epoch for each run."""
    build = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test"))
    if not (build / "bin" / "tokensieve-train").exists():
        pytest.skip("tokensieve-train is not built (TOKENSIEVE_NN)")
    commands = re.search(r"^```sh\n(.*?)^```$", (ROOT / "docs" / "training.md").read_text(), re.DOTALL | re.MULTILINE)[1]
    commands = commands.replace("deit_small_patch16", "deit_tiny_patch16")
    for config in re.findall(r"demos/train/\w+\.json", commands):
        short = json.loads((ROOT / config).read_text()) | {"epochs": 1, "batch": 2, "accumulate": 1}
        short["optimizer"] = short["optimizer"] | {"warmup_epochs": 0}
        (tmp_path / config).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / config).write_text(json.dumps(short))
    for number, label in enumerate(("cat", "dog")):
        for part, count in (("train", 4), ("test", 1)):
            for index in range(count):
                write_picture(tmp_path / "photos" / part / label / f"{index}.jpg", seed=10 * number + index)
    network = random_timm("deit_tiny_patch16_224")
    torch.save(network.state_dict(), tmp_path / "deit_small.pth")
    paths = [str(pathlib.Path(place).parent) for place in (build / "bin" / "x", program(), sys.executable)]
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import torchvision_shim\n")
    environment = os.environ | {"PATH": ":".join([*paths, os.environ["PATH"]])}
    environment["PYTHONPATH"] = f"{tmp_path / 'site'}:{ROOT / 'tests' / 'python'}"
    done = subprocess.run(["bash", "-e"], input=commands, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "@runs/both" in done.stdout and (tmp_path / "kept.html").exists()


def test_every_picture_of_the_methods_page_is_drawn_by_a_command_on_it():
    text = METHODS.read_text(encoding="utf-8")
    shown = re.findall(r"\]\(images/(\w+)\.png\)", text)
    outs = [words[words.index("--out") + 1] for words in METHOD_COMMANDS if "--out" in words]
    drawn = [out.removesuffix(".png") for out in outs if not out.endswith(".html")]
    assert shown == drawn
    for name in shown:
        assert 0 < (ROOT / "docs" / "images" / f"{name}.png").stat().st_size < 150_000


LEARNED_PARTS = ["adapler", "pabee"]


def test_every_method_has_a_section_with_a_picture():
    sections = re.split(r"^## ", METHODS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    text = "\n".join(section for section in sections if "](images/" in section)
    missing = [word for word in ts.recipe_words("method") if f"'{word}(" not in text]
    assert missing == ["dense", *LEARNED_PARTS]
    for word in LEARNED_PARTS:  # no model that has them is here to draw from
        assert any(f'"{word}(' in section for section in sections), word


def test_the_worked_example_is_the_code_that_is_built():
    text = (ROOT / "docs" / "adding_a_method.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "demos" / "adding_a_method").glob("*.[hc]*"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    blocks = re.findall(r"^```cpp\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    for block in blocks:
        assert block in code
