"""The benchmarks run, and write the figures that they print."""

import json
import subprocess
import sys

from command import program
from conftest import ROOT
from tiny_model import write_picture


def test_the_footprint_is_printed_and_written(tiny_folder, tmp_path):
    for index in range(2):
        write_picture(tmp_path / "pictures" / f"{index}.jpg", seed=index)
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "bench_footprint.py", tiny_folder,
            tmp_path / "pictures", "--program", program(), "--batch", "2", "--runs", "1",
            "--json", figures,
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = json.loads(figures.read_text())
    assert read["batch"] == 2 and read["runs"] == 1
    assert f"{read['peak_over_weights']:.2f} times the weights" in done.stdout
    assert f"{read['one_picture_seconds']:.3f} s from start to end" in done.stdout
    assert read["peak_bytes"] > read["weights_bytes"] > 1e6
