"""The package carries its types, and they hold."""

import pathlib
import subprocess
import sys

import tokensieve

PACKAGE = pathlib.Path(tokensieve.__file__).parent


def test_the_stubs_are_installed():
    assert (PACKAGE / "py.typed").exists()
    stub = (PACKAGE / "_tokensieve.pyi").read_text()
    for name in ("class Classifier", "class Recipe", "class RetentionTrace", "class Tokenizer", "def read_image"):
        assert name in stub


# What the package imports is not looked into: torch alone takes mypy minutes.
SETTINGS = """
[mypy]
strict = True
disallow_any_generics = False
warn_return_any = False
disallow_subclassing_any = False
[mypy-numpy.*,torch.*,timm.*,PIL.*,safetensors.*]
follow_imports = skip
follow_imports_for_stubs = True
ignore_missing_imports = True
"""


def mypy(folder, target):
    """What mypy says of a file or package; `folder` is for its own files."""
    (folder / "mypy.ini").write_text(SETTINGS)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-incremental"]
    command += ["--config-file", str(folder / "mypy.ini"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    return done.stdout + done.stderr


def test_the_package_type_checks(tmp_path):
    said = mypy(tmp_path, PACKAGE)
    # mypy grumbles at its own helpers where they lie beside the package
    assert [line for line in said.splitlines() if f"{PACKAGE}/" in line] == [], said


def test_a_program_is_checked_against_the_package(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import tokensieve as ts\n"
        "model = ts.load('folder', threads='two')\n"
        "labels: list[int] = model('photo.jpg', keep=0.7).labels\n"
        "ts.Recipe(3)\n"
    )
    said = mypy(tmp_path, program)
    assert [line.split(":")[1] for line in said.splitlines() if "error" in line] == ["2", "3", "4"], said
