#include "tokensieve/core/site.h"

#include <vector>

#include "refuses.h"

using namespace tokensieve;

TEST_CASE("sites are written one after another", "[core][site]") {
  const std::vector<Site> sites = {{3, SitePosition::before_block},
                                   {6, SitePosition::after_attention}};
  CHECK(to_string(sites) == "before:3 after_attention:6");
  CHECK(to_string(std::vector<Site>()).empty());
}

TEST_CASE("sites order as they are executed", "[core][site]") {
  using enum SitePosition;
  CHECK(Site{2, after_block} < Site{3, before_block});
  CHECK(Site{3, before_block} < Site{3, inside_attention});
  CHECK(Site{3, inside_attention} < Site{3, after_attention});
  CHECK(Site{3, after_attention} < Site{3, after_block});
}

TEST_CASE("a position reads back from its word", "[core][site]") {
  const auto position = GENERATE(SitePosition::before_block, SitePosition::inside_attention,
                                 SitePosition::after_attention, SitePosition::after_block);
  CHECK(parse_site_position(to_string(position)) == position);
}

TEST_CASE("a site prints as in a recipe", "[core][site]") {
  CHECK(to_string(Site{3, SitePosition::after_attention}) == "after_attention:3");
  CHECK(to_string(Site{0, SitePosition::before_block}) == "before:0");
}

TEST_CASE("an unknown position gets the nearest word", "[core][site]") {
  CHECK_REFUSES(parse_site_position("after_atention"), "(did you mean 'after_attention'?)");
  CHECK_REFUSES(parse_site_position(""), "expected before, inside_attention");
}
