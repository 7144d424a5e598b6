#pragma once

#include <span>

namespace tokensieve {

/// What an exit rule remembers of one sample.
struct ExitState {
  int prediction = -1;  ///< The best class of the last classifier; -1 before the first.
  int agreements = 0;   ///< Classifiers in a row that agreed with the one before.
};

/// When a sample's work ends before the last block: after every block but the last a classifier of
/// its own gives logits, and the first that satisfy the rule are the sample's.
struct ExitRule {
  enum class Kind {
    none,      ///< Never.
    patience,  ///< So many predictions in a row equal to the one before (PABEE, arXiv 2006.04152);
               ///< 0 is never. The earliest exit is after block `value`, counted from 0.
    entropy,   ///< Entropy of the prediction below `value`, natural logarithm (DeeBERT, Magic
               ///< Pyramid, arXiv 2111.00230); 0 is never.
    confidence,  ///< Highest probability above `value`; 1 is never.
  };
  Kind kind = Kind::none;
  double value = 0.0;

  /// True when no sample ever exits, whatever its logits.
  bool is_never() const;
  /// True when a sample with these logits after a block exits. `state` is the sample's, a fresh
  /// one at its first block. Logits that are not finite never make it exit.
  bool exits(std::span<const float> logits, ExitState& state) const;
  bool operator==(const ExitRule&) const = default;
};

/// Throws std::invalid_argument unless patience is a whole number of at least 0, the entropy finite
/// and at least 0, the confidence in (0, 1].
ExitRule patience_rule(double patience);
ExitRule entropy_rule(double entropy);
ExitRule confidence_rule(double confidence);

/// Entropy of softmax(logits), natural logarithm: 0 to log(classes).
double entropy_of(std::span<const float> logits);

}  // namespace tokensieve
