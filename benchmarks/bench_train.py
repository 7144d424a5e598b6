"""Images a second of `tokensieve-train` beside a plain PyTorch loop in bfloat16, in one alternating run.

Both train the same network with the same batch, drop path and optimizer. tokensieve-train decodes and augments
its pictures on the way; PyTorch gets one random batch that is in memory already, which is in its favour.
What starting costs is taken out: a run of N steps is compared with one of 2 N.

    python benchmarks/bench_train.py START IMAGENETTE/train --program build/release/bin/tokensieve-train
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "python"))

RATES = {"learning_rate": 1e-4, "warmup_epochs": 0}


def seconds_of_ours(options, steps, folder):
    """(seconds of a run, percent of its steps' time that it waited for pictures)"""
    config = {
        "image_size": options.size,
        "epochs": 100,
        "batch": options.batch,
        "drop_path": 0.1,
        "optimizer": RATES,
        "log_every": steps,
        "save_every": steps * 100,
    }
    path = folder / f"config{steps}.json"
    path.write_text(json.dumps(config))
    out = folder / f"run{time.monotonic_ns()}"
    command = [options.program, path, "--data", options.data, "--start", options.start, "--out", out]
    command += ["--stop-after", str(steps), "--threads", str(options.threads), "--workers", "1"]
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    return seconds, float(re.search(r"waited for data ([\d.]+) %", done.stderr)[1])


def pytorch_loop(options):
    import torch
    import torchvision_shim  # noqa: F401
    import timm

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    network = timm.create_model(
        options.arch, img_size=options.size, num_classes=10, drop_path_rate=0.1
    ).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    pixels = torch.randn(options.batch, 3, options.size, options.size)
    labels = torch.randint(0, 10, (options.batch,))

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            with torch.autocast("cpu", torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(network(pixels), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return time.perf_counter() - start

    run(2)
    return run


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("start", help="model folder to start from")
    parser.add_argument("data", help="folder with one folder of pictures a class")
    parser.add_argument("--program", default="tokensieve-train")
    parser.add_argument("--arch", default="vit_small_patch14_dinov2", help="timm's name of the same network")
    parser.add_argument("--size", type=int, default=140)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    theirs = pytorch_loop(options)
    images = options.batch * options.steps
    rates, waits = {"tokensieve-train": [], "PyTorch": []}, []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for _ in range(options.rounds):
            short, _ = seconds_of_ours(options, options.steps, folder)
            long, waited = seconds_of_ours(options, 2 * options.steps, folder)
            waits.append(waited)
            rates["tokensieve-train"].append(images / (long - short))
            rates["PyTorch"].append(images / theirs(options.steps))
    figures = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        spread = f"{min(values):.1f} to {max(values):.1f}"
        print(f"{name:>18}: {figures[name]:6.1f} images a second ({spread})")
    ratio = figures["tokensieve-train"] / figures["PyTorch"]
    print(f"tokensieve-train is {ratio:.2f} times as fast; it waited for pictures {statistics.median(waits):.1f} % of the time")
    if options.json:
        figures |= {"ratio": ratio, "rounds": rates, "waited_percent": waits, "batch": options.batch, "threads": options.threads}
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
