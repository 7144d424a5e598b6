"""Draws the pictures of docs/methods.md again, by the commands that stand there.

    python scripts/docs_pictures.py   # needs the installed package, Pillow, and tokensieve-train in PATH

Each command that writes NAME.png, or a folder NAME of a model with masked heads, becomes docs/images/NAME.png:
at most 900 pixels wide, in few colours, so that a clone stays small. Pictures of models under runs/ that are not there
stay as they are.
"""

import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
WIDTHS = (900, 760, 640)
COLOURS = (192, 128, 96, 64)
MOST_BYTES = 150_000
PROGRAMS = ("tokensieve ", "tokensieve-train token-labels ")


def commands(document):
    """The commands of a document's shell blocks, but those that train, as lists of words."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith(PROGRAMS)]


def trained_models(words):
    """The folders of a command that a training has to make first."""
    return [word for word in words if word.startswith("runs/")]


def make_masked_model(document, folder):
    """A copy of the dense model with the masks that the document's JSON block shows."""
    shutil.copytree(ROOT / "weights" / "vit_s14_imagenette_dense", folder)
    text = document.read_text(encoding="utf-8")
    block = re.search(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE).group(1)
    config = json.loads((folder / "config.json").read_text())
    config.setdefault("tokensieve", {}).update(json.loads("{" + block + "}")["tokensieve"])
    (folder / "config.json").write_text(json.dumps(config))


def run(words, folder):
    """Runs a command of the document in `folder`, which stands in for the project's root."""
    program = shutil.which(words[0], path=os.path.dirname(sys.executable)) or words[0]
    if words[0] == "tokensieve":
        program = os.environ.get("TOKENSIEVE_CLI") or program
        words = [*words, "--no-times"]  # times differ, and say nothing of a method
    done = subprocess.run([program, *words[1:]], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(words)}: {done.stderr}")


def shrink(source, target):
    """Writes a picture that a page can show, as wide and in as many colours as fit."""
    with Image.open(source) as picture:
        original = picture.convert("RGB")
    for width, colours in itertools.product(WIDTHS, COLOURS):
        picture = original
        if picture.width > width:
            size = (width, round(picture.height * width / picture.width))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        few = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(target, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            return
    raise RuntimeError(f"{target} has {target.stat().st_size} bytes, more than {MOST_BYTES}")


def main():
    document = ROOT / "docs" / "methods.md"
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name in ("weights", "demos", "runs"):
            (folder / name).symlink_to(ROOT / name)
        make_masked_model(document, folder / "vit_mait")
        for words in commands(document):
            if words[1] not in ("visualize", "token-labels"):
                continue
            if not all((folder / model).exists() for model in trained_models(words)):
                print(f"not here: {shlex.join(words)}")
                continue
            run(words, folder)
            out = folder / words[words.index("--out") + 1]
            if out.is_dir():
                out = next(out.glob("*_masks.png")).rename(out.with_suffix(".png"))
            if out.suffix == ".png":
                target = ROOT / "docs" / "images" / out.name
                shrink(out, target)
                print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
