"""Which answers of networks are right on the same pictures, and differences between them with their intervals."""

import numpy as np

from tokensieve._samples import open_samples
from tokensieve.evaluate import _paired


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
    """Networks on the pictures of a folder or of a list, decoded once."""

    def __init__(self, path, model):
        samples = open_samples(model, path, True, None, "judge")
        self.labels = samples.labels
        self.pixels = samples.read(range(len(samples)))

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
