"""Which answers of networks are right on the same pictures, and differences between them with their intervals."""

import pathlib

import numpy as np

from tokensieve._tokensieve import open_image_folder, read_image
from tokensieve.evaluate import _paired


def read_samples(path):
    """(picture, class index) pairs of a folder or of a picture list."""
    if path.is_dir():
        return open_image_folder(path)[1]
    lines = [line.split("\t") for line in path.read_text().splitlines() if line]
    return [(pathlib.Path(name), int(label)) for name, label in lines]


def paired(right, other):
    """Difference of two shares of right answers to the same samples, and its 95 % interval."""
    gained, lost = int((right & ~other).sum()), int((~right & other).sum())
    low, high = _paired(gained, lost, len(right))
    return {"difference": (gained - lost) / len(right), "low": low, "high": high}


def points(difference):
    """The same in points, as text."""
    values = [100 * difference[key] for key in ("difference", "low", "high")]
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*values)


class Judge:
    """Networks on one set of decoded pictures."""

    def __init__(self, samples, model):
        self.labels = np.array([label for _, label in samples])
        self.pixels = [model.preprocess(read_image(path, True)) for path, _ in samples]

    def run(self, model, recipe):
        """(which answers are right, mean multiply-adds, mean share of the patches left behind each site)"""
        result = model(self.pixels, recipe=recipe, batch=32)
        right = (result.logits.argmax(1) == self.labels) & np.isfinite(result.logits).all(1)
        left = [
            [(site.rows - trace.num_prefix_tokens) / trace.num_tokens for site in trace.sites]
            for trace in result.traces
        ]
        return right, float(result.macs.mean()), np.mean(left, axis=0)

    def macs(self, model, recipe):
        """Multiply-adds of a recipe that keeps as many tokens of every picture of one size."""
        return float(model(self.pixels[:1], recipe=recipe).macs[0])
