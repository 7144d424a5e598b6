"""The methods for texts on one set of texts: densities chosen on dev, judged on test.

Takes the runs of demos/train/text/*.json, RUNS/METHOD/model, as far as they are there:

    dense_control    what all are compared with: all tokens, the same start, teacher and epochs
    ltp, cascade     learned thresholds, and the baseline that keeps a fixed share in each block
    top, top_*       ToP as it was trained, for each target that it was trained for
    adapler          AdapLeR's etas
    magic_pyramid    tokens and exits together; beside it the same network with its tokens alone, and with its exits
                     alone, which were trained on what tokens leave, so that LTP and PABEE are the fairer controls
    pabee            exits alone, by patience or by entropy

For each wanted ratio of multiply-adds every method gets the densest of its settings that saves as much on dev, of those
with an exit the one that is best there (of equals the first); ToP's is that of its target. A control is the sparsest of
its settings that costs no fewer multiply-adds on dev than the method does. Nothing is chosen on test. Multiply-adds are
those of the tokens that a text has; "padded" divides by a dense network on texts padded to --max-length, as papers count. Prints top-1, the
paired difference to dense, to dense on texts cut off at no fewer multiply-adds, and to a method's controls, 95 %
intervals (Agresti and Min 2005), and the same by length. Answers are kept in RUNS/answers: a run that was killed goes on.

    python benchmarks/text_methods.py --runs runs/sst2 --dev sst2/dev.tsv --test sst2/test.tsv --max-length 128
"""

import argparse
import bisect
import hashlib
import io
import json
import math
import pathlib
import re
import sys

import numpy as np
from judging import paired, points
from whole_file import write_whole

import tokensieve as ts
from tokensieve._samples import open_samples, spread
from tokensieve.evaluate import Contender, _equal_truncations, _length_groups, run_contenders

SCALES = [round(0.2 * 1.08**step, 4) for step in range(40)]  # up to 4
# Down to what tokensieve-train takes: of 6 blocks a cascade saves little above 0.
KEEPS = [round(1 - 0.02 * step, 2) for step in range(1, 100)] + [round(-1.1**step, 2) for step in range(1, 25)]
LEAST_RATE, DIGITS = 0.01, 1e6  # of cascade_rates() and cascade_method.cpp
ENTROPIES = [round(0.0045 * 1.18**step, 5) for step in range(31)]  # up to 0.65, of ln 2
CONTROLS = {"ltp": ["cascade"], "magic_pyramid": ["its tokens alone", "its exits alone", "ltp", "pabee"]}


def scaled(recipe, factor):
    """A recipe's long form with all of its thresholds times `factor`."""
    values = re.search(r"select=threshold\(([^,)]*)", recipe)[1]
    return recipe.replace(values, "/".join(f"{factor * float(value):.6g}" for value in values.split("/")), 1)


def without_exit(recipe):
    return recipe.partition(" | exit=")[0]


def cascade(model, keep):
    """The cascade that falls to `keep` after the last block, from the first on; as tokensieve-train writes it."""
    sites = model.config["depth"] - 1
    rates = [max(LEAST_RATE, 1 - (1 - keep) * (site + 1) / sites) for site in range(sites)]
    shares = [math.floor(DIGITS * rate / before) / DIGITS for before, rate in zip([1.0, *rates], rates)]
    shares = "/".join(f"{share:.6f}" for share in shares)
    blocks = "/".join(str(site + 1) for site in range(sites))
    select = f"select=top_k({shares}, of=input, round=ceil)"
    return f"score=received_attention | {select} | drop=gone | at=after_attention:{blocks}"


def settings(method, model):
    """Recipes of a method, from dense to sparse; with exits, those of each kind one after another."""
    own = str(model.recipe)
    if method == "cascade":
        return [cascade(model, keep) for keep in KEEPS]
    if method.startswith("top"):
        return [own]
    exits = [f"exit=entropy({entropy})" for entropy in ENTROPIES]
    if method == "pabee":
        return exits + [f"exit=patience({patience})" for patience in range(model.config["depth"] - 1, 0, -1)]
    if method == "its exits alone":
        return exits
    tokens = [scaled(without_exit(own), factor) for factor in SCALES]
    if method == "magic_pyramid":
        return [f"{recipe} | {rule}" for recipe in tokens[::4] for rule in exits[::4]]
    return tokens


class Split:
    """The texts of one file, and what networks answered to them, kept on disk."""

    def __init__(self, path, limit, options):
        self.path, self.limit, self.options = pathlib.Path(path), limit, options
        self.kept = pathlib.Path(options.runs) / "answers"
        self.kept.mkdir(exist_ok=True)
        self.samples = {}

    def open(self, model):
        if model.folder not in self.samples:
            opened = open_samples(model, self.path, True, self.options.max_length, "text_methods")
            self.samples[model.folder] = opened
        return self.samples[model.folder]

    def run(self, model, recipe, cut=0):
        """(which answers are right, multiply-adds, tokens), each [texts]; `cut`: only the first so many tokens."""
        key = [ts.__version__, str(model.folder), str(self.path.resolve()), self.limit, self.options.max_length, recipe, cut]
        files = [self.path, *(model.folder / name for name in ("model.safetensors", "sieve.safetensors"))]
        key += [(file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]
        file = self.kept / (hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24] + ".npz")
        if not file.exists():
            samples = self.open(model)
            indices = spread(len(samples), self.limit)
            texts = samples.truncated(cut) if cut else samples
            contender = Contender(model, recipe, ts.Recipe(recipe), texts, "", cut)
            [answers] = run_contenders([contender], indices, 32, recipe[:30], sys.stderr.isatty())
            content = io.BytesIO()
            right = np.array(answers.labels) == samples.labels[indices]
            np.savez(content, right=right, macs=answers.macs, tokens=answers.lengths)
            write_whole(file, content.getvalue())
        found = np.load(file)
        return found["right"], found["macs"], found["tokens"]


class Answered:
    """What `_equal_truncations` reads of an evaluation."""

    def __init__(self, run):
        _, self.macs, self.lengths = run


def choose(dev, model, method, ratio, dense_macs):
    """The recipe for a ratio of multiply-adds, by dev; None where the method does not save as much."""
    recipes = settings(method, model)

    def saves(recipe):
        return dense_macs / dev.run(model, recipe)[1].mean() >= ratio

    if "exit=" in recipes[0]:
        fitting = [recipe for recipe in recipes if saves(recipe)]
        return max(fitting, key=lambda recipe: dev.run(model, recipe)[0].mean(), default=None)
    place = bisect.bisect_left(recipes, True, key=saves)
    return recipes[place] if place < len(recipes) else None


def choose_control(dev, model, control, macs):
    """The sparsest recipe that costs no fewer multiply-adds than `macs`, by dev."""
    recipes = ["dense", *settings(control, model)]

    def cost(recipe):
        return dev.run(model, recipe)[1].mean()

    if "exit=" in recipes[1]:
        return min((recipe for recipe in recipes if cost(recipe) >= macs), key=cost)
    return recipes[bisect.bisect_left(recipes, True, key=lambda recipe: cost(recipe) < macs) - 1]


def figures(run, dense, chosen=slice(None)):
    (right, macs, tokens), (dense_right, dense_macs, _) = run, dense
    return {
        "texts": len(right[chosen]),
        "top1": float(right[chosen].mean()),
        "gmacs": float(macs[chosen].mean()) / 1e9,
        "ratio": float(dense_macs[chosen].mean() / macs[chosen].mean()),
        "against_dense": paired(right[chosen], dense_right[chosen]),
    }


def by_length(run, dense):
    tokens = dense[2]
    buckets = []
    for chosen in _length_groups(tokens, []):
        bucket = {"shortest": int(tokens[chosen].min()), "longest": int(tokens[chosen].max())}
        buckets.append(bucket | figures(run, dense, chosen))
    return buckets


def targeted(model):
    """How many times fewer multiply-adds the target of a ToP model means."""
    return 1 / (1 - model.provenance.get("config", {}).get("method", {}).get("target", 0.5))


def report(found):
    texts = f"{found['texts']} texts, dense {100 * found['dense_top1']:.2f} % at {found['dense_gmacs']:.4f} GMACs"
    print(f"{texts} ({found['padded_gmacs']:.4f} padded to {found['max_length']}); points, 95 %\n")
    print(f"{'':18} {'wanted':>6} {'fewer':>6} {'padded':>7} {'top-1 %':>8}  {'against dense':26} against truncation")
    for row in found["rows"]:
        head = f"{row['method']:18} {row['wanted']:5.2f}x {row['ratio']:5.2f}x {row['padded_ratio']:6.2f}x"
        against = points(row["against_truncation"]) if "against_truncation" in row else ""
        print(f"{head} {100 * row['top1']:8.2f}  {points(row['against_dense']):26} {against}".rstrip())
        for name, difference in row["against_controls"].items():
            print(f"{'':18} against {name} at {difference['ratio']:.2f}x: {points(difference)}")
        for bucket in row["buckets"]:
            tokens = f"{bucket['shortest']} to {bucket['longest']} tokens"
            print(f"{'':18} {tokens:22} {bucket['ratio']:5.2f}x {100 * bucket['top1']:8.2f}  {points(bucket['against_dense'])}")
    for row in found["too_dense"]:
        print(f"{row['method']:18} {row['wanted']:5.2f}x: no setting saves as much")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", required=True, help="folder with a run for each method")
    parser.add_argument("--dev", required=True, help=".tsv or .jsonl of the texts densities are chosen on")
    parser.add_argument("--test", required=True, help=".tsv or .jsonl of the texts to judge on")
    parser.add_argument("--max-length", type=int, required=True, help="tokens of a text that are read")
    parser.add_argument("--ratios", type=float, nargs="+", default=[1.5, 2.1, 3, 4, 6, 8])
    parser.add_argument("--dev-limit", type=int, help="use so many dev texts, spread over the file [all]")
    parser.add_argument("--methods", nargs="+", help="these alone [all that are there]")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    if min(options.ratios) < 1:
        parser.error("expected --ratios of 1 or more")

    def load(method):
        folder = "magic_pyramid" if method.startswith("its ") else method
        path = pathlib.Path(options.runs) / folder / "model"
        return ts.load(path, threads=options.threads) if path.exists() else None

    dense_model = load("dense_control")
    if dense_model is None:
        parser.error(f"expected the dense model in {options.runs}/dense_control/model")
    tops = sorted(path.parent.name for path in pathlib.Path(options.runs).glob("top*/model"))
    known = ["ltp", "cascade", *tops, "adapler", "magic_pyramid", "its tokens alone", "its exits alone", "pabee"]
    loaded = {method: load(method) for method in options.methods or known}
    models = {method: model for method, model in loaded.items() if model is not None}
    dev, test = Split(options.dev, options.dev_limit, options), Split(options.test, None, options)
    dev_macs = dev.run(dense_model, "dense")[1].mean()
    dense = test.run(dense_model, "dense")
    padded = dense_model.dense_macs(options.max_length)
    found = {"runs": options.runs, "max_length": options.max_length, "texts": len(dense[0])}
    found |= {"dense_top1": float(dense[0].mean()), "dense_gmacs": dense[1].mean() / 1e9, "padded_gmacs": padded / 1e9}
    found |= {"dev_texts": len(dev.run(dense_model, "dense")[0]), "rows": [], "too_dense": []}
    for method, model in models.items():
        for ratio in [targeted(model)] if method in tops else options.ratios:
            recipe = settings(method, model)[0] if method in tops else choose(dev, model, method, ratio, dev_macs)
            if recipe is None:
                found["too_dense"].append({"method": method, "wanted": ratio})
                continue
            run = test.run(model, recipe)
            macs = dev.run(model, recipe)[1].mean()
            row = {"method": method, "wanted": ratio, "dev_ratio": dev_macs / macs, "recipe": recipe, **figures(run, dense)}
            row |= {"padded_ratio": padded / run[1].mean(), "against_controls": {}, "buckets": by_length(run, dense)}
            for cut in _equal_truncations(dense_model, [Answered(dense), Answered(run)]):
                cut_off = test.run(dense_model, "dense", cut)
                row |= {"truncation": cut, "against_truncation": paired(run[0], cut_off[0])}
            for control in (name for name in CONTROLS.get(method, []) if name in models):
                chosen = choose_control(dev, models[control], control, macs)
                other = test.run(models[control], chosen)
                costs = {"dev_ratio": dev_macs / dev.run(models[control], chosen)[1].mean()}
                costs |= {"ratio": float(dense[1].mean() / other[1].mean())}
                row["against_controls"][control] = {"recipe": chosen} | costs | paired(run[0], other[0])
            found["rows"].append(row)
            print(f"{method}, {ratio:g} times fewer: {100 * row['top1']:.2f} %", file=sys.stderr)
    report(found)
    if options.json:
        write_whole(options.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
