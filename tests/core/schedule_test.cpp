#include "tokensieve/core/schedule.h"

#include "refuses.h"
#include "tokensieve/core/triple_reducer.h"

using namespace tokensieve;
using enum SitePosition;

namespace {

std::shared_ptr<const Reducer> class_attention(std::vector<double> keep = {0.5}) {
  return triple_reducer(class_attention_scorer(), top_k_selector(std::move(keep)), gone_policy());
}
std::shared_ptr<const Reducer> received_attention() {
  return triple_reducer(received_attention_scorer(), top_k_selector({0.5}), gone_policy());
}
std::shared_ptr<const Reducer> random_choice() {
  return triple_reducer(random_scorer(0), top_k_selector({0.5}), gone_policy());
}

}  // namespace

TEST_CASE("a schedule runs its sites in order and finds them", "[core][schedule]") {
  const Schedule schedule(
      {{{6, after_attention}, 1, class_attention()}, {{3, before_block}, 0, class_attention()}},
      12);
  REQUIRE(schedule.sites().size() == 2);
  CHECK(schedule.sites()[0].site == Site{3, before_block});
  REQUIRE(schedule.find({6, after_attention}) != nullptr);
  CHECK(schedule.find({6, after_attention})->index == 1);
  CHECK(schedule.find({6, after_block}) == nullptr);
  CHECK(Schedule().sites().empty());
  CHECK(Schedule().find({0, before_block}) == nullptr);
}

TEST_CASE("sites that keep everything are left out and keep their number", "[core][schedule]") {
  const auto reducer = class_attention({0.9, 1.0, 0.8});
  const Schedule schedule({{{3, after_attention}, 0, reducer},
                           {{6, after_attention}, 1, reducer},
                           {{9, after_attention}, 2, reducer}},
                          12);
  REQUIRE(schedule.sites().size() == 2);
  CHECK(schedule.find({6, after_attention}) == nullptr);
  CHECK(schedule.find({9, after_attention})->index == 2);
  CHECK(schedule.attention_request(6) == AttentionRequest::none);
}

TEST_CASE("attention owes what the sites up to the next attention ask for", "[core][schedule]") {
  const Schedule schedule({{{3, inside_attention}, 0, class_attention()},
                           {{3, after_attention}, 1, random_choice()},
                           {{4, before_block}, 2, received_attention()},
                           {{7, after_block}, 3, received_attention()}},
                          12);
  CHECK(schedule.attention_request(2) == AttentionRequest::none);
  CHECK(schedule.attention_request(3) ==
        (AttentionRequest::class_row | AttentionRequest::column_mean));
  CHECK(schedule.attention_request(4) == AttentionRequest::none);
  CHECK(schedule.attention_request(7) == AttentionRequest::column_mean);
}

TEST_CASE("request flags join and can be asked for", "[core][schedule]") {
  const auto both = AttentionRequest::class_row | AttentionRequest::mean_key;
  CHECK(asks_for(both, AttentionRequest::mean_key));
  CHECK_FALSE(asks_for(both, AttentionRequest::column_mean));
  CHECK_FALSE(asks_for(AttentionRequest::none, both));
}

TEST_CASE("a schedule refuses sites that are not in the network", "[core][schedule]") {
  CHECK_REFUSES(Schedule({{{12, before_block}, 0, class_attention()}}, 12),
                "expected sites in blocks 0 to 11, got before:12");
  CHECK_REFUSES(Schedule({{{-1, before_block}, 0, class_attention()}}, 12), "got before:-1");
}

TEST_CASE("a schedule refuses the same site twice and a missing reducer", "[core][schedule]") {
  CHECK_REFUSES(Schedule({{{3, before_block}, 0, class_attention()},
                          {{3, before_block}, 1, class_attention()}},
                         12),
                "expected each site once, got before:3 twice");
  CHECK_REFUSES(Schedule({{{3, after_block}, 0, nullptr}}, 12),
                "expected a reducer at after_block:3");
}

TEST_CASE("before block 0 there is no attention to score by", "[core][schedule]") {
  CHECK_REFUSES(Schedule({{{0, before_block}, 0, class_attention()}}, 12), "use after_attention:0");
  CHECK_NOTHROW(Schedule({{{0, before_block}, 0, random_choice()}}, 12));
  CHECK_NOTHROW(Schedule({{{0, inside_attention}, 0, class_attention()}}, 12));
}
