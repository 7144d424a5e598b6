"""Holds a recipe of ours against an independent PyTorch version of its method."""

import numpy as np

TIE = 1e-6  # scores closer than this may be decided either way


def same_patches(trace, site, theirs):
    """The same patches have rows of their own."""
    return trace.kept_indices(site).tolist() == theirs.kept


def assert_parity(model, pixels, recipe, reference, same=same_patches, most_ties=1):
    """Compares every image up to a tie that either side may break as it likes.

    `reference(image)` gives logits [1, classes] and for each site what was kept, the rows and how far
    the closest score was from being decided otherwise; `same(trace, site, theirs)` compares a site.
    """
    result = model(pixels, recipe=recipe)
    ties = 0
    for index, image in enumerate(pixels):
        expected, selected = reference(image)
        trace = result.traces[index]
        tied = False
        for site, (ours, theirs) in enumerate(zip(trace.sites, selected, strict=True)):
            if not same(trace, site, theirs) or ours.rows != theirs.rows:
                assert theirs.margin < TIE, (recipe, index, site, theirs.margin)
                tied = True
                break
        ties += tied
        if not tied:
            error = np.abs(result.logits[index] - expected[0].numpy()).max()
            assert error <= 1e-4 * expected.abs().max().item(), (recipe, index)
    assert ties <= most_ties, "ties are rare"
    return result
