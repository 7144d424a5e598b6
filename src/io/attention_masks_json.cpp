#include "tokensieve/io/attention_masks_json.h"

#include <nlohmann/json.hpp>

namespace tokensieve {

std::string attention_masks_json(const AttentionMasks& masks) {
  const bool hard = masks.kind == AttentionMasks::Kind::hard;
  return nlohmann::ordered_json{{"heads", masks.heads},
                                {"rows", masks.rows},
                                {"columns", masks.columns},
                                {"kind", hard ? "hard" : "multiplicative"},
                                {"sees_prefix", masks.sees_prefix}}
      .dump();
}

}  // namespace tokensieve
