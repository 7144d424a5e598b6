"""The Python code of the documents runs, block after block."""

import re

import pytest
import tokensieve as ts
from conftest import ROOT


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
    assert 0 < len(names["result"].kept[0]) < 100
    assert names["result"].macs[0] > 1e9


def test_the_python_guide_runs(run_blocks, capsys):
    names = run_blocks("docs/python.md")
    said = capsys.readouterr().out
    assert said.startswith("['golf ball']\n[[('golf ball', ")
    assert names["half"].macs[0] < 0.75 * names["dense"].macs[0]
    assert len(names["table"]) == 3 and (names["out"] / "report.html").exists()
