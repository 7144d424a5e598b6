"""What AdapLeR's predictors say against what people marked: ERASER's movie reviews, word by word.

Of every review the words that the model reads (its first --max-tokens tokens, [CLS] and [SEP] left out) are scored by

    adapler    the share of each token in the answer that the predictor before a block gives it, 0 once it has
               left; mean over the blocks
    gradient   ||d logit / d x (elementwise *) x|| of the rows x after the embedding, for the class that the dense
               model gives
    attention  of the dense model's class token, mean over heads and blocks
    rollout    attention rollout to the class token (arXiv 2005.00928)
    random     numbers drawn evenly

A word has the score of its best piece. Against the words that people marked, per review and averaged over reviews:
average precision, area under the ROC curve, and the false-positive rate at the recall of

    even       AdapLeR's words that have more than an even share of a review's tokens, the paper's cut
    kept       the words that AdapLeR has left behind its last block
    0.5        half of the marked words

so that all are compared at equal recall. Intervals are 95 % bootstraps over reviews; differences are paired.

    python benchmarks/rationales.py eraser-movies/test.jsonl.gz --model runs/movies_adapler/model \\
        --dense runs/movies_dense/model --json rationales.json
"""

import argparse
import dataclasses
import gzip
import json
import pathlib
import sys

import numpy as np
import tokensieve as ts

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "python"))

METRICS = ["average_precision", "auc", "fpr_even", "fpr_kept", "fpr_half"]


@dataclasses.dataclass
class Review:
    """A review as both models read it."""

    label: int
    ids: np.ndarray  # [tokens]
    word_of: np.ndarray  # [tokens] the word of each token, -1 for special ones
    marked: np.ndarray  # bool [words] of the words that are read


def read_reviews(path, tokenizer, max_tokens):
    """Reviews of an ERASER file, .jsonl or .jsonl.gz."""
    opener = gzip.open if path.suffix == ".gz" else open
    reviews = []
    with opener(path, "rt", encoding="utf-8") as file:
        for line in filter(str.strip, file):
            entry = json.loads(line)
            words = entry["text"].split(" ")
            tokens = tokenizer.encode(entry["text"], max_tokens)
            # Spaces end words, here; the tokenizer's own words end at punctuation, too.
            starts = np.cumsum([0, *(len(word.encode()) + 1 for word in words[:-1])])
            special = np.asarray(tokens.words) < 0
            spans = np.asarray(tokens.spans)
            word_of = np.where(special, -1, np.searchsorted(starts, spans[:, 0], "right") - 1)
            marked = np.zeros(len(words), bool)
            for begin, end in entry["rationales"]:
                marked[begin:end] = True
            read = marked[: word_of.max() + 1]
            reviews.append(Review(entry["label"], np.asarray(tokens.ids), word_of, read))
    return reviews


def of_words(scores, review):
    """[..., tokens] to [..., words]: the best piece of each, the least of all where none was read."""
    words = np.full((*scores.shape[:-1], len(review.marked)), scores.min())
    pieces = review.word_of >= 0
    np.maximum.at(words, (..., review.word_of[pieces]), scores[..., pieces])
    return words


def roc(scores, marked):
    """(false-positive rates, recalls) from the highest cut to the lowest, ties together, from (0, 0) on."""
    order = np.argsort(-scores, kind="stable")
    hits = marked[order].cumsum()
    misses = np.arange(1, len(scores) + 1) - hits
    last = np.append(np.diff(scores[order]) != 0, True)
    hits, misses = hits[last], misses[last]
    return np.append(0, misses) / misses[-1], np.append(0, hits) / hits[-1]


def average_precision(scores, marked):
    """Sum of precision times gained recall over the cuts."""
    false, recall = roc(scores, marked)
    true, wrong = recall[1:] * marked.sum(), false[1:] * (~marked).sum()
    return float((np.diff(recall) * true / (true + wrong)).sum())


def auc(scores, marked):
    """Chance that a marked word is above another one, half where they tie."""
    false, recall = roc(scores, marked)
    return float((np.diff(false) * (recall[1:] + recall[:-1]) / 2).sum())


def false_positives_at(recall, scores, marked):
    """Least false-positive rate at this recall, words of equal score taken in random order."""
    false, recalls = roc(scores, marked)
    if recall <= 0:
        return 0.0
    k = int(np.argmax(recalls >= recall - 1e-12))
    part = (recall - recalls[k - 1]) / (recalls[k] - recalls[k - 1])
    return float(false[k - 1] + part * (false[k] - false[k - 1]))


def vocabulary(tokenizer):
    return [tokenizer.token(index) for index in range(tokenizer.vocab_size)]


class Dense:
    """Gradient and attention scores of transformers' network."""

    def __init__(self, folder):
        import torch
        import torchvision_shim  # noqa: F401  before transformers
        from transformers import AutoModelForSequenceClassification

        self.torch = torch
        self.network = AutoModelForSequenceClassification.from_pretrained(
            folder, attn_implementation="eager"
        ).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)

    def scores(self, review):
        """({name: [blocks, tokens]}, predicted class)"""
        torch = self.torch
        rows = []

        def catch(module, inputs, output):
            rows.append(output.detach().requires_grad_())
            return rows[-1]

        handle = self.network.base_model.embeddings.register_forward_hook(catch)
        try:
            out = self.network(torch.tensor(review.ids.astype(np.int64))[None], output_attentions=True)
        finally:
            handle.remove()
        answer = int(out.logits[0].argmax())
        (gradient,) = torch.autograd.grad(out.logits[0, answer], rows)
        salient = (gradient * rows[0]).norm(dim=-1)[0].detach()
        attention = torch.stack([block[0].mean(0) for block in out.attentions]).detach()
        rollout = torch.eye(len(review.ids))
        for block in attention:
            rollout = (block + torch.eye(len(review.ids))) / 2 @ rollout
        named = {"gradient": salient[None], "attention": attention[:, 0], "rollout": rollout[:1]}
        return {name: value.double().numpy() for name, value in named.items()}, answer


def judge(scores, review, recalls):
    """METRICS of one review's `scores` [words], at the recalls of the last ones."""
    rates = [false_positives_at(recall, scores, review.marked) for recall in recalls]
    return [average_precision(scores, review.marked), auc(scores, review.marked), *rates]


def bootstrap(values, draws):
    """Mean of `values` [reviews] and its 95 % interval over `draws` [draws, reviews]."""
    low, high = np.percentile(values[draws].mean(1), [2.5, 97.5])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def text(found):
    return "{mean:.3f} ({low:.3f} to {high:.3f})".format(**found)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path, help="ERASER's movies, test.jsonl or test.jsonl.gz")
    parser.add_argument("--model", required=True, help="AdapLeR's folder")
    parser.add_argument("--dense", required=True, help="the dense model that it started from")
    parser.add_argument("--recipe", help="instead of the folder's own")
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--limit", type=int, default=0, help="the first so many reviews; 0: all")
    parser.add_argument("--draws", type=int, default=2000, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap and of the random scores")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    model = ts.load(options.model, threads=options.threads)
    dense = Dense(options.dense)
    if vocabulary(model.tokenizer) != vocabulary(ts.open_tokenizer(options.dense)):
        raise SystemExit(f"[rationales] expected the vocabulary of {options.model}, got another vocabulary in {options.dense}")
    most = min(options.max_tokens, model.config["max_positions"], dense.network.config.max_position_embeddings)
    found = read_reviews(options.data, model.tokenizer, most)[: options.limit or None]
    reviews = [review for review in found if 0 < review.marked.sum() < len(review.marked)]
    dice = np.random.default_rng(options.seed)

    table, by_block, at = {}, {}, []
    right, dense_right, macs, dense_macs, recalls_of = [], [], [], [], []
    for index, review in enumerate(reviews):
        result = model([review.ids], recipe=options.recipe)
        shares = result.contributions[0].astype(np.float64)
        everything, answer = dense.scores(review)
        everything = {"adapler": shares, **everything, "random": dice.random((1, len(review.ids)))}
        words = {name: of_words(scores, review) for name, scores in everything.items()}
        if not all(np.isfinite(scores).all() for scores in words.values()):
            raise SystemExit(f"[rationales] expected finite scores, got others in review {index}")
        even = of_words(shares.mean(0), review) > 1 / len(review.ids)
        stays = np.zeros(len(review.ids))
        stays[1 + result.kept[0]] = 1
        kept = of_words(stays, review) > 0
        recalls = [cut[review.marked].mean() for cut in (even, kept)] + [0.5]
        recalls_of.append(recalls[:2])
        at.append([cut[~review.marked].mean() for cut in (even, kept)])
        for name, scores in words.items():
            table.setdefault(name, []).append(judge(scores.mean(0), review, recalls))
            if len(scores) > 1:
                by_block.setdefault(name, []).append([judge(block, review, recalls) for block in scores])
        # Of the words that AdapLeR took the rate is what it took, not what the best cut would give.
        table["adapler"][-1][2:4] = at[-1]
        right.append(int(result.logits[0].argmax()) == review.label)
        dense_right.append(answer == review.label)
        macs.append(int(result.macs[0]))
        dense_macs.append(int(model([review.ids], recipe="dense").macs[0]))
        if sys.stderr.isatty():
            print(f"\r{index + 1} of {len(reviews)} reviews", end="", file=sys.stderr, flush=True)
    if not reviews:
        raise SystemExit("[rationales] expected reviews with marked words, got none")

    values = {name: np.array(rows) for name, rows in table.items()}
    draws = dice.integers(len(reviews), size=(options.draws, len(reviews)))
    rows = {
        name: {metric: bootstrap(own[:, m], draws) for m, metric in enumerate(METRICS)}
        for name, own in values.items()
    }
    for name, own in values.items():
        if name != "adapler":
            rows[name]["adapler_minus_this"] = {
                metric: bootstrap(values["adapler"][:, m] - own[:, m], draws) for m, metric in enumerate(METRICS)
            }
    tokens = np.array([len(review.ids) for review in reviews])
    recall = np.array(recalls_of).mean(0)
    facts = {
        "reviews": len(reviews),
        "without_marks": len(found) - len(reviews),
        "tokens": float(tokens.mean()),
        "cut_off": int((tokens == most).sum()),
        "marked": float(np.mean([review.marked.mean() for review in reviews])),
        "recall_even": float(recall[0]),
        "recall_kept": float(recall[1]),
        "accuracy": float(np.mean(right)),
        "dense_accuracy": float(np.mean(dense_right)),
        "times_fewer_macs": float(np.sum(dense_macs) / np.sum(macs)),
        "draws": options.draws,
        "seed": options.seed,
    }
    print(
        f"{facts['reviews']} reviews, {facts['cut_off']} of them cut off at {most} tokens; "
        f"{100 * facts['marked']:.1f} % of the words that are read are marked"
    )
    print(
        f"accuracy {100 * facts['accuracy']:.1f} %, dense {100 * facts['dense_accuracy']:.1f} %; "
        f"{facts['times_fewer_macs']:.2f} times fewer multiply-adds; mean recall: even {recall[0]:.3f}, "
        f"kept {recall[1]:.3f}"
    )
    print(f"95 % intervals from {options.draws} bootstraps over reviews, seed {options.seed}\n")
    heads = ["average precision", "AUC", "FPR, even", "FPR, kept", "FPR at 0.5"]
    print(f"{'':10} " + " ".join(f"{head:24}" for head in heads))
    for name, row in rows.items():
        print(f"{name:10} " + " ".join(f"{text(row[metric]):24}" for metric in METRICS))
    print("\nadapler minus the other, paired")
    for name, row in rows.items():
        if name != "adapler":
            print(f"{name:10} " + " ".join(f"{text(row['adapler_minus_this'][metric]):24}" for metric in METRICS))
    if options.json:
        blocks = {
            name: {metric: np.array(own).mean(0)[:, m].tolist() for m, metric in enumerate(METRICS)}
            for name, own in by_block.items()
        }
        written = facts | {"methods": rows, "by_block": blocks}
        pathlib.Path(options.json).write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
