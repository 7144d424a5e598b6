#include <iostream>

#include "token_labels_picture.h"

namespace tokensieve::cli {

int token_labels_command(int, char**) {
  std::cerr << "tokensieve-train: [token-labels] this build draws no pictures (OpenCV was "
               "missing)\n";
  return 1;
}

}  // namespace tokensieve::cli
