"""Words a second of one core: tokensieve's WordPiece and Hugging Face's fast tokenizer, in turns.

    python benchmarks/bench_tokenizer.py imdb/dev.tsv --vocab bert-base-uncased-vocab.txt

Words are parts between white space. Rounds alternate; the figures are the medians and the 10th and 90th
percentiles of the rounds, the speed-up is taken round by round.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one core

import tokensieve as ts  # noqa: E402
from transformers import BertTokenizerFast  # noqa: E402


def read_texts(path, count):
    """The texts of a TSV with the first line label<TAB>text."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    return [line.split("\t", 1)[1] for line in lines[1 : count + 1] if line]


def seconds(work):
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def spread(values):
    tenths = statistics.quantiles(values, n=10, method="inclusive") if len(values) > 1 else [values[0]] * 9
    return {"median": statistics.median(values), "p10": tenths[0], "p90": tenths[8]}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", help="TSV of labels and texts")
    parser.add_argument("--vocab", required=True, help="vocabulary of an uncased BERT, a token a line")
    parser.add_argument("--max-tokens", type=int, help="cut texts to so many tokens; default: whole texts")
    parser.add_argument("--count", type=int, default=2000, help="texts to take from the front")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    texts = read_texts(options.texts, options.count)
    words = sum(len(text.split()) for text in texts)
    if not words:
        parser.error(f"no texts in {options.texts}")

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(options.vocab, pathlib.Path(folder) / "vocab.txt")
        ours = ts.open_tokenizer(folder)
    theirs = BertTokenizerFast(options.vocab).backend_tokenizer
    if options.max_tokens:
        theirs.enable_truncation(options.max_tokens)
    limit = options.max_tokens or 2**31 - 1
    runs = {
        "tokensieve": lambda: [ours.encode(text, limit) for text in texts],
        "Hugging Face": lambda: theirs.encode_batch(texts),
    }
    for text, encoding in zip(texts, theirs.encode_batch(texts)):  # warms both up
        assert ours.encode(text, limit).ids.tolist() == encoding.ids, "tokens differ"

    rates = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, work in runs.items():
            rates[name].append(words / seconds(work))
    figures = {
        "texts": len(texts),
        "words": words,
        "max_tokens": options.max_tokens,
        "rounds": options.rounds,
        "words_per_second": {name: spread(values) for name, values in rates.items()},
        "speed_up": statistics.median(
            a / b for a, b in zip(rates["tokensieve"], rates["Hugging Face"])
        ),
    }
    print(f"{len(texts)} texts, {words} words, one core, million words a second")
    for name, rate in figures["words_per_second"].items():
        print(f"{name:>12}  {rate['median'] / 1e6:.2f} ({rate['p10'] / 1e6:.2f} to {rate['p90'] / 1e6:.2f})")
    print(f"{figures['speed_up']:.1f} times as fast")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
