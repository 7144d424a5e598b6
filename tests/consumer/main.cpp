#include <cstdio>

#include "tokensieve/tokensieve.h"

int main() {
  const auto recipe = tokensieve::Recipe::parse("evit(keep=0.7, fuse)");
  std::printf("%s\n", recipe.str().c_str());
}
