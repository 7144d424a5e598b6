"""Recipes against controls that drop at the same places and cost no less.

For every recipe, on the same pictures, with the same weights:

    random     any tokens in place of those that the recipe chooses
    top-k      the recipe's own score with a fixed count, the same for every picture (--top-k)

Both keep at each site the mean share of the patches that the recipe keeps there, and as many more as it takes to
cost no fewer multiply-adds. Prints top-1, the paired difference to the dense model and to each control, with 95 %
intervals (Agresti and Min 2005). RECIPE@DIR runs a recipe on the model in another folder.

    python benchmarks/equal_macs.py IMAGENETTE/test --model weights/vit_s14_imagenette_dense \\
        --recipes 'evit(keep=0.7)' 'sait(keep=0.46)@runs/sait/model'
    python benchmarks/equal_macs.py IMAGENETTE/test --model runs/asvit/model --top-k \\
        --recipes 'asvit(threshold=0.001/0.006/0.015)'
"""

import argparse
import json
import math
import pathlib
import sys

from judging import Judge, paired, points
from whole_file import write_whole

import tokensieve as ts


def parts_of(recipe):
    """{"score": ..., "at": ...} of a recipe's long form."""
    return dict(part.split("=", 1) for part in str(ts.Recipe(recipe)).split(" | "))


def control_for(judge, model, recipe, kind, shares, macs):
    """The recipe of a control: kind "random", or "top-k"."""
    parts = parts_of(recipe)
    score = parts.get("score") if kind == "top-k" else "random"
    drop = parts.get("drop") if kind == "top-k" else "gone"
    if score is None or drop is None:
        raise SystemExit(f"--top-k needs a recipe with a score, got {recipe}")
    at = parts["at"].replace("inside_attention", "after_attention")  # as a cut, not a sample
    if at.endswith(".."):  # every block from one on: named, so that each has a share of its own
        sites = model(judge.pixels[:1], recipe=recipe).traces[0].sites
        at = at.split(":")[0] + ":" + "/".join(str(site.layer) for site in sites)
    for extra in range(1000):
        left = [1.0, *(min(1.0, share * (1 + 0.002 * extra)) for share in shares)]
        # A site's number is of the tokens that the one before left; rounded up, since counts are rounded down.
        rates = [min(1.0, math.ceil(1e6 * now / before) / 1e6) for before, now in zip(left, left[1:])]
        keeps = "/".join(f"{rate:.6f}" for rate in rates)
        control = f"score={score} | select=top_k({keeps}, of=input, round=floor) | drop={drop} | at={at}"
        if judge.macs(model, control) >= macs:
            return control
    return "dense"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", type=pathlib.Path, help="folder or list of the pictures to judge on")
    parser.add_argument("--model", required=True, help="folder whose dense network the others are compared with")
    parser.add_argument("--recipes", nargs="+", required=True, metavar="RECIPE[@DIR]")
    parser.add_argument("--top-k", action="store_true", help="the control of a fixed count, too")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    models = {options.model: ts.load(options.model, threads=options.threads)}
    judge = Judge(options.test, models[options.model])
    dense, dense_macs, _ = judge.run(models[options.model], "dense")
    rows = []
    for named in options.recipes:
        recipe, _, folder = named.partition("@")
        folder = folder or options.model
        if folder not in models:
            models[folder] = ts.load(folder, threads=options.threads)
        model = models[folder]
        right, macs, shares = judge.run(model, recipe)
        if not len(shares):
            raise SystemExit(f"expected recipes that drop tokens, got {named}")
        row = {"name": named, "recipe": str(ts.Recipe(recipe)), "top1": float(right.mean()), "gmacs": macs / 1e9}
        row |= {"against_dense": paired(right, dense), "controls": []}
        for kind in ["random", "top-k"] if options.top_k else ["random"]:
            control = control_for(judge, model, recipe, kind, shares, macs)
            chance, chance_macs, _ = judge.run(model, control)
            found = {"name": kind, "recipe": control, "top1": float(chance.mean()), "gmacs": chance_macs / 1e9}
            row["controls"].append(found | {"recipe_against_it": paired(right, chance)})
        rows.append(row)
        print(f"{named}: {100 * row['top1']:.2f} %", file=sys.stderr)
        if options.json:
            found = {"pictures": len(dense), "model": options.model, "dense_top1": float(dense.mean())}
            found |= {"dense_gmacs": dense_macs / 1e9, "rows": rows}
            write_whole(options.json, json.dumps(found, indent=1) + "\n")

    print(f"{len(dense)} pictures, dense {100 * dense.mean():.2f} % at {dense_macs / 1e9:.3f} GMACs; points, 95 %\n")
    print(f"{'':34} {'top-1 %':>8} {'GMACs':>6}  {'against dense':26} recipe against it")
    for row in rows:
        figures = f"{row['name']:34} {100 * row['top1']:8.2f} {row['gmacs']:6.3f}"
        print(f"{figures}  {points(row['against_dense'])}")
        for control in row["controls"]:
            figures = f"{'  ' + control['name']:34} {100 * control['top1']:8.2f} {control['gmacs']:6.3f}"
            print(f"{figures}  {'':26} {points(control['recipe_against_it'])}")


if __name__ == "__main__":
    main()
