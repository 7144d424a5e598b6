"""EViT equals an independent PyTorch version: the same patches at every site, the same logits."""

import numpy as np
import parity
import pytest
import tokensieve as ts
import torch
from conftest import random_pixels
from reference_evit import evit, mass, threshold, top_k

KEEPS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]


@pytest.fixture(scope="module")
def pixels():
    return random_pixels(3, 224, seed=5)


def assert_parity(deit_small, pixels, recipe, select, fuse):
    network, model = deit_small
    return parity.assert_parity(
        model, pixels, recipe, lambda image: evit(network, image, select, fuse)
    )


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "gone"])
@pytest.mark.parametrize("keep", KEEPS)
def test_evit_equals_pytorch(deit_small, pixels, keep, fuse):
    recipe = f"evit(keep={keep}{', fuse' if fuse else ''})"
    assert_parity(deit_small, pixels, recipe, top_k(keep), fuse)


@pytest.mark.parametrize("limit", [0.002, 0.004, 0.006])
def test_threshold_equals_pytorch_and_differs_by_image(deit_small, pixels, limit):
    result = assert_parity(
        deit_small, pixels, f"evit(threshold={limit}, fuse)", threshold(limit), True
    )
    assert len({len(kept) for kept in result.kept}) > 1


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_mass_equals_pytorch_and_differs_by_image(deit_small, pixels, share):
    result = assert_parity(deit_small, pixels, f"evit(mass={share})", mass(share), False)
    assert len({len(kept) for kept in result.kept}) > 1


def test_lengths_at_keep_07_are_the_papers(deit_small, pixels):
    _, model = deit_small
    fused = model(pixels[:1], recipe="evit(keep=0.7, fuse)")
    gone = model(pixels[:1], recipe="evit(keep=0.7)")
    assert [site.rows for site in fused.traces[0].sites] == [140, 100, 72]
    assert [site.rows for site in gone.traces[0].sites] == [139, 98, 69]
    assert fused.tokens_per_layer[0].tolist() == [197] * 3 + [140] * 3 + [100] * 3 + [72] * 3


@pytest.mark.parametrize(
    "keep, fused, gone", [(0.9, 4.02, 3.99), (0.7, 3.03, 3.00), (0.5, 2.31, 2.28)]
)
def test_macs_are_the_papers(deit_small, pixels, keep, fused, gone):
    _, model = deit_small
    for recipe, expected in [(f"evit(keep={keep}, fuse)", fused), (f"evit(keep={keep})", gone)]:
        assert model(pixels[:1], recipe=recipe).macs[0] / 1e9 == pytest.approx(expected, abs=0.0051)


RECIPES = [
    "dense",
    "evit(keep=0.6, fuse)",
    "evit(threshold=0.005, fuse)",
    "evit(mass=0.8)",
    "random(keep=0.5, seed=3)",
    "score=received_attention | select=top_k(0.7, of=input, round=floor) | drop=gone | at=before:3/6/9",
    "score=cls_attention | select=threshold(0.9, of=mean) | drop=gone | at=inside_attention:4/8",
    "score=cls_attention | select=top_k(0.5) | drop=fuse | at=after_block:2, after_attention:7",
]


def assert_same_output(result, index, other, position, exact=False):
    a, b = result.logits[index], other.logits[position]
    assert np.abs(a - b).max() <= (0 if exact else 1e-5 * np.abs(b).max())
    assert result.macs[index] == other.macs[position]
    mine, theirs = result.traces[index], other.traces[position]
    assert len(mine.sites) == len(theirs.sites)
    for site in range(len(mine.sites)):
        assert mine.kept_indices(site).tolist() == theirs.kept_indices(site).tolist()


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_image_gets_in_a_batch_what_it_gets_alone_in_any_order(deit_small, pixels, recipe):
    _, model = deit_small
    together = model(pixels, recipe=recipe)
    for index, image in enumerate(pixels):
        assert_same_output(model(image, recipe=recipe), 0, together, index)
    order = [2, 0, 1, 0]
    shuffled = model(pixels[order], recipe=recipe)
    for position, index in enumerate(order):
        assert_same_output(shuffled, position, together, index)


@pytest.mark.parametrize("recipe", RECIPES[:5])
def test_one_thread_gives_what_two_give(deit_small, pixels, recipe):
    _, model = deit_small
    alone = ts.load(model.folder, threads=1)
    one, two = alone(pixels, recipe=recipe), model(pixels, recipe=recipe)
    for index in range(len(pixels)):
        assert_same_output(one, index, two, index)


@pytest.mark.parametrize("recipe", ["evit(keep=1)", "evit(keep=1, fuse)", "evit(mass=1)", "random(keep=1)"])
def test_keeping_everything_equals_dense_bit_for_bit(deit_small, pixels, recipe):
    _, model = deit_small
    dense, everything = model(pixels, recipe="dense"), model(pixels, recipe=recipe)
    assert np.array_equal(dense.logits, everything.logits)
    assert np.array_equal(dense.macs, everything.macs)
    assert [len(kept) for kept in everything.kept] == [196] * len(pixels)


def test_a_run_repeated_is_the_same_bit_for_bit(deit_small, pixels):
    _, model = deit_small
    first, second = (model(pixels, recipe="evit(keep=0.7, fuse)") for _ in range(2))
    assert np.array_equal(first.logits, second.logits)


def test_random_drop_depends_on_the_seed_and_the_image(deit_small, pixels):
    _, model = deit_small

    def kept(seed):
        return [k.tolist() for k in model(pixels, recipe=f"random(keep=0.5, seed={seed})").kept]

    assert kept(0) == kept(0)
    assert kept(0) != kept(1)
    assert len({tuple(k) for k in kept(0)}) == len(pixels)


def test_evit_of_a_distilled_network_keeps_its_second_token(tmp_path):
    from conftest import random_timm

    network = random_timm("deit_tiny_distilled_patch16_224", num_classes=5)
    ts.convert(network, tmp_path / "model")
    result = ts.load(tmp_path / "model", threads=2)(random_pixels(1, 224), recipe="evit(keep=0.1)")
    assert result.tokens_per_layer[0, -1] == 2 + len(result.kept[0])
    assert torch.isfinite(torch.from_numpy(result.logits)).all()
