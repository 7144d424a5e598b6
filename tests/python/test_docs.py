"""The code of docs/python.md runs, block after block."""

import re

import pytest
from conftest import ROOT


def test_the_python_guide_runs(monkeypatch, capsys):
    if not (ROOT / "weights" / "vit_s14_imagenette").exists():
        pytest.skip("the shipped model is not there")
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = {}
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        line = text[: match.start(1)].count("\n")
        code = compile("\n" * line + match.group(1), "docs/python.md", "exec")
        exec(code, names)
    said = capsys.readouterr().out
    assert said.startswith("['golf ball']\n[[('golf ball', ")
    assert names["half"].macs[0] < 0.75 * names["dense"].macs[0]
    assert len(names["table"]) == 3 and (names["out"] / "report.html").exists()
