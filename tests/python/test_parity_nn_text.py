"""nn's text networks, which train in C++, against transformers (logits, gradients) and the engine."""

import numpy as np
import pytest
import tokensieve as ts
import torch
from random_bert import SMALL, random_network, random_texts
from test_parity_nn import PROBE, run_probe

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built (TOKENSIEVE_NN)")

LENGTHS = [37, 5, 64, 1]
DISTILLED = {"n_layers": 4, "dim": 64, "n_heads": 4, "hidden_dim": 128}


def as_tokens(texts, types):
    """Ids and types [B, 2, n], -1 behind the end; the types of a text ascend to `types` - 1."""
    tokens = torch.full((len(texts), 2, max(map(len, texts))), -1)
    for index, text in enumerate(texts):
        tokens[index, 0, : len(text)] = torch.tensor(text)
        tokens[index, 1, : len(text)] = torch.arange(len(text)) * types // len(text)
    return tokens


@pytest.mark.parametrize("kind, sizes", [("Bert", SMALL), ("DistilBert", DISTILLED), ("Roberta", SMALL)])
def test_logits_and_gradients_equal_transformers(kind, sizes, tmp_path):
    network = random_network(kind, "ForSequenceClassification", num_labels=3, **sizes)
    network.save_pretrained(tmp_path / "model")
    tokens = as_tokens(random_texts(LENGTHS), 2 if kind == "Bert" else 1)
    probe = torch.randn(len(LENGTHS), 3, generator=torch.Generator().manual_seed(2))
    present = tokens[:, 0] >= 0
    inputs = {"input_ids": tokens[:, 0].where(present, network.config.pad_token_id), "attention_mask": present.long()}
    if kind == "Bert":
        inputs["token_type_ids"] = tokens[:, 1].clamp_min(0)
    logits = network(**inputs).logits
    (logits * probe).sum().backward()
    ours = run_probe(tmp_path / "model", {"tokens": tokens.float(), "probe": probe}, tmp_path)
    assert (ours["logits"] - logits).abs().max() < 1e-4 * logits.abs().max()
    gradients = dict(network.named_parameters())
    assert {k.removeprefix("gradient.") for k in ours if k.startswith("gradient.")} == set(gradients)
    for key, parameter in gradients.items():
        expected, got = parameter.grad, ours["gradient." + key]
        assert (got - expected).abs().max() < 1e-3 * expected.abs().max() + 1e-6, key


@pytest.mark.parametrize("n_ref", [0, 128])
def test_what_ltp_masks_leaves_the_engine(n_ref, tmp_path):
    network = random_network("Bert", "ForSequenceClassification", num_labels=3, **SMALL)
    network.save_pretrained(tmp_path / "model")
    texts = random_texts(LENGTHS)
    unit = 1 / (n_ref or 40)
    thresholds = torch.tensor([0.6 * unit, 0.8 * unit, 0.9 * unit])
    tensors = {
        "tokens": as_tokens(texts, 1).float(),
        "probe": torch.zeros(len(texts), 3),
        "thresholds": thresholds,
        "n_ref": torch.tensor([float(n_ref)]),
    }
    ours = run_probe(tmp_path / "model", tensors, tmp_path)
    numbers = "/".join(repr(float(value)) for value in thresholds)
    recipe = f"ltp(threshold={numbers}{f', n_ref={n_ref}' if n_ref else ''}, sites=1..3)"
    result = ts.load(tmp_path / "model", threads=2)(texts, recipe=recipe)
    assert np.abs(ours["ltp"].numpy() - result.logits).max() < 1e-4 * np.abs(result.logits).max()
    left = 0
    for index, trace in enumerate(result.traces):
        for site in range(3):
            # Tokens are counted without the class token.
            kept = np.flatnonzero(ours[f"kept.{site}"][index, 1:].numpy())
            assert trace.kept_indices(site).tolist() == kept.tolist(), (index, site)
        left += len(kept)
    assert left < 0.8 * sum(LENGTHS), "something leaves"
