#include "tokensieve/io/predictor_tensors.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

constexpr std::string_view kPrefix = "score_predictor.";

/// The s of "score_predictor.{s}.", -1 for another name.
int site_of(const std::string& name) {
  int site = -1;
  if (!name.starts_with(kPrefix)) return site;
  const char* const begin = name.data() + kPrefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), site);
  return error == std::errc() && *end == '.' ? site : -1;
}

}  // namespace

std::map<std::string, std::vector<std::int64_t>> predictor_tensors(int count,
                                                                   std::int64_t embed_dim) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (int site = 0; site < count; ++site) {
    const std::string scope = cat(kPrefix, site, ".");
    const auto add = [&](const char* layer, std::vector<std::int64_t> weight) {
      shapes[scope + layer + ".bias"] = {weight.front()};
      shapes[scope + layer + ".weight"] = std::move(weight);
    };
    add("in_conv.0", {embed_dim});
    add("in_conv.1", {embed_dim, embed_dim});
    add("out_conv.0", {embed_dim / 2, embed_dim});
    add("out_conv.2", {embed_dim / 4, embed_dim / 2});
    add("out_conv.4", {2, embed_dim / 4});
  }
  return shapes;
}

int count_predictors(const VitConfig& config, const WeightSource& weights,
                     const std::string& file) {
  check_runtime(config.embed_dim % 4 == 0, "[model_folder] ", file,
                ": expected predictors of a network whose width is a multiple of 4, got ",
                config.embed_dim);
  int count = 0;
  for (const std::string& name : weights.names()) {
    const int site = site_of(name);
    check_runtime(site >= 0, "[model_folder] ", file, ": expected only predictors, such as '",
                  kPrefix, "0.in_conv.0.weight', got the tensor '", printable(name), "'");
    check_runtime(site < config.depth(), "[model_folder] ", file, ": expected predictors for ",
                  config.depth(), " blocks at most, got the tensor '", printable(name), "'");
    count = std::max(count, site + 1);
  }
  check_runtime(count > 0, "[model_folder] ", file, ": expected predictors, got no tensors");
  const auto expected = predictor_tensors(count, config.embed_dim);
  for (const std::string& name : weights.names()) {
    check_runtime(expected.contains(name), "[model_folder] ", file,
                  ": expected layers in_conv.0, .1 and out_conv.0, .2, .4, got the tensor '",
                  printable(name), "'");
  }
  for (const auto& [name, shape] : expected) {
    const std::vector<std::int64_t> actual = weights.shape(name);
    check_runtime(actual == shape, "[model_folder] ", file, ": expected '", name, "' of shape ",
                  shape_text(shape), ", got ", shape_text(actual));
  }
  return count;
}

}  // namespace tokensieve
