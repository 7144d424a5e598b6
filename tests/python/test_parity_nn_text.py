"""nn's text networks, which train in C++, against transformers (logits, gradients) and the engine."""

import numpy as np
import pytest
import tokensieve as ts
import torch
from random_bert import SMALL, random_network, random_texts
from test_parity_nn import PROBE, run_probe
from text_data import write_exits, write_text_model

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built (TOKENSIEVE_NN)")

LENGTHS = [37, 5, 64, 1]
DISTILLED = {"n_layers": 4, "dim": 64, "n_heads": 4, "hidden_dim": 128}


def as_tokens(texts, types):
    """Ids and types [B, 2, n], -1 after the end; the types of a text ascend to `types` - 1."""
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


def test_a_padding_word_inside_a_roberta_text_has_the_position_that_transformers_gives(tmp_path):
    network = random_network("Roberta", "ForSequenceClassification", num_labels=3, **SMALL)
    network.save_pretrained(tmp_path / "model")
    texts = [list(text) for text in random_texts([37, 5])]
    texts[0][5] = texts[0][9] = texts[1][2] = network.config.pad_token_id
    ours = run_probe(tmp_path / "model", as_probe(texts), tmp_path)
    engine = ts.load(tmp_path / "model", threads=2)(texts).logits
    for index, text in enumerate(texts):
        with torch.inference_mode():
            expected = network(input_ids=torch.tensor([text]), attention_mask=torch.ones(1, len(text))).logits[0]
        for found in (ours["logits"][index].numpy(), engine[index]):
            assert np.abs(found - expected.numpy()).max() < 1e-4 * expected.abs().max(), index


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
    check_kept(ours, result, 3)
    assert int(ours["kept.2"].sum()) < 0.8 * sum(LENGTHS), "something leaves"


def check_kept(ours, result, sites):
    """The same tokens at every site, counted without the class token."""
    for index, trace in enumerate(result.traces):
        for site in range(sites):
            kept = np.flatnonzero(ours[f"kept.{site}"][index, 1:].numpy())
            assert trace.kept_indices(site).tolist() == kept.tolist(), (index, site)


def as_probe(texts, **tensors):
    return {"tokens": as_tokens(texts, 1).float(), "probe": torch.zeros(len(texts), 3)} | tensors


def test_what_top_masks_leaves_the_engine_and_its_count_is_what_runs(tmp_path):
    random_network("Bert", "ForSequenceClassification", num_labels=3, **SMALL).save_pretrained(tmp_path / "model")
    texts = random_texts(LENGTHS)
    words = ["11110", "10110", "11000"]
    bins = torch.tensor([[10.0 if bit == "1" else -10.0 for bit in word] for word in words])
    ours = run_probe(tmp_path / "model", as_probe(texts, bins=bins), tmp_path)
    result = ts.load(tmp_path / "model", threads=2)(texts, recipe=f"top(bins={'/'.join(words)}, sites=0..2)")
    assert np.abs(ours["top"].numpy() - result.logits).max() < 1e-4 * np.abs(result.logits).max()
    check_kept(ours, result, 3)
    width, heads = SMALL["hidden_size"], SMALL["num_attention_heads"]
    for index, text in enumerate(texts):
        rows = [len(text), *(int(ours[f"kept.{site}"][index].sum()) for site in range(3))]
        # ToP counts a product for each probability, and nothing after the blocks.
        expected = float(ours["counted"][index]) * 1e9 - heads * sum(n * n for n in rows)
        assert result.macs[index] == pytest.approx(expected + width * width + 3 * width, rel=1e-6)
    assert int(ours["kept.2"].sum()) < 0.5 * sum(LENGTHS), "something leaves"


def test_what_the_cascade_masks_leaves_the_engine(tmp_path):
    random_network("Bert", "ForSequenceClassification", num_labels=3, **SMALL).save_pretrained(tmp_path / "model")
    texts = random_texts(LENGTHS)
    ours = run_probe(tmp_path / "model", as_probe(texts, cascade=torch.tensor([0.4])), tmp_path)
    # Each rate is of what the block before left: 80 %, 60 % and 40 % in all.
    select = "top_k(0.8/0.75/0.666666, of=input, round=ceil)"
    recipe = f"score=received_attention | select={select} | drop=gone | at=after_attention:1..3"
    result = ts.load(tmp_path / "model", threads=2)(texts, recipe=recipe)
    assert np.abs(ours["cascade"].numpy() - result.logits).max() < 1e-4 * np.abs(result.logits).max()


def test_texts_leave_the_network_and_the_engine_at_the_same_block(tmp_path):
    model = write_exits(write_text_model(tmp_path / "model", labels=["a", "b", "c"]))
    texts = random_texts([37, 5, 64, 3, 20, 11, 48, 9])
    unit, entropy = 1 / 40, 0.4
    thresholds = [0.6 * unit, 0.8 * unit, 0.9 * unit]
    tensors = as_probe(
        texts, patience=torch.tensor([1.0]), entropy=torch.tensor([entropy]), exit_thresholds=torch.tensor(thresholds)
    )
    ours = run_probe(model, tensors, tmp_path)
    engine = ts.load(model, threads=2)
    numbers = "/".join(repr(float(np.float32(value))) for value in thresholds)
    for name, recipe in [
        ("pabee", "pabee(patience=1)"),
        ("magic_pyramid", f"magic_pyramid(threshold={numbers}, sites=1..3, entropy={float(np.float32(entropy))!r})"),
    ]:
        result = engine(texts, recipe=recipe)
        assert np.abs(ours[name].numpy() - result.logits).max() < 1e-4 * np.abs(result.logits).max(), name
        assert len(set(result.exit_layers.tolist())) > 1, name
