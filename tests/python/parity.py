"""Holds a recipe of ours against an independent PyTorch version of its method."""

import numpy as np

TIE = 1e-6  # scores closer than this may be decided either way


def assert_parity(model, pixels, recipe, reference):
    """Compares every image up to a tie that either side may break as it likes.

    `reference(image)` gives logits [1, classes] and for each site what was kept, the rows and how far
    the closest score was from being decided otherwise.
    """
    result = model(pixels, recipe=recipe)
    ties = 0
    for index, image in enumerate(pixels):
        expected, selected = reference(image)
        trace = result.traces[index]
        tied = False
        for site, (ours, theirs) in enumerate(zip(trace.sites, selected, strict=True)):
            if trace.kept_indices(site).tolist() != theirs.kept or ours.rows != theirs.rows:
                assert theirs.margin < TIE, (recipe, index, site, theirs.margin)
                tied = True
                break
        ties += tied
        if not tied:
            error = np.abs(result.logits[index] - expected[0].numpy()).max()
            assert error <= 1e-4 * expected.abs().max().item(), (recipe, index)
    assert ties <= 1, "ties are rare"
    return result
