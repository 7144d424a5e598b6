#include "predictor.h"

#include <algorithm>
#include <cmath>

#include "dot.h"
#include "kernels/layer_norm.h"
#include "tokensieve/core/error.h"
#include "workspace.h"

namespace tokensieve {
namespace {

constexpr float kNormEps = 1e-5f;  // the official predictor's, whatever the backbone's is

using Values = std::vector<float>;

/// log sigmoid(x) without overflow, and without losing digits near 0.
float log_sigmoid(float x) { return std::min(x, 0.0f) - std::log1p(std::exp(-std::abs(x))); }

/// Where the patches of each sample lie when the rows are packed without their prefixes.
RaggedLayout patch_layout(const RaggedLayout& layout, int prefix) {
  RaggedLayout patches;
  patches.reserve(layout.batch());
  for (int64_t b = 0; b < layout.batch(); ++b) patches.push_back(layout.count(b) - prefix);
  return patches;
}

/// means[b] = mean of the sample's rows; 0 without any.
void mean_rows(RowsView<const float> rows, const RaggedLayout& layout, RowsView<float> means) {
#pragma omp parallel for schedule(static) if (layout.batch() > 1)
  for (int64_t b = 0; b < layout.batch(); ++b) {
    const std::span<float> mean = means.row(b);
    std::ranges::fill(mean, 0.0f);
    for (int64_t i = layout.offset(b); i < layout.offset(b + 1); ++i) {
      const float* row = rows.data + i * rows.stride;
      for (int64_t c = 0; c < rows.cols; ++c) mean[c] += row[c];
    }
    const auto count = static_cast<float>(std::max<int64_t>(layout.count(b), 1));
    for (float& value : mean) value /= count;
  }
}

/// Every row of a sample becomes the sample's row of `from`.
void repeat_rows(RowsView<const float> from, const RaggedLayout& layout, RowsView<float> rows) {
#pragma omp parallel for schedule(static) if (layout.batch() > 1)
  for (int64_t b = 0; b < layout.batch(); ++b) {
    for (int64_t i = layout.offset(b); i < layout.offset(b + 1); ++i) {
      std::ranges::copy(from.row(b), rows.row(i).begin());
    }
  }
}

}  // namespace

/// The tensors of a predictor, cut as they are multiplied.
struct Predictor::Parts {
  Parts(const WeightSource& source, int site, int64_t dim_)
      : dim(dim_), half(dim_ / 2), quarter(dim_ / 4) {
    const std::string scope = "score_predictor." + std::to_string(site);
    const auto read = [&](const char* name, std::vector<int64_t> shape) {
      return source.read(scope + name, shape);
    };
    norm = read_norm(source, scope + ".in_conv.0", dim);
    const Values in = read(".in_conv.1.weight", {dim, dim});
    const Values in_bias = read(".in_conv.1.bias", {dim});
    linear("in_local", {half, dim}, {in.begin(), in.begin() + half * dim});
    linear("in_global", {half, dim}, {in.begin() + half * dim, in.end()});
    bias("in_local", {in_bias.begin(), in_bias.begin() + half});
    bias("in_global", {in_bias.begin() + half, in_bias.end()});

    const Values out = read(".out_conv.0.weight", {half, dim});
    Values local, global;
    for (auto row = out.begin(); row != out.end(); row += dim) {
      local.insert(local.end(), row, row + half);
      global.insert(global.end(), row + half, row + dim);
    }
    linear("out_local", {half, half}, std::move(local));
    linear("out_global", {half, half}, std::move(global));
    bias("out_global", read(".out_conv.0.bias", {half}));

    linear("second", {quarter, half}, read(".out_conv.2.weight", {quarter, half}));
    bias("second", read(".out_conv.2.bias", {quarter}));
    const Values last = read(".out_conv.4.weight", {2, quarter});
    const Values last_bias = read(".out_conv.4.bias", {2});
    for (int64_t i = 0; i < quarter; ++i) margin.push_back(last[i] - last[quarter + i]);
    margin_bias = last_bias[0] - last_bias[1];
  }

  void linear(const std::string& name, std::vector<int64_t> shape, Values values) {
    weights.set(name + ".weight", std::move(shape), std::move(values));
  }
  void bias(const std::string& name, Values values) {
    const auto size = static_cast<int64_t>(values.size());
    weights.set(name + ".bias", {size}, std::move(values));
  }

  int64_t dim, half, quarter;
  Norm norm;
  MemoryWeights weights;
  Values margin;
  float margin_bias;
};

Predictor::Predictor(const Parts& parts, LinearCache& cache)
    : norm(parts.norm),
      in_local(parts.weights, "in_local", parts.dim, parts.half, cache),
      in_global(parts.weights, "in_global", parts.dim, parts.half, cache),
      out_local(parts.weights, "out_local", parts.half, parts.half, cache, {.bias = false}),
      out_global(parts.weights, "out_global", parts.half, parts.half, cache),
      second(parts.weights, "second", parts.half, parts.quarter, cache),
      margin(parts.margin),
      margin_bias(parts.margin_bias) {}

Predictor::Predictor(const WeightSource& source, int site, int64_t dim, LinearCache& cache)
    : Predictor(Parts(source, site, dim), cache) {}

void PredictorRun::predict(const SiteInput& input, std::span<float> log_keep) {
  const Predictor& predictor = predictors_[static_cast<size_t>(input.site_index)];
  const int prefix = input.num_prefix_tokens;
  const RaggedLayout patches = patch_layout(input.layout, prefix);
  const int64_t dim = input.state.cols, batch = patches.batch();
  Workspace::Buffers& buffers = buffers_;

  const RowsView<float> normed = buffers.normed.rows<float>(patches.rows(), dim);
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t from = input.layout.offset(b) + prefix;
    layer_norm(
        {input.state.data + from * input.state.stride, patches.count(b), dim, input.state.stride},
        {normed.data + patches.offset(b) * dim, patches.count(b), dim}, predictor.norm.weight,
        predictor.norm.bias, kNormEps);
  }
  const RowsView<float> local =
      buffers.linear(predictor.in_local, normed, buffers.hidden, Epilogue::gelu);
  const RowsView<float> global =
      buffers.linear(predictor.in_global, normed, buffers.attended, Epilogue::gelu);
  const RowsView<float> means = buffers.predictor_means.rows<float>(batch, global.cols);
  mean_rows(global, patches, means);
  const RowsView<float> bias =
      buffers.linear(predictor.out_global, means, buffers.normed, Epilogue::none);
  const RowsView<float> first = buffers.attended.rows<float>(patches.rows(), bias.cols);
  repeat_rows(bias, patches, first);
  buffers.linear(predictor.out_local, local, buffers.attended, Epilogue::add_gelu);
  const RowsView<float> second =
      buffers.linear(predictor.second, first, buffers.hidden, Epilogue::gelu);

  buffers.executed_macs += second.rows * second.cols;
  for (int64_t b = 0; b < batch; ++b) {
    float* to = log_keep.data() + input.layout.offset(b) + prefix;
    const RowsView<float> own{second.row(patches.offset(b)).data(), patches.count(b), second.cols};
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < own.rows; ++i) {
      const float margin = dot(own.data + i * own.stride, predictor.margin.data(), own.cols);
      to[i] = log_sigmoid(margin + predictor.margin_bias);
    }
  }
}

}  // namespace tokensieve
