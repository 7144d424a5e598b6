"""AdapLeR in the engine against a reference in PyTorch that gathers, and against nn's masked network."""

import numpy as np
import pytest
import tokensieve as ts
import torch
from random_bert import MINILM, random_network, random_texts
from reference_adapler import adapler, random_predictors
from safetensors.torch import save_file
from test_parity_nn import PROBE, run_probe
from test_parity_nn_text import as_tokens

ETAS = [0.2, 0.3, 0.3, 0.4, 0.4, 0.5]
LENGTHS = [120, 37, 5, 64, 1, 2]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """(transformers' network, its predictors, the folder of both)"""
    network = random_network("Bert", "ForSequenceClassification", num_labels=3, **MINILM)
    predictors = random_predictors(network)
    folder = tmp_path_factory.mktemp("adapler")
    network.save_pretrained(folder)
    save_file(predictors, folder / "sieve.safetensors")
    return network, predictors, folder


def recipe_of(etas):
    return f"adapler(threshold={'/'.join(map(str, etas))}, sites=0..{len(etas) - 1})"


def test_rows_leave_as_in_a_reference_that_gathers(network):
    bert, predictors, folder = network
    texts = random_texts(LENGTHS)
    result = ts.load(folder, threads=2)(texts, recipe=recipe_of(ETAS))
    left = 0
    for index, (text, trace) in enumerate(zip(texts, result.traces)):
        state, selected = adapler(bert.bert, text, predictors, ETAS)
        assert min(s.margin for s in selected) > 1e-5, "float32 may decide either way"
        with torch.no_grad():
            logits = bert.classifier(torch.tanh(bert.bert.pooler.dense(state))).numpy()
        assert np.abs(result.logits[index] - logits).max() < 1e-4 * np.abs(logits).max()
        shares = result.contributions[index]
        assert shares.shape == (6, len(text)) and shares.dtype == np.float32
        for layer, expected in enumerate(selected):
            kept = trace.kept_indices(layer).tolist()
            assert kept == [token - 1 for token in expected.kept[1:]], (index, layer)
            alpha = np.zeros(len(text))
            alpha[expected.present] = expected.alpha
            assert np.abs(shares[layer] - alpha).max() < 1e-5
        left += len(expected.kept)
    assert len(LENGTHS) < left < 0.6 * sum(LENGTHS), "something leaves, not all"
    dense = ts.load(folder)(texts, recipe="dense")
    counted = sum((32 * 384 + 32) * len(s.present) for s in selected)
    assert result.macs[-1] - counted == dense.macs[-1], "the last text has two tokens, and loses none"


def test_contributions_are_of_runs_that_have_some(network):
    folder = network[2]
    with pytest.raises(ValueError, match="score=contribution"):
        ts.load(folder)(random_texts([5]), recipe="ltp").contributions
    with pytest.raises(ValueError, match="score=contribution"):
        ts.load(folder)(random_texts([5]), recipe="dense").contributions
    assert ts.load(folder).config["contributions"]


@pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built (TOKENSIEVE_NN)")
def test_what_nn_masks_leaves_the_engine(network, tmp_path):
    folder = network[2]
    texts = random_texts(LENGTHS)
    tensors = {
        "tokens": as_tokens(texts, 1).float(),
        "probe": torch.zeros(len(texts), 3),
        "etas": torch.tensor(ETAS),
    }
    ours = run_probe(folder, tensors, tmp_path)
    result = ts.load(folder, threads=2)(texts, recipe=recipe_of(ETAS))
    assert np.abs(ours["adapler"].numpy() - result.logits).max() < 1e-4 * np.abs(result.logits).max()
    for index, trace in enumerate(result.traces):
        for layer in range(len(ETAS)):
            kept = np.flatnonzero(ours[f"kept.{layer}"][index, 1:].numpy())
            assert trace.kept_indices(layer).tolist() == kept.tolist(), (index, layer)
