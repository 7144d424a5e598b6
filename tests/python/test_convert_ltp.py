"""Folders of LTP's authors become RoBERTa folders with their learned thresholds."""

import json

import numpy as np
import pytest
import tokensieve as ts
import torch
from parity import assert_parity
from random_bert import SMALL, random_network, random_texts
from reference_ltp import ltp
from safetensors.torch import load_file, save_file
from tokensieve.convert.__main__ import main

FINAL = 0.02
DELTAS = [0.0, 0.004, -0.006, 0.002]  # with the bases 0, 0.005, 0.01, 0.015
N_REF = 64


@pytest.fixture(scope="module")
def network():
    return random_network("Roberta", "ForSequenceClassification", num_labels=3, **SMALL)


def ltp_folder(folder, network, deltas=DELTAS, weights="pytorch_model.bin", without=(), **fields):
    """`network` as the official code saves it, with the buffers of its quantizer."""
    state = {name.replace("roberta.", "ibert."): value for name, value in network.state_dict().items()}
    for layer, delta in enumerate(deltas):
        scope = f"ibert.encoder.layer.{layer}.attention.self"
        state[f"{scope}.pruner.keep_threshold"] = torch.tensor(delta)
        state[f"{scope}.query.weight_integer"] = torch.zeros(64, 64)
        for name in ("query_activation.x_min", "softmax.act.x_max", "softmax.act.act_scaling_factor"):
            state[f"{scope}.{name}"] = torch.zeros(1)
        state[f"ibert.encoder.layer.{layer}.output.LayerNorm.activation.x_min"] = torch.zeros(1)
    state["ibert.embeddings.LayerNorm.shift"] = torch.zeros(1)
    state = {name: value.contiguous() for name, value in state.items() if name not in without}
    folder.mkdir()
    torch.save(state, folder / weights) if weights.endswith("bin") else save_file(state, folder / weights)
    config = network.config.to_dict() | {
        "model_type": "ltp",
        "architectures": ["LTPForSequenceClassification"],
        "prune_mode": "absolute_threshold",
        "final_token_threshold": FINAL,
        "quant_mode": False,
    }
    (folder / "config.json").write_text(json.dumps(config | fields))
    return folder


def classified(network, text, thresholds):
    with torch.inference_mode():
        state, _, selected = ltp(network.roberta, text, thresholds, N_REF)
        return network.classifier(state[None]), selected


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.safetensors"])
def test_a_folder_keeps_the_tokens_that_it_learned_to_keep(weights, network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network, weights=weights)
    main([str(folder), str(tmp_path / "model"), "--n-ref", str(N_REF)])
    model = ts.load(tmp_path / "model", threads=2)
    thresholds = [FINAL * layer / 4 + delta for layer, delta in enumerate(DELTAS)]
    texts = random_texts([60, 2, 40, 9, 64, 33])
    result = assert_parity(
        model, texts, str(model.recipe), lambda text: classified(network, text, thresholds)
    )
    shares = [len(kept) / (len(text) - 1) for kept, text in zip(result.kept, texts)]
    assert min(shares) < 0.7 and max(shares) > 0.1  # the thresholds do decide


def test_a_parameter_that_the_network_would_lack_is_told(network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network, weights="model.safetensors")
    state = load_file(folder / "model.safetensors")
    state["ibert.encoder.layer.0.adapter.weight"] = torch.zeros(2)
    save_file(state, folder / "model.safetensors")
    with pytest.raises(RuntimeError, match="got 'ibert.encoder.layer.0.adapter.weight'"):
        ts.convert(folder, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_thresholds_at_zero_do_not_prune_and_low_ones_are_the_least(network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network, [0.0, -0.005, -0.02, 0.0])
    ts.convert(folder, tmp_path / "model")
    recipe = str(ts.load(tmp_path / "model").recipe)
    assert "received_attention(n_ref=128)" in recipe and recipe.endswith("after_attention:2/3")
    assert "threshold(1e-05/0.015, of=score)" in recipe
    plain = ltp_folder(tmp_path / "plain", network, [0.0] * 4, final_token_threshold=0)
    ts.convert(plain, tmp_path / "dense", dtype="bf16")
    assert str(ts.load(tmp_path / "dense").recipe) == "dense"


def test_a_recipe_of_ones_own_goes_before_the_learned_one(network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network)
    ts.convert(folder, tmp_path / "model", recipe="ltp(threshold=0.01)")
    model = ts.load(tmp_path / "model")
    assert model.recipe == ts.Recipe("ltp(threshold=0.01)")
    text = random_texts([20])
    with torch.inference_mode():
        expected = network(torch.tensor(text)).logits.numpy()
    assert np.abs(model(text, recipe="dense").logits - expected).max() < 1e-4 * np.abs(expected).max()


THRESHOLD = "ibert.encoder.layer.1.attention.self.pruner.keep_threshold"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"prune_mode": "topk"}, "expected prune_mode 'absolute_threshold', got 'topk'"),
        ({"quant_mode": True}, "expected a float network"),
        ({"without": [THRESHOLD]}, f"expected a number '{THRESHOLD}', got none"),
        ({"final_token_threshold": None}, "final_token_threshold in config.json, got 4 and None"),
        ({"weights": "other.bin"}, "expected model.safetensors or pytorch_model.bin, got neither"),
        ({"without": ["ibert.embeddings.word_embeddings.weight"]}, "word_embeddings"),
    ],
)
def test_what_is_no_ltp_network_is_refused(options, message, network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network, **options)
    with pytest.raises(RuntimeError, match=message):
        ts.convert(folder, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_wrong_arguments_are_named(network, tmp_path):
    folder = ltp_folder(tmp_path / "ltp", network)
    with pytest.raises(ValueError, match="n_ref of 1 or more, got 0"):
        ts.convert(folder, tmp_path / "model", n_ref=0)
    with pytest.raises(ValueError, match="pass none of them"):
        ts.convert(folder, tmp_path / "model", keep=0.5)
    (folder / "config.json").write_text("{")
    with pytest.raises(RuntimeError, match="expected JSON"):
        ts.convert(folder, tmp_path / "model")
