#pragma once

#include <cstdint>

#include "tokensieve/io/dataset.h"
#include "tokensieve/io/text_dataset.h"

namespace tokensieve {

/// A data set in two parts that share no picture.
struct HeldOutSplit {
  ImageDataset train;
  ImageDataset held_out;
};

/// Holds out `fraction` of every class, rounded to whole pictures but leaving at least one picture
/// in either part where a class has two. The choice depends on the seed and on the paths in sorted
/// order, not on the order in the data set; both parts list their samples by class and path. The
/// test pictures stay out of every choice, so that what is reported is not what was selected by.
/// Throws invalid_argument unless fraction is in (0, 1).
HeldOutSplit split_held_out(const ImageDataset& dataset, double fraction, std::uint64_t seed);

/// Texts in two parts that share no sample.
struct HeldOutTexts {
  TextDataset train;
  TextDataset held_out;
};

/// The same for texts: the choice depends on the seed and on the texts in sorted order.
HeldOutTexts split_held_out(const TextDataset& dataset, double fraction, std::uint64_t seed);

}  // namespace tokensieve
