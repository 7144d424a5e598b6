"""A text model of some hundred kilobytes with random weights, and labelled texts in its words."""

import json
import random

import torch
from random_bert import SMALL, random_network
from safetensors.torch import save_file

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"{first}{second}" for first in "bdfghk" for second in ("a", "e", "i", "o", "u", "an", "en", "ot")]
LABELS = ["bad", "good", "odd"]
RECIPE = "ltp(threshold=0.02)"


def write_text_model(folder, seed=0, labels=LABELS, kind="Bert", task="ForSequenceClassification", words=WORDS, **sizes):
    """A Hugging Face folder with a tokenizer of whole words."""
    names = dict(enumerate(labels))
    network = random_network(kind, task, seed, **SMALL, num_labels=len(labels), id2label=names, **sizes)
    network.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *words]) + "\n")
    return folder


def write_exits(folder, seed=9):
    """Classifiers for early exit after every block but the last."""
    generator = torch.Generator().manual_seed(seed)
    heads = {}
    for block in range(SMALL["num_hidden_layers"] - 1):
        width = SMALL["hidden_size"]
        heads[f"classifiers.{block}.weight"] = torch.randn(len(LABELS), width, generator=generator)
        heads[f"classifiers.{block}.bias"] = torch.randn(len(LABELS), generator=generator)
    save_file(heads, folder / "sieve.safetensors")
    return folder


def write_contributions(folder, seed=9):
    """AdapLeR's contribution predictors before every block."""
    generator = torch.Generator().manual_seed(seed)
    predictors = {}
    for block in range(SMALL["num_hidden_layers"]):
        for part, out, inner in [("hidden", 32, SMALL["hidden_size"]), ("output", 1, 32)]:
            scope = f"contribution_predictor.{block}.{part}"
            predictors[f"{scope}.weight"] = torch.randn(out, inner, generator=generator)
            predictors[f"{scope}.bias"] = torch.randn(out, generator=generator)
    save_file(predictors, folder / "sieve.safetensors")
    return folder


def make_texts(count, seed=0, longest=60):
    """Texts of 1 to `longest` words."""
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randint(1, longest))) for _ in range(count)]


def write_texts(path, texts, seed=0):
    """A .tsv or .jsonl file of these texts, or pairs, with random labels; returns those."""
    generator = random.Random(seed)
    labels = [generator.randrange(len(LABELS)) for _ in texts]
    pairs = isinstance(texts[0], tuple)
    if path.suffix == ".tsv":
        lines = ["label\ttext\ttext_pair" if pairs else "label\ttext"]
        lines += [f"{label}\t" + ("\t".join(text) if pairs else text) for label, text in zip(labels, texts)]
    else:
        keys = ["text", "text_pair"] if pairs else ["text"]
        rows = [dict(zip(keys, text if pairs else (text,))) for text in texts]
        lines = [json.dumps(row | {"label": label}) for row, label in zip(rows, labels)]
    path.write_text("\n".join(lines) + "\n")
    return labels
