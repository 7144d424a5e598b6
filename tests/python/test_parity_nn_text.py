"""nn's text networks, which train in C++, against transformers: logits and gradients."""

import pytest
import torch
from test_parity_nn import PROBE, run_probe
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built (TOKENSIEVE_NN)")

SIZES = {"vocab_size": 300, "num_labels": 3, "attn_implementation": "eager"}
NETWORKS = {
    "bert": lambda: BertForSequenceClassification(
        BertConfig(hidden_size=96, num_attention_heads=4, num_hidden_layers=3, intermediate_size=160, **SIZES)
    ),
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(dim=96, n_heads=4, n_layers=3, hidden_dim=160, **SIZES)
    ),
    "roberta": lambda: RobertaForSequenceClassification(
        RobertaConfig(
            hidden_size=96,
            num_attention_heads=4,
            num_hidden_layers=3,
            intermediate_size=160,
            max_position_embeddings=66,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            **SIZES,
        )
    ),
}
LENGTHS = [17, 5, 9, 1]


def random_network(name):
    """Random weights large enough that attention and biases matter."""
    network = NETWORKS[name]().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in network.named_parameters():
            if "norm" in key.lower() and key.endswith("weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            elif key.endswith("bias"):
                value.normal_(0, 0.1, generator=generator)
            elif "embeddings" in key:
                value.normal_(0, 0.5, generator=generator)
            else:
                gain = 1.5 if "query" in key or "q_lin" in key else 0.8
                value.normal_(0, gain * value[0].numel() ** -0.5, generator=generator)
    return network


def random_texts(types):
    """Ids and types [B, 2, n], -1 behind the end."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.full((len(LENGTHS), 2, max(LENGTHS)), -1)
    for text, length in enumerate(LENGTHS):
        tokens[text, 0, :length] = torch.randint(5, 300, (length,), generator=generator)
        tokens[text, 1, :length] = torch.arange(length) * types // length
    return tokens


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_and_gradients_equal_transformers(name, tmp_path):
    network = random_network(name)
    network.save_pretrained(tmp_path / "model")
    tokens = random_texts(2 if name == "bert" else 1)
    probe = torch.randn(len(LENGTHS), 3, generator=torch.Generator().manual_seed(2))
    present = tokens[:, 0] >= 0
    inputs = {"input_ids": tokens[:, 0].where(present, network.config.pad_token_id), "attention_mask": present.long()}
    if name == "bert":
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
