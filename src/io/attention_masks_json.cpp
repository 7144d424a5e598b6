#include "tokensieve/io/attention_masks_json.h"

#include <nlohmann/json.hpp>

namespace tokensieve {

std::string attention_masks_json(const AttentionMasks& masks) {
  return nlohmann::ordered_json{{"heads", masks.heads},
                                {"rows", masks.rows},
                                {"columns", masks.columns},
                                {"kind", to_string(masks.kind)},
                                {"sees_prefix", masks.sees_prefix}}
      .dump();
}

}  // namespace tokensieve
