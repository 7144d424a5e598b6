"""What the tests of `tokensieve-train` share: a network and pictures of a few kilobytes, and calls."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

from PIL import Image
from safetensors.numpy import load_file, save_file
from tiny_model import write_tiny_model

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("TOKENSIEVE_BUILD", ROOT / "build" / "test"))
PROGRAM = BUILD / "bin" / "tokensieve-train"

if os.environ.get("TOKENSIEVE_REQUIRE_NN"):
    assert PROGRAM.exists(), f"{PROGRAM} is not built: LibTorch was not found"

needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built (TOKENSIEVE_NN)")

CONFIG = {
    "method": {"name": "dynamicvit", "keep": 0.7, "sites": [3, 6, 9]},
    "held_out": 0.25,
    "epochs": 6,
    "batch": 4,
    "optimizer": {"learning_rate": 1e-3, "predictor_learning_rate": 1e-3, "warmup_epochs": 1, "ema": 0.9},
    "log_every": 1,
    "save_every": 2,
}

LABELING = {"name": "token_labeling", "label_classes": 3}


@pytest.fixture
def place(tmp_path):
    """A folder with a start, pictures of three colours and a config."""
    write_tiny_model(tmp_path / "start", labels=["blue", "green", "red tiles"])
    generator = np.random.default_rng(0)
    for label, name in enumerate(["red_tiles", "green", "blue"]):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for index in range(12):
            pixels = generator.integers(0, 120, (60, 64, 3), dtype=np.uint8)
            pixels[..., label] += 100
            Image.fromarray(pixels).save(folder / f"{index}.png")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def command(place, out, *more):
    paths = ["--data", place / "data", "--start", place / "start", "--teacher", place / "start"]
    return [PROGRAM, place / "config.json", *paths, "--out", place / out, "--threads", "1", *more]


def run(place, out, *more):
    return subprocess.run(command(place, out, *more), capture_output=True, text=True)


def probe(folder, tensors, scratch):
    """What nn computes on a folder; see tests/parity/nn_probe.cpp."""
    save_file(tensors, scratch / "in.safetensors")
    subprocess.run(
        [BUILD / "bin" / "nn_probe", folder, scratch / "in.safetensors", scratch / "out.safetensors"], check=True
    )
    return load_file(scratch / "out.safetensors")
