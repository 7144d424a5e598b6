#pragma once

#include <memory>

#include "tokensieve/core/drop_policy.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {

/// The default implementation of Reducer: the scorer ranks the rows after the prefix, the selector
/// splits each sample's ranks into kept and dropped rows, the policy turns them into output rows.
/// Rows keep their order. Throws std::invalid_argument when a part is null.
std::shared_ptr<const Reducer> triple_reducer(std::shared_ptr<const Scorer> scorer,
                                              std::shared_ptr<const Selector> selector,
                                              std::shared_ptr<const DropPolicy> policy);

}  // namespace tokensieve
