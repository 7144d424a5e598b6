#pragma once

#include <cstdint>
#include <vector>

#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// A place in what a network reads: a special token, or all tokens of a text.
struct FramePart {
  enum Kind { kSpecial, kFirst, kSecond };
  Kind kind;
  std::int32_t id;    ///< Of a special token.
  std::int32_t type;  ///< 0 or 1
};

/// The special tokens around one text and around a pair: "[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]".
struct Frame {
  std::vector<FramePart> single, pair;
};

/// The frame of BERT ("[CLS] A [SEP] B [SEP]", B of type 1) and that of RoBERTa
/// ("<s> A </s> </s> B </s>", all of type 0).
Frame bert_frame(std::int32_t cls, std::int32_t sep);
Frame roberta_frame(std::int32_t cls, std::int32_t sep);

/// How many special tokens a frame has.
int count_special(const std::vector<FramePart>& parts);

/// Cuts the ends of two texts' tokens off, the longer one's first, until at most `room` remain.
void truncate_longest_first(Tokens& first, Tokens& second, std::size_t room);

/// Puts the frame around the tokens of one text or two; their types are the frame's.
Tokens fill_frame(const std::vector<FramePart>& parts, const Tokens& first, const Tokens& second);

}  // namespace tokensieve
