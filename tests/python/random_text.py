"""Random Unicode strings that meet the corners of tokenizers: every plane, marks, spaces, special tokens."""

import random

POOLS = [
    (0x20, 0x7F), (0, 0x80), (0x80, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x800), (0x800, 0x1000),
    (0x1100, 0x1200), (0x1AB0, 0x1B00), (0x1DC0, 0x2100), (0x2E00, 0x3100), (0x3400, 0xA000), (0xA000, 0xD800),
    (0xE000, 0x10000), (0xF900, 0xFB50), (0x10000, 0x12000), (0x1D000, 0x1F000), (0x1F300, 0x1FB00),
    (0x20000, 0x30000), (0, 0x110000),
]  # fmt: skip
SPACES = [" ", "  ", "\n", "\t", "\r\n", "\v", "\u00a0", "\u3000", "\u2003", "\u2028", "\x1f"]
WORDS = (
    "the movie was Great don't won't they'll I'd UNBELIEVABLE antidisestablishmentarianism 3.14 co-op naïve café "
    "Ångström e\u0301\u0327 q\u0327\u0301\u0323 İstanbul ΣΊΣΥΦΟΣ straße 한국어 中文字 日本語 👩‍👩‍👧 [MASK] [SEP] [CLS] [PAD] "
    "[UNK] <mask> <s> </s> <pad> ##ing"
).split()


def random_text(generator):
    """A string of 0 to about 100 characters."""
    parts = []
    for _ in range(generator.choice([0, 1, 3, 8, 20])):
        kind = generator.random()
        if kind < 0.3:
            parts.append(generator.choice(WORDS))
        elif kind < 0.5:
            parts.append(generator.choice(SPACES))
        else:
            first, end = generator.choice(POOLS)
            points = [generator.randrange(first, end) for _ in range(generator.choice([1, 1, 2, 4]))]
            parts.extend(chr(point) for point in points if not 0xD800 <= point < 0xE000)
    return "".join(parts)


def random_texts(count, seed=0):
    generator = random.Random(seed)
    return [random_text(generator) for _ in range(count)]
