#pragma once

#include "tokensieve/io/dataset.h"
#include "tokensieve/io/image.h"

namespace tokensieve::cli {

/// `pictures` without those that cannot be read; standard error hears how many there were, and the
/// first. Decodes all of them, by so many threads (0: one a core). A run whose pictures are chosen
/// so is the same after a broken one was deleted.
ImageDataset without_broken(const ImageDataset& pictures, const DecodeOptions& decode, int workers);

}  // namespace tokensieve::cli
