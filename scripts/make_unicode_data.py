#!/usr/bin/env python3
"""Writes src/io/text/unicode_data.cpp: what Hugging Face's tokenizers take each character for.

The tokenizers library is asked, character by character, because no one version of Unicode gives its
answers: it takes categories from Unicode 8, decompositions from 12, lower case and letters from later ones.
"""

import argparse
import pathlib
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

TARGET = pathlib.Path(__file__).parents[1] / "src/io/text/unicode_data.cpp"
COLUMNS = 100
OVERLAY, IOTA = "\u0334", "\u0345"  # combining classes 1 and 240

EXAMPLE = "example:\n  python scripts/make_unicode_data.py    # with the tokenizers that transformers brings"


def bert(**switches):
    names = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return normalizers.BertNormalizer(**dict.fromkeys(names, False) | switches).normalize_str


clean, strip, lower = bert(clean_text=True), bert(strip_accents=True), bert(lowercase=True)
decompose = normalizers.NFD().normalize_str
split_bert = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
split_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str


def classes_of(char):
    """The names of the classes a character is in."""
    parts = len(split_bert(f"a{char}a"))
    firsts = {"letter": "a", "number": "1", "other": "!"}
    joins = {name for name, first in firsts.items() if len(split_bytes(first + char)) == 1}
    assert (parts == 2) == (not joins), "both pre-tokenizers should split at the same spaces"
    return joins - {"other"} | {
        name
        for name, member in (
            ("removed", clean(char) == ""),
            ("mark", decompose(char) == char and strip(char) == ""),
            ("punctuation", parts == 3),
            ("space", parts == 2),
        )
        if member
    }


def combining_class(char):
    """Unicode's, or 0 where the library does not move the character past others."""
    value = unicodedata.combining(char)
    if value > 1:
        moves = decompose(f"a{char}{OVERLAY}") == f"a{OVERLAY}{char}"
    else:
        moves = value == 1 and decompose(f"a{IOTA}{char}") == f"a{char}{IOTA}"
    return value if moves else 0


def one_step(char):
    """The canonical decomposition into one or two characters; None if the library leaves the character."""
    if decompose(char) == char or 0xAC00 <= ord(char) < 0xD7A4:  # Hangul is arithmetic
        return None
    parts = [chr(int(part, 16)) for part in unicodedata.decomposition(char).split()]
    assert "".join(map(decompose, parts)) == decompose(char) and len(parts) <= 2, hex(ord(char))
    return [ord(part) for part in parts] + [0] * (2 - len(parts))


def ranges(points):
    found = []
    for point in points:
        if found and point == found[-1][1] + 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def lower_ranges(mapped):
    """[first, last, step, added] of runs of characters, every one or every second, that move alike."""
    found = []
    for point, target in mapped:
        added = target - point
        if found and found[-1][3] == added and point - found[-1][1] in (1, 2):
            step = point - found[-1][1]
            if found[-1][2] in (0, step):
                found[-1][1:3] = point, step
                continue
        found.append([point, point, 0, added])
    return [[first, last, step or 1, added] for first, last, step, added in found]


def combining_ranges(classes):
    found = []
    for point, value in classes:
        if found and point == found[-1][1] + 1 and value == found[-1][2]:
            found[-1][1] = point
        else:
            found.append([point, point, value])
    return found


def table(kind, name, rows):
    lines, line = [], " "
    for row in rows:
        text = " {" + ",".join(map(str, row)) + "},"
        if len(line) + len(text) > COLUMNS:
            lines.append(line)
            line = " "
        line += text
    body = "\n".join([*lines, line])
    return f"constexpr {kind} {name}Rows[] = {{\n{body}\n}};\nconst std::span<const {kind}> {name} = {name}Rows;\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    members = {name: [] for name in ("removed", "mark", "punctuation", "space", "letter", "number")}
    lowered, combining, decomposed = [], [], []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        char = chr(point)
        for name in classes_of(char):
            members[name].append(point)
        if lower(char) != char:
            small = lower(char)
            assert len(small) == 1 or point == 0x130, "the code knows one letter whose lower case is two"
            lowered.append((point, ord(small[0])))
        if value := combining_class(char):
            combining.append((point, value))
        if parts := one_step(char):
            decomposed.append([point, *parts])
    tables = [table("CharRange", f"k{name.capitalize()}", ranges(points)) for name, points in members.items()]
    tables.append(table("LowerRange", "kLower", lower_ranges(lowered)))
    tables.append(table("CombiningRange", "kCombining", combining_ranges(combining)))
    tables.append(table("Decomposition", "kDecompositions", decomposed))
    TARGET.write_text(
        f"// Made by scripts/make_unicode_data.py with tokenizers {tokenizers.__version__}; do not edit.\n"
        "// From the Unicode character database, whose licence THIRD_PARTY.txt has.\n"
        '#include "text/unicode_data.h"\n\n'
        "// clang-format off\nnamespace tokensieve {\n\n" + "\n".join(tables) + "\n}  // namespace tokensieve\n"
    )
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
