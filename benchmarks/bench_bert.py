"""Times a BERT in tokensieve, dense and with LTP, against ONNX Runtime, OpenVINO and CTranslate2.

Batches hold texts of mixed lengths, as they come. tokensieve takes a batch as it is; every rival runs it
in three ways and is judged by its best: padded to the longest, sorted by length in groups of 8 that are
padded each, and one by one. One process, one run: after a warm-up every contender is timed once a round,
in turn, so that a machine whose speed drifts treats all alike. Prints the median and the spread (10th to
90th percentile) in milliseconds a batch, the ratio to our own dense run round by round, and what the MACs
say it should be; writes JSON with --json.

    pip install ctranslate2 onnx onnxruntime openvino torch transformers
    python benchmarks/bench_bert.py --shape minilm bert-base --lengths sst2

Weights are random: time does not depend on them. LTP's threshold is the one that brings the MACs of these
texts to 1 / --ratio. Lengths are drawn from a log-normal distribution like that of SST-2's sentences or
IMDb's reviews, or counted in a TSV file (--tsv, with a column named text): words times 1.3 and the two
special tokens.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "python"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from bench_vit import cpu_name, measure  # noqa: E402

SHAPES = {
    "minilm": {
        "num_hidden_layers": 6,
        "hidden_size": 384,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
    "bert-base": {},
    "tiny": {
        "num_hidden_layers": 6,
        "hidden_size": 64,
        "num_attention_heads": 2,
        "intermediate_size": 128,
    },
}
#: Median and spread of the logarithm of the lengths in tokens.
LENGTHS = {"sst2": (22, 0.55), "imdb": (230, 0.6)}
GROUP = 8  # texts that a rival pads together when they are sorted


def draw_lengths(options):
    import numpy as np

    generator = np.random.default_rng(0)
    if options.tsv:
        head, *lines = pathlib.Path(options.tsv).read_text(encoding="utf-8").splitlines()
        text = head.split("\t").index("text")
        words = np.array([len(line.split("\t")[text].split()) for line in lines])
        lengths = generator.choice(words, options.batch) * 1.3 + 2
    else:
        median, spread = LENGTHS[options.lengths]
        lengths = median * np.exp(spread * generator.standard_normal(options.batch))
    return np.clip(lengths, 4, options.max_tokens).astype(int).tolist()


def groups_of(lengths):
    """How a rival may cut a batch: name -> lists of texts that run together."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return {
        "padded": [list(range(len(lengths)))],
        "sorted": [order[i : i + GROUP] for i in range(0, len(order), GROUP)],
        "one by one": [[i] for i in range(len(lengths))],
    }


def padded_inputs(texts, group):
    import numpy as np

    longest = max(len(texts[i]) for i in group)
    ids = np.zeros((len(group), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, i in enumerate(group):
        ids[row, : len(texts[i])] = texts[i]
        mask[row, : len(texts[i])] = 1
    return ids, mask


def ltp_recipe(model, texts, ratio):
    """The one threshold at which these texts cost 1 / ratio of the dense network."""
    dense = model(texts, recipe="dense").macs.sum()
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        costly = model(texts, recipe="ltp", threshold=middle).macs.sum() > dense / ratio
        low, high = (middle, high) if costly else (low, middle)
    return f"ltp(threshold={high!r})"


def states_only(network):
    """The network as the export wants it: two inputs, one output."""
    import torch

    class StatesOnly(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, ids, mask):
            return self.network(input_ids=ids, attention_mask=mask).last_hidden_state

    return StatesOnly().eval()


def export(network, path):
    import torch

    ids = torch.zeros((2, 16), dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        states_only(network),
        (ids, torch.ones_like(ids)),
        path,
        dynamo=False,
        opset_version=17,
        input_names=["ids", "mask"],
        output_names=["states"],
        dynamic_axes={"ids": axes, "mask": axes, "states": axes},
    )


def rivals(network, folder, threads):
    """Name -> callable of (ids, mask) that gives the states of the last layer."""
    import ctranslate2
    import numpy as np
    import onnxruntime
    import openvino

    onnx_file = folder / "model.onnx"
    export(network, onnx_file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])

    # f32 must be asked for: on CPUs with bf16 units OpenVINO would round to bf16 by itself.
    hints = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino.Core().compile_model(str(onnx_file), "CPU", hints).create_infer_request()

    converter = ctranslate2.converters.TransformersConverter(str(folder / "model"))
    converter.convert(str(folder / "ct2"), force=True)
    encoder = ctranslate2.Encoder(
        str(folder / "ct2"), device="cpu", compute_type="float32", inter_threads=1, intra_threads=threads
    )

    def run_ctranslate2(ids, mask):
        lengths = mask.sum(1).astype(np.int32)
        storage = [ctranslate2.StorageView.from_array(a) for a in (ids.astype(np.int32), lengths)]
        return np.array(encoder.forward_batch(*storage).last_hidden_state)

    return {
        "onnxruntime": lambda ids, mask: session.run(None, {"ids": ids, "mask": mask})[0],
        "openvino": lambda ids, mask: request.infer([ids, mask])[0],
        "ctranslate2": run_ctranslate2,
    }


def save_model(network, folder):
    """The folder that tokensieve opens, with what CTranslate2 asks for beside the network."""
    import transformers

    network.config.position_embedding_type = "absolute"  # which transformers 5 no longer writes
    network.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [f"w{i}" for i in range(network.config.vocab_size - len(words))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)


def contenders(shape, options, folder):
    """Name -> (callable that runs the batch, MACs of the batch)."""
    import numpy as np
    import torch
    from random_bert import random_network, random_texts

    import tokensieve as ts

    torch.set_num_threads(options.threads)
    lengths = draw_lengths(options)
    texts = random_texts(lengths)
    network = random_network("Bert", "Model", **SHAPES[shape])
    save_model(network, folder / "model")

    model = ts.load(folder / "model", threads=options.threads)
    core = model._core
    ids = [np.array(text, np.int32) for text in texts]
    runs = {}
    for text in ["dense", ltp_recipe(model, texts, options.ratio), *options.recipes]:
        recipe = ts.Recipe(text)
        macs = int(model(texts, recipe=recipe, batch=len(texts)).macs.sum())
        runs[f"tokensieve {text}"] = (lambda r=recipe: core.run(ids, recipe=r), macs)

    ours = np.stack([o.logits for o in runs["tokensieve dense"][0]()])
    dense_macs = runs["tokensieve dense"][1]
    for name, run in rivals(network, folder, options.threads).items():
        for mode, groups in groups_of(lengths).items():
            inputs = [padded_inputs(texts, group) for group in groups]
            runs[f"{name}, {mode}"] = (lambda r=run, i=inputs: [r(*x) for x in i], dense_macs)
            for group, states in zip(groups, runs[f"{name}, {mode}"][0]()):
                error = np.abs(states[:, 0] - ours[group]).max()
                assert error < 1e-3 * np.abs(ours).max(), (name, mode, error)
    print(f"\n{shape}: {len(texts)} texts of {min(lengths)} to {max(lengths)} tokens, {sum(lengths)} in all")
    return runs


def report(shape, options, runs, times):
    import numpy as np

    dense = times["tokensieve dense"]
    dense_macs = runs["tokensieve dense"][1]
    print("milliseconds a batch")
    print(f"{'median':>8} {'10 %':>8} {'90 %':>8} {'speed-up':>9} {'by MACs':>8} {'GMAC/s':>8}  contender")
    rows = []
    for name, values in times.items():
        low, middle, high = (1e3 * np.percentile(values, p) for p in (10, 50, 90))
        # Ratios are taken round by round, then their median: drift cancels.
        ratio = float(np.median(dense / values))
        macs = runs[name][1]
        rows.append(
            {
                "shape": shape,
                "batch": options.batch,
                "contender": name,
                "median_ms": middle,
                "p10_ms": low,
                "p90_ms": high,
                "speedup_over_dense": ratio,
                "macs_ratio": dense_macs / macs,
                "macs": macs,
            }
        )
        print(
            f"{middle:8.2f} {low:8.2f} {high:8.2f} {ratio:9.3f} {dense_macs / macs:8.3f} "
            f"{macs / middle / 1e6:8.1f}  {name}"
        )
    for rival in ("onnxruntime", "openvino", "ctranslate2"):
        best = min((row for row in rows if row["contender"].startswith(rival)), key=lambda r: r["median_ms"])
        print(f"best of {rival}: {best['contender']}, {best['median_ms']:.2f} ms")
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["minilm", "bert-base"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lengths", choices=LENGTHS, default="sst2")
    parser.add_argument("--tsv", help="count the words of its column named text instead")
    parser.add_argument("--max-tokens", type=int, default=512, help="cut texts off there")
    parser.add_argument("--ratio", type=float, default=2.1, help="MACs that LTP saves")
    parser.add_argument("--recipes", nargs="*", default=[], help="more of them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    print(f"{cpu_name()}, {options.threads} threads, {options.rounds} rounds in turn")
    rows = []
    for shape in options.shape:
        with tempfile.TemporaryDirectory() as scratch:
            runs = contenders(shape, options, pathlib.Path(scratch))
            rows += report(shape, options, runs, measure(runs, options.rounds, options.warmup))
    if options.json:
        figures = {"cpu": cpu_name(), "threads": options.threads, "rows": rows}
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
