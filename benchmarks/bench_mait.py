"""Times a DeiT-S with MaiT's masked heads against the same network without.

One process, one run: every contender is timed once a round, in turn. Prints the median in milliseconds an image, and
round by round the ratio to the network without masks; writes JSON with --json. The kernel alone is timed by
`build/release/bin/test_engine "[masked_speed]"` (a build with tests).

    pip install timm torch
    python benchmarks/bench_mait.py --batch 1 8
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "python"))

from bench_vit import cpu_name, measure  # noqa: E402

DEPTH, HEADS, THIRD = 12, 6, 4
ALL = list(range(HEADS))
MASKS = {
    "without masks": None,
    "all heads, then one, then none": {"heads": [ALL] * THIRD + [[0]] * THIRD + [[]] * THIRD},
    "all heads, then one": {"heads": [ALL] * THIRD + [[0]] * (DEPTH - THIRD)},
    "one head in every block": {"heads": [[0]] * DEPTH},
    "all heads": {"heads": [ALL] * DEPTH},
    "all heads, 5 x 5": {"heads": [ALL] * DEPTH, "rows": 2, "columns": 2},
    "all heads, 13 x 13": {"heads": [ALL] * DEPTH, "rows": 6, "columns": 6},
}


def contenders(batch, threads, scratch):
    """Name -> (callable that runs one batch, MACs an image)."""
    import numpy as np
    import torchvision_shim  # noqa: F401
    import timm

    import tokensieve as ts

    folder = scratch / "model"
    if not folder.exists():
        ts.convert(timm.create_model("deit_small_patch16_224", pretrained=False), folder)
    plain = json.loads((folder / "config.json").read_text())
    images = list(np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32))
    runs = {}
    for name, masks in MASKS.items():
        config = plain | ({"tokensieve": {"attention_masks": masks}} if masks else {})
        (folder / "config.json").write_text(json.dumps(config))
        model = ts.load(folder, threads=threads)
        macs = int(model(images, batch=batch).macs.mean())
        runs[name] = (lambda core=model._core, recipe=ts.Recipe("dense"): core.run(images, recipe), macs)
    (folder / "config.json").write_text(json.dumps(plain))
    return runs


def main():
    import numpy as np

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    print(f"{cpu_name()}, {options.threads} threads, {options.rounds} rounds in turn")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for batch in options.batch:
            runs = contenders(batch, options.threads, pathlib.Path(scratch))
            times = measure(runs, options.rounds, options.warmup)
            dense, dense_macs = times["without masks"], runs["without masks"][1]
            print(f"\nDeiT-S, batch {batch}: milliseconds an image")
            print(f"{'median':>8} {'speed-up':>9} {'quartiles':>14} {'by MACs':>8}  masked")
            for name, values in times.items():
                middle = 1e3 * np.median(values) / batch
                low, ratio, high = np.quantile(dense / values, [0.25, 0.5, 0.75])
                macs = dense_macs / runs[name][1]
                print(f"{middle:8.2f} {ratio:9.3f} {low:6.3f} to {high:.3f} {macs:7.3f}  {name}")
                row = {"batch": batch, "masked": name, "median_ms": float(middle)}
                row |= {"speedup": float(ratio), "speedup_quartiles": [float(low), float(high)]}
                rows.append(row | {"macs_ratio": macs})
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"cpu": cpu_name(), "threads": options.threads, "rows": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
