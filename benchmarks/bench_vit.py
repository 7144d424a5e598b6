"""Times a ViT in tokensieve, dense and sieved, against ONNX Runtime, OpenVINO and PyTorch.

One process, one run: after a warm-up every contender is timed once a round, each round in another order, so that a
machine whose speed drifts treats all alike; before its timed run each pauses and runs once untimed, so that none is
measured on the heels of another's threads. Prints the median and the spread (10th to 90th percentile) in
milliseconds an image, and the ratio to our own dense run round by round; writes JSON with --json.

    pip install onnx onnxruntime openvino timm torch
    python benchmarks/bench_vit.py --arch deit_small_patch16_224 --batch 1 8

Weights are random, those of DynamicViT's predictors too: time does not depend on them at a fixed keep
rate. The recipe `dynamicvit(threshold=0)` runs the predictors and drops nothing: what they cost.
"""

import argparse
import json
import os
import pathlib
import platform
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "python"))

PAUSE = 0.03  # seconds, in which the threads of the contender before stop spinning
RECIPES = [
    "evit(keep=0.7)",
    "evit(keep=0.7, fuse)",
    "evit(keep=0.5)",
    "dynamicvit(keep=0.7)",
    "tome(r=13)",
    "sait(keep=0.46)",
    "ats(keep=0.7)",
]


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def contenders(arch, batch, threads, recipes, folder):
    """Name -> (callable that runs one batch, MACs an image)."""
    import numpy as np
    import onnxruntime
    import openvino
    import torch
    import torchvision_shim  # noqa: F401
    import timm
    from reference_dynamicvit import random_predictors
    from safetensors.torch import save_file

    import tokensieve as ts

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    network = timm.create_model(arch, pretrained=False).eval()
    size = network.patch_embed.img_size
    pixels = torch.randn(batch, 3, *size)
    array = pixels.numpy()
    runs = {}

    if not (folder / "model").exists():
        ts.convert(network, folder / "model")
        predictors = random_predictors(network.embed_dim).state_dict().items()
        named = {f"score_predictor.{key}": value for key, value in predictors}
        save_file(named, folder / "model" / "sieve.safetensors")
    model = ts.load(folder / "model", threads=threads)
    images = list(array)
    for text in ["dense", *recipes]:
        recipe = ts.Recipe(text)
        macs = int(model(images, recipe=recipe, batch=batch).macs.mean())
        core = model._core
        runs[f"tokensieve {text}"] = (lambda r=recipe: core.run(images, r), macs)

    dense_macs = runs["tokensieve dense"][1]
    onnx_file = folder / f"model_{batch}.onnx"
    torch.onnx.export(network, pixels, onnx_file, dynamo=False, opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        onnx_file, options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    runs["onnxruntime f32"] = (lambda: session.run(None, {name: array}), dense_macs)

    # f32 must be asked for: on CPUs with bf16 units OpenVINO would round to bf16 by itself.
    compiled = openvino.Core().compile_model(
        str(onnx_file),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = compiled.create_infer_request()
    runs["openvino f32"] = (lambda: request.infer([array]), dense_macs)

    def run_torch():
        with torch.inference_mode():
            return network(pixels)

    runs["pytorch f32"] = (run_torch, dense_macs)

    expected = run_torch().numpy()
    for other in ("onnxruntime f32", "openvino f32"):
        got = list(runs[other][0]().values())[0] if "openvino" in other else runs[other][0]()[0]
        assert np.abs(got - expected).max() < 1e-2 * np.abs(expected).max(), other
    ours = np.stack([o.logits for o in runs["tokensieve dense"][0]()])
    assert np.abs(ours - expected).max() < 1e-3 * np.abs(expected).max()
    return runs


def measure(runs, rounds, warmup):
    """Seconds of every contender in every round."""
    import numpy as np

    times = {name: [] for name in runs}
    order = list(runs.items())
    for turn in range(warmup + rounds):
        order.append(order.pop(0))
        for name, (run, _) in order:
            time.sleep(PAUSE)
            run()
            start = time.perf_counter()
            run()
            if turn >= warmup:
                times[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in times.items()}


def report(arch, batch, runs, times):
    import numpy as np

    dense = times["tokensieve dense"]
    dense_macs = runs["tokensieve dense"][1]
    print(f"\n{arch}, batch {batch}: milliseconds an image")
    print(f"{'median':>8} {'10 %':>8} {'90 %':>8} {'speed-up':>9} {'by MACs':>8}  contender")
    rows = []
    for name, values in times.items():
        low, middle, high = (1e3 * np.percentile(values, p) / batch for p in (10, 50, 90))
        # Ratios are taken round by round, then their median: drift cancels.
        ratio = float(np.median(dense / values))
        macs = dense_macs / runs[name][1]
        print(f"{middle:8.2f} {low:8.2f} {high:8.2f} {ratio:9.3f} {macs:8.3f}  {name}")
        rows.append(
            {
                "arch": arch,
                "batch": batch,
                "contender": name,
                "median_ms": middle,
                "p10_ms": low,
                "p90_ms": high,
                "speedup_over_dense": ratio,
                "macs_ratio": macs,
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arch", default="deit_small_patch16_224", help="timm's name")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument(
        "--recipes",
        nargs="+",
        default=RECIPES,
    )
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    print(f"{cpu_name()}, {options.threads} threads, {options.rounds} rounds in turn")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for batch in options.batch:
            folder = pathlib.Path(scratch)
            runs = contenders(options.arch, batch, options.threads, options.recipes, folder)
            rows += report(
                options.arch, batch, runs, measure(runs, options.rounds, options.warmup)
            )
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"cpu": cpu_name(), "threads": options.threads, "rows": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
