"""ToMe, ATS and AS-ViT equal independent PyTorch versions: the same plans, the same logits."""

import math

import numpy as np
import parity
import pytest
import tokensieve as ts
from conftest import random_pixels, random_timm
from reference_ats import asvit, ats
from reference_evit import threshold
from reference_tome import tome


@pytest.fixture(scope="module")
def pixels():
    return random_pixels(4, 224, seed=2)


def same_rows(trace, site, theirs):
    """Every patch is in the same row."""
    return list(trace.sites[site].row) == theirs.row


def assert_merges(model, pixels, recipe, reference):
    return parity.assert_parity(model, pixels, recipe, reference, same_rows, most_ties=2)


@pytest.mark.parametrize("r", [1, 8, 13, 16])
@pytest.mark.parametrize("attention", ["proportional", "plain"])
def test_tome_equals_pytorch(deit_small, pixels, r, attention):
    network, model = deit_small
    assert_merges(
        model,
        pixels,
        f"tome(r={r}, attention={attention})",
        lambda image: tome(network, image, [r] * 12, attention == "proportional"),
    )


@pytest.mark.parametrize(
    "recipe, r",
    [
        ("tome(r=13, inflection=-1)", [26, 23, 21, 18, 16, 14, 11, 9, 7, 4, 2, 0]),
        ("tome(r=16/0/8)", [16, 0, 8] + [0] * 9),
    ],
)
def test_tome_schedules_equal_pytorch(deit_small, pixels, recipe, r):
    network, model = deit_small
    assert_merges(model, pixels, recipe, lambda image: tome(network, image, r))


def test_tome_of_a_distilled_network_keeps_its_second_token(tmp_path, pixels):
    network = random_timm("deit_tiny_distilled_patch16_224", num_classes=5)
    ts.convert(network, tmp_path / "model")
    model = ts.load(tmp_path / "model", threads=2)
    result = assert_merges(
        model, pixels[:2], "tome(r=13)", lambda image: tome(network, image, [13] * 12)
    )
    assert result.tokens_per_layer[0, -1] == 198 - 12 * 13


@pytest.mark.parametrize("r, macs", [(8, 3.4165), (13, 2.7027), (16, 2.2909)])
def test_tome_macs_are_the_papers(deit_small, pixels, r, macs):
    _, model = deit_small
    assert model(pixels[:1], recipe=f"tome(r={r})").macs[0] / 1e9 == pytest.approx(macs, abs=6e-5)


@pytest.mark.parametrize("keep", [1, 0.7, 0.4])
def test_ats_equals_pytorch(deit_small, pixels, keep):
    network, model = deit_small
    result = parity.assert_parity(
        model, pixels, f"ats(keep={keep})", lambda image: ats(network, image, keep)
    )
    assert len({len(kept) for kept in result.kept}) > 1, "another count for each image"


@pytest.mark.parametrize("limits", [0.002, 0.004])
def test_asvit_equals_pytorch(deit_small, pixels, limits):
    network, model = deit_small
    result = parity.assert_parity(
        model,
        pixels,
        f"asvit(threshold={limits})",
        lambda image: asvit(network, image, threshold(limits)),
    )
    assert len({len(kept) for kept in result.kept}) > 1


def test_each_site_of_asvit_has_a_threshold_of_its_own(deit_small, pixels):
    network, model = deit_small
    limits = (0.002, 0.006, 0.003)

    def reference(image):
        at_site = iter(limits)
        return asvit(network, image, lambda scores: threshold(next(at_site))(scores))

    recipe = "asvit(threshold=" + "/".join(map(str, limits)) + ")"
    result = parity.assert_parity(model, pixels, recipe, reference)
    mixed_up = model(pixels, recipe="asvit(threshold=" + "/".join(map(str, limits[::-1])) + ")")
    assert [list(kept) for kept in result.kept] != [list(kept) for kept in mixed_up.kept]


@pytest.mark.parametrize("recipe", ["tome(r=13)", "ats(keep=0.7)", "asvit(threshold=0.004)", "sait(mass=0.7)"])
def test_an_image_gets_in_a_batch_what_it_gets_alone(deit_small, pixels, recipe):
    _, model = deit_small
    together = model(pixels, recipe=recipe)
    backwards = model(pixels.flip(0), recipe=recipe)
    for index, image in enumerate(pixels):
        alone = model(image, recipe=recipe)
        for other, position in ((together, index), (backwards, len(pixels) - 1 - index)):
            assert np.abs(alone.logits[0] - other.logits[position]).max() <= 1e-5 * np.abs(alone.logits).max()
            assert alone.macs[0] == other.macs[position]
            mine, theirs = alone.traces[0].sites, other.traces[position].sites
            assert [list(site.row) for site in mine] == [list(site.row) for site in theirs]


@pytest.mark.parametrize("recipe", ["tome(r=0)", "sait(keep=1)", "sait(mass=1)", "asvit(keep=1)"])
def test_keeping_everything_equals_dense_bit_for_bit(deit_small, pixels, recipe):
    _, model = deit_small
    assert np.array_equal(model(pixels, recipe="dense").logits, model(pixels, recipe=recipe).logits)


def test_sait_keeps_the_published_share(deit_small, pixels):
    _, model = deit_small
    result = model(pixels[:1], recipe="sait(keep=0.46)")
    assert len(result.kept[0]) == math.floor(0.46 * 196) == 90
    assert result.macs[0] / 1e9 == pytest.approx(2.700, abs=6e-4)
