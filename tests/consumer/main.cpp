#include <cstdio>
#include <string>

#include "tokensieve/tokensieve.h"

int main() {
  tokensieve::register_method({"half", {}, [](const tokensieve::Arguments&) {
                                 return std::string("evit(keep=0.5, fuse)");
                               }});
  const auto recipe = tokensieve::Recipe::parse("half");
  std::printf("%s\n", recipe.str().c_str());
}
