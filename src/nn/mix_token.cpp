#include "mix_token.h"

#include <limits>

#include "tokensieve/data/mixing.h"

namespace tokensieve::nn {

MixToken MixToken::draw(int64_t height, int64_t width, double alpha) {
  if (alpha == 0) return {height, width, 0, 0, 0, 0};
  const int64_t seed =
      torch::randint(std::numeric_limits<int64_t>::max(), {1}, torch::kLong).item<int64_t>();
  Random random(static_cast<uint64_t>(seed));
  const double lambda = random.beta(alpha, alpha);
  const Box box = random_cut(static_cast<int>(width), static_cast<int>(height), lambda, random);
  return {height, width, box.top, box.left, box.height, box.width};
}

MixToken::MixToken(int64_t height, int64_t width, int64_t top, int64_t left, int64_t rows,
                   int64_t columns) {
  if (rows == 0 || columns == 0) return;
  inside_ = torch::zeros({height, width}, torch::kBool);
  inside_.slice(0, top, top + rows).slice(1, left, left + columns).fill_(true);
  inside_ = inside_.flatten();
  lambda_ = 1.0 - static_cast<double>(rows * columns) / static_cast<double>(height * width);
}

torch::Tensor MixToken::swap(const torch::Tensor& rows) const {
  if (!inside_.defined()) return rows;
  torch::Tensor inside = inside_.to(rows.device());
  if (rows.dim() == 3) inside = inside.unsqueeze(-1);
  return torch::where(inside, rows.flip(0), rows);
}

torch::Tensor MixToken::mixed(const torch::Tensor& labels) const {
  return inside_.defined() ? lambda_ * labels + (1 - lambda_) * labels.flip(0) : labels;
}

}  // namespace tokensieve::nn
