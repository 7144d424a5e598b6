#include "row_selection.h"

#include <algorithm>
#include <functional>

#include "tokensieve/core/error.h"

namespace tokensieve::nn {

torch::Tensor selected_rows(const Selector& selector, const torch::Tensor& scores,
                            int64_t input_count, int site_index) {
  const torch::Tensor values = scores.detach().to(torch::kCPU, torch::kFloat).contiguous();
  std::vector<torch::Tensor> rows;
  for (int64_t b = 0; b < values.size(0); ++b) {
    const std::span<const float> own(values.const_data_ptr<float>() + b * values.size(1),
                                     static_cast<size_t>(values.size(1)));
    const auto chosen = selector.select({own, input_count, site_index});
    rows.push_back(torch::tensor(std::vector<int64_t>(chosen.begin(), chosen.end())));
  }
  return torch::stack(rows).to(scores.device());
}

torch::Tensor selected_tokens(const Selector& selector, const torch::Tensor& scores,
                              const torch::Tensor& kept, const torch::Tensor& present,
                              int site_index) {
  const auto on_cpu = [](const torch::Tensor& x) {
    return x.detach().to(torch::kCPU, torch::kFloat).contiguous();
  };
  const torch::Tensor values = on_cpu(scores), alive = on_cpu(kept);
  const torch::Tensor lengths = on_cpu(present.sum(1));
  torch::Tensor stays = torch::zeros_like(alive);
  const int64_t n = values.size(1);
  for (int64_t b = 0; b < values.size(0); ++b) {
    const float* const live = alive.const_data_ptr<float>() + b * n;
    const float* const score = values.const_data_ptr<float>() + b * n;
    float* const out = stays.data_ptr<float>() + b * n;
    std::vector<float> own;
    std::vector<int64_t> place;
    for (int64_t i = 1; i < n; ++i) {
      if (live[i] == 0) continue;
      own.push_back(score[i]);
      place.push_back(i);
    }
    const auto others = static_cast<int64_t>(lengths.const_data_ptr<float>()[b]) - 1;
    out[0] = 1;
    for (const int32_t i : selector.select({own, others, site_index}))
      out[place[static_cast<size_t>(i)]] = 1;
  }
  return stays.to(kept.device());
}

torch::Tensor keep_rows(const torch::Tensor& x, int64_t prefix, const torch::Tensor& index) {
  const torch::Tensor rows =
      x.slice(1, prefix).gather(1, index.unsqueeze(-1).expand({-1, -1, x.size(2)}));
  return torch::cat({x.slice(1, 0, prefix), rows}, 1);
}

bool is_site(const std::vector<int>& sites, int block) {
  return std::ranges::count(sites, block) > 0;
}

std::string joined_sites(const std::vector<int>& sites) {
  std::string text;
  for (const int site : sites) text = cat(text, text.empty() ? "" : "/", site);
  return text;
}

void check_keep_range(const std::string& method, const std::vector<double>& range) {
  check_argument(
      range.empty() || (range.size() == 2 && range[0] > 0 && range[0] <= range[1] && range[1] <= 1),
      "[", method, "] expected keep_range to be two rates in (0, 1], the smaller first, got ",
      range.size() == 2 ? cat(range[0], " and ", range[1]) : cat(range.size(), " of them"));
}

double draw(const std::vector<double>& range) {
  return range[0] + (range[1] - range[0]) * torch::rand({1}).item<double>();
}

void check_sites(const std::string& method, const std::vector<int>& sites, int first, int depth) {
  check_argument(!sites.empty() && sites.front() >= first && sites.back() < depth &&
                     std::ranges::adjacent_find(sites, std::greater_equal<>()) == sites.end(),
                 "[", method, "] expected ascending sites from ", first, " to ", depth - 1,
                 ", got ", sites.empty() ? "none" : joined_sites(sites));
}

void check_no_masks(const std::string& method, const VitConfig& config) {
  check_argument(config.masks.heads.empty(), "[", method,
                 "] expected a network without attention_masks, which in training go with "
                 "dense, asvit and token_labeling without sites; the engine runs both together");
}

void check_attention(const std::string& method, const VitConfig& config,
                     const std::vector<int>& sites, int ahead) {
  for (const int site : sites) {
    check_argument(config.num_heads[static_cast<size_t>(site - ahead)] > 0, "[", method,
                   "] expected an attention in block ", site - ahead, " to score by");
  }
}

}  // namespace tokensieve::nn
