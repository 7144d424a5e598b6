#include <limits>
#include <map>

#include "vit_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

/// Every method, at a number that drops something here; texts' are tested on texts.
const std::multimap<std::string, std::string> kMethods = {
    {"dense", "dense"},
    {"evit", "evit(keep=0.6, sites=0/1/3)"},
    {"evit", "evit(keep=0.6, fuse, sites=0/1/3)"},
    {"evit", "evit(mass=0.6, sites=1/2)"},
    {"evit", "evit(threshold=0.02, sites=1/2)"},
    {"dynamicvit", "dynamicvit(keep=0.6, sites=1/2/3)"},
    {"dynamicvit", "dynamicvit(threshold=0.5, sites=1/2/3)"},
    {"sait", "sait(keep=0.5, sites=2)"},
    {"sait", "sait(mass=0.6, sites=2)"},
    {"asvit", "asvit(keep=0.6, sites=1/2/3)"},
    {"asvit", "asvit(threshold=0.02/0.04/0.06, sites=1/2/3)"},
    {"tome", "tome(r=6)"},
    {"ats", "ats(keep=0.4, sites=1..)"},
    {"random", "random(keep=0.6, sites=1/2/3)"},
};
const std::vector<std::string> kTextMethods = {"ltp", "top", "adapler", "pabee", "magic_pyramid"};

bool is_subset(const std::vector<int32_t>& part, const std::vector<int32_t>& whole) {
  return std::ranges::includes(whole, part);
}

/// What holds of the trace of every method.
void check_trace(const RunOutput& output) {
  const RetentionTrace& trace = output.trace;
  const int64_t prefix = trace.num_prefix_tokens;
  int64_t before = prefix + trace.num_tokens;
  for (size_t s = 0; s < trace.sites.size(); ++s) {
    const SiteTrace& site = trace.sites[s];
    CHECK(site.rows > prefix);  // the class row and something to look at
    CHECK(site.rows <= before);
    for (int64_t row = 0; row < prefix; ++row) {
      CHECK(site.origin[static_cast<size_t>(row)] == -1 - row);
    }
    for (const int32_t row : site.row) CHECK((row == -1 || (row >= prefix && row < site.rows)));
    if (s > 0) {
      CHECK(is_subset(trace.kept_indices(static_cast<int>(s)),
                      trace.kept_indices(static_cast<int>(s) - 1)));
      for (size_t token = 0; token < site.row.size(); ++token) {
        if (trace.sites[s - 1].row[token] < 0) CHECK(site.row[token] < 0);
      }
    }
    before = site.rows;
  }
}

}  // namespace

TEST_CASE("Every method is among those whose properties are tested", "[engine][method]") {
  for (const std::string& method : recipe_words("method")) {
    INFO(method);
    CHECK((kMethods.contains(method) || std::ranges::count(kTextMethods, method) == 1));
  }
}

TEST_CASE("What holds of every method", "[engine][method]") {
  Model model(tiny(), 3);
  Pictures pictures = same_size(3);
  pictures.add(40, 72, 7);
  pictures.add(8, 8, 8);  // one patch
  for (const auto& [method, recipe] : kMethods) {
    INFO(recipe);
    const auto outputs = model.run(pictures.views(), recipe);
    for (const RunOutput& output : outputs) {
      check_trace(output);
      for (const float logit : output.logits) CHECK(std::isfinite(logit));
    }
    check_batch_equals_alone(model, pictures, recipe);
    if (method != "dense") {
      CHECK(outputs[0].macs.total() < model.run(pictures.views())[0].macs.total());
      CHECK(outputs[0].trace.sites.back().rows < 50);
    }
  }
}

TEST_CASE("A picture of NaN keeps its class token and leaves the others alone",
          "[engine][method]") {
  Model model(tiny(), 3);
  Pictures pictures = same_size(3);
  const Pictures sound = same_size(3);
  std::ranges::fill(pictures.pixels[1], std::numeric_limits<float>::quiet_NaN());
  for (const auto& [method, recipe] : kMethods) {
    INFO(recipe);
    const auto outputs = model.run(pictures.views(), recipe);
    check_trace(outputs[1]);
    const auto expected = model.run(sound.views(), recipe);
    for (const size_t i : {size_t{0}, size_t{2}}) {
      CHECK(outputs[i].trace.kept_indices() == expected[i].trace.kept_indices());
      CHECK(outputs[i].logits == expected[i].logits);
    }
  }
}
