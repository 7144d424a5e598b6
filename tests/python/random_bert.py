"""Networks of transformers for texts, with random weights, and texts for them."""

import torch
import torchvision_shim  # noqa: F401  before transformers
import transformers

BERT_BASE = {}
MINILM = {"num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
SMALL = {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}
VOCABULARY = 1000  # of the real sizes' 30522 or 50265: the table's length changes nothing


def random_network(kind, task, seed=0, **sizes):
    """transformers' `{kind}{task}`: ("Bert", "ForSequenceClassification"), in the sizes of its base.

    The weights are large enough that attention and biases matter, and not so large that float32 itself
    is 1e-4 away from float64.
    """
    options = dict(vocab_size=VOCABULARY, **sizes)
    if kind == "Roberta":
        options |= {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    config = getattr(transformers, f"{kind}Config")(**options)
    config._attn_implementation = "eager"
    network = getattr(transformers, f"{kind}{task}")(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "norm" in name.lower() and name.endswith("weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.ndim == 1:
                value.normal_(0, 0.1, generator=generator)
            elif "embeddings" in name:
                value.normal_(0, 0.5, generator=generator)
            else:
                sharp = any(part in name for part in ("query", "key", "q_lin", "k_lin"))
                gain = 1.2 if sharp else 0.8
                value.normal_(0, gain * value.shape[1] ** -0.5, generator=generator)
    return network


def random_texts(lengths, seed=0, first=5):
    """Ids of texts of these lengths, special ones (below `first`) not among them."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(first, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]
