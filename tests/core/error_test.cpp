#include "tokensieve/core/error.h"

#include <locale>

#include <catch2/catch.hpp>

using namespace tokensieve;

namespace {

/// Writes 1234567.5 as 1.234.567,5.
struct Grouping : std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  char do_decimal_point() const override { return ','; }
  std::string do_grouping() const override { return "\3"; }
};

/// Makes it the program's locale for as long as the object lives.
struct GroupingLocale {
  GroupingLocale() { std::locale::global(std::locale(before, new Grouping)); }
  ~GroupingLocale() { std::locale::global(before); }
  std::locale before;
};

}  // namespace

TEST_CASE("messages hold plain numbers whatever the user's locale", "[core][error]") {
  const GroupingLocale locale;
  CHECK(cat("got ", 1234567, " of ", 0.5) == "got 1234567 of 0.5");
  CHECK_THROWS_WITH(check_argument(false, 10000), "10000");
  CHECK_THROWS_WITH(check_runtime(false, 10000), "10000");
}

TEST_CASE("the caller's mistakes and the world's are told apart", "[core][error]") {
  CHECK_THROWS_AS(fail_argument("x"), std::invalid_argument);
  CHECK_THROWS_AS(fail_runtime("x"), std::runtime_error);
  CHECK_NOTHROW(check_argument(true, "x"));
  CHECK_NOTHROW(check_runtime(true, "x"));
}
