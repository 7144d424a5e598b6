"""MaiT and token labeling from scratch on CIFAR-10, with and without, over several seeds.

Trains a small DeiT by demos/train/cifar10_*.json, once a variant and seed, and judges each once on the test pictures:

    dense            without either
    mait             with masked heads, chosen by the attention locality of a first run (MaiT's procedure)
    token_labeling   learns a teacher's labels of the picture and of each of its places
    relabel          the control: learns the teacher's labels of the picture alone

All have the same network, epochs, pictures and augmentation; MixToken takes the place of CutMix where labels have a place.
The same training pictures are held out in all, the teacher among them; seeds differ in everything else. The teacher is
fine-tuned first, from --start. A run that was killed goes on when the same command is given again, and one
that is done is not repeated.

    python benchmarks/cifar10.py CIFAR10 --runs runs/cifar10 --start runs/start --program build/release/bin/tokensieve-train
"""

import argparse
import hashlib
import io
import json
import pathlib
import statistics
import subprocess
import sys

import numpy as np
from whole_file import write_whole

import tokensieve as ts
from tokensieve._tokensieve import open_image_folder, read_image

SPLIT_SEED = 0  # the teacher's, which has learned all other training pictures
CONFIGS = pathlib.Path(__file__).parents[1] / "demos" / "train"
VARIANTS = ["dense", "mait", "relabel", "token_labeling"]
TAUGHT = {"relabel", "token_labeling"}
CONTROLS = {"mait": "dense", "relabel": "dense", "token_labeling": "relabel"}


class Runs:
    """The folder of all runs: trains what is not there yet."""

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(options.runs)
        self.folder.mkdir(parents=True, exist_ok=True)

    def train(self, name, config, *more):
        """The model folder of a finished run."""
        out = self.folder / name
        done = self.folder / f"{name}.result.json"
        settings = {"config": config, "options": list(map(str, more))}
        if done.exists() and json.loads(done.read_text())["settings"] != settings:
            raise SystemExit(f"{done} is of other settings; give another --runs, or remove the files {name}*")
        if not done.exists():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(config, indent=2) + "\n")
            command = [self.options.program, path, "--data", pathlib.Path(self.options.data) / "train"]
            command += ["--out", out, "--json", *more]
            for key in ("threads", "workers"):
                command += [f"--{key}", getattr(self.options, key)]
            print(f"training {name}", file=sys.stderr)
            result = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
            write_whole(done, json.dumps({"settings": settings, "result": json.loads(result.stdout)}, indent=2) + "\n")
        return out / "model"

    def masks(self):
        """MaiT's masked heads: a run with the first head of every block masked, then by how near its heads look."""
        config = self.config("mait", SPLIT_SEED)
        blocks = config["architecture"]["depth"]
        config["attention_masks"] = config["attention_masks"] | {"heads": [[0]] * blocks}
        model = self.train("mait_first", config)
        chosen = self.folder / "mait_first_masks.json"
        if not chosen.exists():
            command = [self.options.program, "attention-locality", self.folder / "mait_first" / "held_out.txt"]
            command += ["--model", model, "--threads", self.options.threads, "--json"]
            print("choosing masked heads", file=sys.stderr)
            result = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
            write_whole(chosen, result.stdout)
        return json.loads(chosen.read_text())

    def config(self, variant, seed=None):
        config = json.loads((CONFIGS / f"cifar10_{variant}.json").read_text())
        if seed is not None:
            config |= {"seed": seed, "split_seed": SPLIT_SEED}
        if self.options.epochs:
            config["epochs"] = self.options.epochs
        return config


class Test:
    """The test pictures, decoded once for each way to preprocess them."""

    def __init__(self, folder):
        self.samples = open_image_folder(folder)[1]
        self.labels = np.array([label for _, label in self.samples])
        self.pixels = {}

    def right(self, model_folder, known, threads):
        """Which pictures the model answers right, kept in the file `known`."""
        if not known.exists():
            model = ts.load(model_folder, threads=threads)
            size = model.config["image_size"]
            if size not in self.pixels:
                self.pixels = {size: [model.preprocess(read_image(path, True)) for path, _ in self.samples]}
            logits = model(self.pixels[size], batch=64).logits
            content = io.BytesIO()
            np.save(content, np.isfinite(logits).all(1) & (logits.argmax(1) == self.labels))
            write_whole(known, content.getvalue())
        return np.load(known)


def summary(values):
    """Mean and spread of one number a seed."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "deviation": spread, "low": min(values), "high": max(values)}


def text(found, sign=""):
    mean, low, high = (100 * found[key] for key in ("mean", "low", "high"))
    return f"{mean:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


def report(right, seeds):
    rows = []
    for variant in [variant for variant in VARIANTS if variant in right]:
        tops = {seed: float(right[variant][seed].mean()) for seed in seeds}
        row = {"name": variant, "top1": list(tops.values()), **summary(list(tops.values()))}
        control = CONTROLS.get(variant)
        for other in dict.fromkeys(name for name in ("dense", control) if name in right and name != variant):
            gains = [tops[seed] - float(right[other][seed].mean()) for seed in seeds]
            row[f"against_{other}"] = summary(gains)
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    parser.add_argument("--runs", default="runs/cifar10", help="folder of the runs")
    parser.add_argument("--start", help="model folder the teacher starts from (scripts/make_start.py)")
    parser.add_argument("--teacher", help="a model folder of these classes instead of a teacher of its own")
    parser.add_argument("--program", default="tokensieve-train")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="instead of the files' own")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    if TAUGHT & set(options.variants) and not (options.start or options.teacher):
        parser.error("--start or --teacher is needed for " + " and ".join(sorted(TAUGHT & set(options.variants))))

    runs, test = Runs(options), Test(pathlib.Path(options.data) / "test")
    teacher, found = None, {}
    if TAUGHT & set(options.variants):
        teacher = options.teacher or runs.train("teacher", runs.config("teacher"), "--start", options.start)
        place = hashlib.sha256(str(pathlib.Path(teacher).resolve()).encode()).hexdigest()[:8]
        right = test.right(teacher, runs.folder / f"teacher_{place}.right.npy", options.threads)
        found["teacher_top1"] = float(right.mean())
        print(f"the teacher is right on {100 * right.mean():.2f} % of the test pictures", file=sys.stderr)
    masks = {}
    if "mait" in options.variants:
        chosen = runs.masks()
        masks = {"attention_masks": chosen["attention_masks"]}
        found["mait"] = {"locality_of_first_run": chosen["attention_locality"], **masks}
    right = {variant: {} for variant in options.variants}
    for seed in options.seeds:  # all variants of a seed before the next: what is there can be compared
        for variant in options.variants:
            more = ["--teacher", teacher, "--labels", runs.folder / "labels.safetensors"] if variant in TAUGHT else []
            config = runs.config(variant, seed) | (masks if variant == "mait" else {})
            model = runs.train(f"{variant}_{seed}", config, *more)
            known = runs.folder / f"{variant}_{seed}.right.npy"
            right[variant][seed] = test.right(model, known, options.threads)
            print(f"{variant}, seed {seed}: {100 * right[variant][seed].mean():.2f} %", file=sys.stderr)

    found |= {"pictures": len(test.labels), "seeds": options.seeds, "rows": report(right, options.seeds)}
    print(f"{len(test.labels)} test pictures, {len(options.seeds)} seeds; mean (lowest to highest)\n")
    print(f"{'':16}{'top-1 %':26}differences in points, seed by seed")
    for row in found["rows"]:
        differences = [
            f"{text(row[key], '+')} {key.replace('_', ' ', 1)}" for key in row if key.startswith("against_")
        ]
        print(f"{row['name']:16}{text(row):26}{', '.join(differences)}".rstrip())
    if options.json:
        write_whole(options.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
