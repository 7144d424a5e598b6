"""DynamicViT equals an independent PyTorch version: the same patches at every site, the same logits."""

import numpy as np
import parity
import pytest
import tokensieve as ts
import torch
from conftest import THREADS, random_pixels
from reference_dynamicvit import dynamicvit, official_state, random_predictors, threshold, top_k
from safetensors.numpy import load_file

KEEPS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
COUNTS = {
    0.9: [176, 158, 142],
    0.8: [156, 125, 100],
    0.7: [137, 96, 67],
    0.6: [117, 70, 42],
    0.5: [98, 49, 24],
}


@pytest.fixture(scope="module")
def pixels():
    return random_pixels(3, 224, seed=5)


@torch.inference_mode()
def centered(network, predictors, pixels, sites=(3, 6, 9)):
    """Predictors that would keep half of a dense image: sure of all patches, float32 only ties."""
    x = network.norm_pre(network._pos_embed(network.patch_embed(pixels)))
    for layer, block in enumerate(network.blocks):
        if layer in sites:
            predictor = predictors[sites.index(layer)]
            log_pi = predictor(x[:, 1:], torch.ones(1, 196, 1))
            predictor.out_conv[4].bias[0] -= (log_pi[..., 0] - log_pi[..., 1]).median()
        x = block(x)
    return predictors


@pytest.fixture(scope="module")
def dynamicvit_small(deit_small, tmp_path_factory):
    """DynamicViT-DeiT-S with random weights: network, predictors, and ours from their checkpoint."""
    network, _ = deit_small
    predictors = centered(network, random_predictors(384), random_pixels(1, 224, seed=6))
    folder = tmp_path_factory.mktemp("dynamicvit")
    torch.save({"model": official_state(network, predictors)}, folder / "official.pth")
    ts.convert(folder / "official.pth", folder / "model", keep=0.7)
    return network, predictors, ts.load(folder / "model", threads=THREADS)


def assert_parity(models, pixels, recipe, select):
    network, predictors, model = models
    return parity.assert_parity(
        model, pixels, recipe, lambda image: dynamicvit(network, predictors, image, select)
    )


@pytest.mark.parametrize("keep", KEEPS)
def test_dynamicvit_equals_pytorch(dynamicvit_small, pixels, keep):
    assert_parity(dynamicvit_small, pixels, f"dynamicvit(keep={keep})", top_k(keep))


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.8])
def test_threshold_equals_pytorch_and_differs_by_image(dynamicvit_small, pixels, limit):
    recipe = f"dynamicvit(threshold={limit})"
    result = assert_parity(dynamicvit_small, pixels, recipe, threshold(limit))
    assert len({len(kept) for kept in result.kept}) > 1


def test_the_trace_holds_the_keep_probabilities(dynamicvit_small, pixels):
    network, predictors, model = dynamicvit_small
    site = model(pixels[0]).traces[0].sites[0]
    with torch.inference_mode():
        x = network.norm_pre(network._pos_embed(network.patch_embed(pixels[:1])))
        for block in network.blocks[:3]:
            x = block(x)
        expected = predictors[0](x[:, 1:], torch.ones(1, 196, 1)).exp()[0, :, 0].numpy()
    assert site.score_name == "keep probability"
    assert np.abs(site.score - expected).max() < 1e-4
    assert expected.min() < 0.2 and expected.max() > 0.8


@pytest.mark.parametrize("keep", COUNTS)
def test_counts_are_the_papers(dynamicvit_small, pixels, keep):
    _, _, model = dynamicvit_small
    result = model(pixels[:1], keep=keep)
    assert [site.rows - 1 for site in result.traces[0].sites] == COUNTS[keep]
    first, second, third = (count + 1 for count in COUNTS[keep])
    assert result.tokens_per_layer[0].tolist() == [197] * 3 + [first] * 3 + [second] * 3 + [third] * 3


def test_macs_are_the_papers(dynamicvit_small, pixels):
    _, _, model = dynamicvit_small
    macs = model(pixels[:1])._outputs[0].macs_by_kind
    patches = 196 + 137 + 96
    assert macs["total"] - macs["predictors"] == 2_980_897_728 - 102_877_632
    # What is left out of the published predictors is computed once an image, or not at all.
    half, quarter = 384 // 2, 384 // 4
    published = patches * (384 * 384 + 384 * half + half * quarter + 2 * quarter)
    assert published == 102_877_632
    assert macs["predictors"] == published - (patches - 3) * half * half - patches * quarter


def test_parameters_are_the_papers(dynamicvit_small):
    _, _, model = dynamicvit_small
    files = [load_file(model.folder / f"{name}.safetensors") for name in ("model", "sieve")]
    assert sum(tensor.size for file in files for tensor in file.values()) == 22_774_414
    assert sum(tensor.size for tensor in files[1].values()) == 3 * 241_250


def test_keep_one_equals_dense_bit_for_bit(dynamicvit_small, pixels):
    _, _, model = dynamicvit_small
    dense, everything = model(pixels, recipe="dense"), model(pixels, keep=1.0)
    assert np.array_equal(dense.logits, everything.logits)
    assert np.array_equal(dense.macs, everything.macs)


@pytest.mark.parametrize("recipe", ["dynamicvit(keep=0.6)", "dynamicvit(threshold=0.5)"])
def test_an_image_gets_in_a_batch_what_it_gets_alone(dynamicvit_small, pixels, recipe):
    _, _, model = dynamicvit_small
    alone = ts.load(model.folder, threads=1)
    together = model(pixels[[2, 0, 1]], recipe=recipe)
    for position, index in enumerate([2, 0, 1]):
        single = alone(pixels[index], recipe=recipe)
        assert single.kept[0].tolist() == together.kept[position].tolist()
        assert single.macs[0] == together.macs[position]
        error = np.abs(single.logits[0] - together.logits[position]).max()
        assert error <= 1e-5 * np.abs(single.logits).max()


def test_densities_can_differ_by_call_and_by_site(dynamicvit_small, pixels):
    _, _, model = dynamicvit_small
    assert str(model.recipe).startswith("score=predictor | select=top_k(0.7, of=input, round=floor)")
    assert model.num_predictors == 3
    lists = model(pixels[:1], recipe="dynamicvit(keep=0.9/0.8/0.5)")
    assert [site.rows - 1 for site in lists.traces[0].sites] == [176, 141, 70]
    few, many = (
        model(pixels[:1], recipe="dynamicvit(threshold=0.5)", threshold=limit).kept[0]
        for limit in (0.9, 0.1)
    )
    assert len(few) < len(many)
    with pytest.raises(ValueError, match="recipe has 2 sites"):
        model(pixels[:1], recipe="dynamicvit(keep=0.7, sites=3/6)")


def test_a_model_without_predictors_says_so(deit_small, pixels):
    _, model = deit_small
    assert model.num_predictors == 0
    with pytest.raises(ValueError, match="no predictors; train or convert"):
        model(pixels[:1], recipe="dynamicvit(keep=0.7)")
