#include "tokensieve/core/token_plan.h"

#include <cmath>
#include <cstring>

#include "tokensieve/core/error.h"

namespace tokensieve {

void TokenPlan::reserve(int64_t batch, int64_t rows) {
  input_.reserve(batch);
  output_.reserve(batch);
  source_offsets_.reserve(static_cast<size_t>(rows) + 1);
  sources_.reserve(static_cast<size_t>(rows));
  copied_rows_.reserve(static_cast<size_t>(rows));
}

void TokenPlan::begin_sample(int64_t input_count) {
  input_.push_back(input_count);
  output_.push_back(0);
}

void TokenPlan::keep(int32_t row) {
  const Source source{row};
  combine({&source, 1});
}

void TokenPlan::combine(std::span<const Source> sources) {
  check_argument(batch() > 0, "[token_plan] expected begin_sample before the first row, got none");
  check_argument(!sources.empty(), "[token_plan] expected at least one source for a row, got none");
  sources_.insert(sources_.end(), sources.begin(), sources.end());
  source_offsets_.push_back(static_cast<int64_t>(sources_.size()));
  const bool copy = sources.size() == 1 && sources[0].weight == 1.0f;
  copied_rows_.push_back(copy ? input_.offset(batch() - 1) + sources[0].row : -1);
  output_.extend_last(1);
}

TokenPlan TokenPlan::identity(const RaggedLayout& layout) {
  TokenPlan plan;
  plan.reserve(layout.batch(), layout.rows());
  for (int64_t sample = 0; sample < layout.batch(); ++sample) {
    plan.begin_sample(layout.count(sample));
    for (int32_t row = 0; row < layout.count(sample); ++row) plan.keep(row);
  }
  return plan;
}

std::span<const Source> TokenPlan::sources(int64_t row) const {
  const int64_t begin = source_offsets_[static_cast<size_t>(row)];
  const int64_t end = source_offsets_[static_cast<size_t>(row) + 1];
  return std::span(sources_).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

std::vector<Destination> TokenPlan::destinations(int64_t sample) const {
  std::vector<Destination> result(static_cast<size_t>(input_.count(sample)));
  const int64_t first = output_.offset(sample);
  for (int32_t row = 0; row < output_.count(sample); ++row) {
    for (const Source& source : sources(first + row)) {
      Destination& destination = result[static_cast<size_t>(source.row)];
      if (destination.row < 0) destination = {row, source.weight};
    }
  }
  return result;
}

bool TokenPlan::is_copy(int64_t row) const { return copied_row(row) >= 0; }

bool TokenPlan::is_identity() const {
  if (input_ != output_) return false;
  int64_t row = 0;
  for (const int64_t copied : copied_rows_) {
    if (copied != row++) return false;
  }
  return true;
}

bool TokenPlan::is_gather() const {
  for (const int64_t copied : copied_rows_) {
    if (copied < 0) return false;
  }
  return true;
}

void TokenPlan::validate(const RaggedLayout& layout, int num_prefix_tokens) const {
  check_argument(input_ == layout, "[token_plan] expected a plan for ", layout.batch(),
                 " samples with ", layout.rows(), " rows, got one for ", input_.batch(), " with ",
                 input_.rows(), " or in other places");
  for (int64_t sample = 0; sample < batch(); ++sample) {
    const int64_t count = input_.count(sample), first = output_.offset(sample);
    for (int64_t row = first; row < first + output_.count(sample); ++row) {
      for (const Source& source : sources(row)) {
        check_argument(source.row >= 0 && source.row < count,
                       "[token_plan] expected source rows in [0, ", count, ") in sample ", sample,
                       ", got ", source.row);
        check_argument(std::isfinite(source.weight),
                       "[token_plan] expected finite weights in sample ", sample, ", got ",
                       source.weight, " for row ", source.row);
      }
    }
    check_argument(output_.count(sample) >= num_prefix_tokens, "[token_plan] expected the ",
                   num_prefix_tokens, " prefix rows of sample ", sample, " to stay, got ",
                   output_.count(sample), " rows");
    for (int prefix = 0; prefix < num_prefix_tokens; ++prefix) {
      check_argument(copied_row(first + prefix) == input_.offset(sample) + prefix,
                     "[token_plan] expected prefix row ", prefix, " of sample ", sample,
                     " in its place, unchanged; keep it first");
    }
  }
}

void TokenPlan::apply(RowsView<const float> in, RowsView<float> out) const {
  check_argument(in.rows == input_.rows() && out.rows == output_.rows() && in.cols == out.cols,
                 "[token_plan] expected [", input_.rows(), ", c] in and [", output_.rows(),
                 ", c] out, got [", in.rows, ", ", in.cols, "] and [", out.rows, ", ", out.cols,
                 "]");
  const size_t row_bytes = static_cast<size_t>(in.cols) * sizeof(float);
  for (int64_t sample = 0; sample < batch(); ++sample) {
    const int64_t first = output_.offset(sample);
    for (int64_t row = first; row < first + output_.count(sample); ++row) {
      const std::span<float> sum = out.row(row);
      if (is_copy(row)) {
        std::memcpy(sum.data(), in.row(copied_row(row)).data(), row_bytes);
        continue;
      }
      std::memset(sum.data(), 0, row_bytes);
      for (const Source& source : sources(row)) {
        const std::span<const float> term = in.row(input_.offset(sample) + source.row);
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += source.weight * term[i];
      }
    }
  }
}

}  // namespace tokensieve
