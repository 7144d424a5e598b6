"""DynamicViT over its keep rates against a dense model of equal training and against random drop.

For every keep rate, on the same test pictures:

    top-k      dynamicvit(keep=K)
    threshold  dynamicvit(threshold=T), another count for each picture, T chosen on the calibration pictures so
               that its mean multiply-adds are those of top-k there
    random     the control: any tokens of the same network, at the same sites, at no fewer multiply-adds
    random, dense model     the same of the dense model

Prints top-1, the paired difference to the dense model and, for top-k, the paired difference to random drop, each
with a 95 % interval (Agresti and Min 2005); --json writes all of it, and what there is after every keep rate.

    python benchmarks/dynamicvit_curve.py IMAGENETTE/test --calibrate runs/dynamicvit/held_out.txt \\
        --model weights/vit_s14_imagenette --dense weights/vit_s14_imagenette_dense
"""

import argparse
import json
import pathlib
import sys

from judging import Judge, paired, points
from whole_file import write_whole

import tokensieve as ts

KEEPS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]


def threshold_for(judge, model, sites, macs):
    """The threshold whose mean multiply-adds come closest to `macs`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        _, used, _ = judge.run(model, f"dynamicvit(threshold={middle}, sites={sites})")
        low, high = (middle, high) if used > macs else (low, middle)
    return round((low + high) / 2, 5)


def random_recipe(keep, sites):
    return f"score=random | select=top_k({keep}, of=input, round=floor) | drop=gone | at=before:{sites}"


def random_for(judge, model, sites, keep, macs):
    """The random drop that keeps as few tokens as it can at `macs` multiply-adds or more."""
    for extra in range(200):
        recipe = random_recipe(min(1.0, round(keep + extra * 0.002, 4)), sites)
        if judge.macs(model, recipe) >= macs:
            return recipe
    return "dense"


def entry(name, recipe, right, macs, dense, random=None):
    found = {"name": name, "recipe": recipe, "top1": float(right.mean()), "gmacs": macs / 1e9}
    found["against_dense"] = paired(right, dense)
    if random is not None:
        found["against_random"] = paired(right, random)
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("test", type=pathlib.Path, help="folder or list of the pictures to judge on")
    parser.add_argument("--calibrate", type=pathlib.Path, required=True, help="pictures thresholds are chosen on")
    parser.add_argument("--model", required=True, help="DynamicViT's folder")
    parser.add_argument("--dense", required=True, help="the dense model of equal training")
    parser.add_argument("--sites", default="3/6/9")
    parser.add_argument("--keeps", type=float, nargs="+", default=KEEPS)
    parser.add_argument("--top-k-only", action="store_true", help="no thresholds and no random drop")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    model = ts.load(options.model, threads=options.threads)
    dense = ts.load(options.dense, threads=options.threads)
    calibration = Judge(options.calibrate, model)
    test = Judge(options.test, model)
    sites = options.sites

    baseline, macs, _ = test.run(dense, "dense")
    own, _, _ = test.run(model, "dense")
    rows = [entry("dense model", "dense", baseline, macs, baseline)]
    rows.append(entry("all tokens", "dense", own, macs, baseline))
    for keep in options.keeps:
        recipe = f"dynamicvit(keep={keep}, sites={sites})"
        right, macs, _ = test.run(model, recipe)
        if options.top_k_only:
            rows.append(entry("top-k", recipe, right, macs, baseline))
        else:
            control = random_for(test, model, sites, keep, macs)
            chance, chance_macs, _ = test.run(model, control)
            rows.append(entry("top-k", recipe, right, macs, baseline, chance))
            limit = threshold_for(calibration, model, sites, calibration.run(model, recipe)[1])
            adaptive = f"dynamicvit(threshold={limit}, sites={sites})"
            rows.append(entry("threshold", adaptive, *test.run(model, adaptive)[:2], baseline, chance))
            rows.append(entry("random", control, chance, chance_macs, baseline))
            rows.append(entry("random, dense model", control, *test.run(dense, control)[:2], baseline))
        print(f"keep {keep}: {100 * right.mean():.2f} %", file=sys.stderr)
        if options.json:
            found = {"pictures": len(test.labels), "calibration": len(calibration.labels), "rows": rows}
            write_whole(options.json, json.dumps(found, indent=1) + "\n")

    print(f"{len(test.labels)} pictures; differences in points, 95 % intervals\n")
    print(f"{'':20} {'top-1 %':>8} {'GMACs':>6}  {'against dense':26} against random")
    for row in rows:
        random = points(row["against_random"]) if "against_random" in row else ""
        figures = f"{row['name']:20} {100 * row['top1']:8.2f} {row['gmacs']:6.3f}"
        print(f"{figures}  {points(row['against_dense']):26} {random:26} {row['recipe']}")


if __name__ == "__main__":
    main()
