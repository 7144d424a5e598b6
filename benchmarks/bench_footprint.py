"""Peak memory and time to the first result of the `tokensieve` program, as whole processes.

    python benchmarks/bench_footprint.py weights/vit_s14_imagenette demos/images

Prints the largest resident set at a batch (against the weights as float32) and the seconds from the
start of the process to its end for a single picture: the median of several runs.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time


def run(command):
    """(seconds, peak resident bytes) of one finished process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed with status {status}")
    return seconds, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="model folder")
    parser.add_argument("images", help="folder of pictures, at least one batch of them")
    parser.add_argument("--program", default="tokensieve")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    info = json.loads(
        subprocess.run(
            [options.program, "info", options.model, "--json"], check=True, capture_output=True
        ).stdout
    )
    weights = 4 * info["parameters"]
    base = [options.program, "classify", "--model", options.model, "--no-dense", "--repeat", "1"]
    picture = sorted(pathlib.Path(options.images).glob("*.jpg"))[0]
    one = [run([*base, str(picture)]) for _ in range(options.runs)]
    many = [
        run([*base, "--batch", str(options.batch), options.images]) for _ in range(options.runs)
    ]
    seconds = statistics.median(s for s, _ in one)
    peak = max(bytes_ for _, bytes_ in many)
    print(f"weights as float32: {weights / 1e6:.1f} MB")
    print(f"one picture: {seconds:.3f} s from start to end")
    print(f"batch {options.batch}: peak {peak / 1e6:.1f} MB = {peak / weights:.2f} times the weights")
    if options.json:
        figures = {
            "model": options.model,
            "batch": options.batch,
            "runs": options.runs,
            "weights_bytes": weights,
            "one_picture_seconds": seconds,
            "peak_bytes": peak,
            "peak_over_weights": peak / weights,
        }
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
