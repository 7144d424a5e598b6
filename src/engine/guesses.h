#pragma once

#include <span>
#include <string>
#include <vector>

#include "tokensieve/engine/classifier.h"

namespace tokensieve {

/// The `count` best classes with their softmax, best first; `labels` one a class, or empty. NaN
/// logits sort last.
std::vector<Guess> best_guesses(std::span<const float> logits,
                                const std::vector<std::string>& labels, int count);

}  // namespace tokensieve
