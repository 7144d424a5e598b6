#include "attention_record.h"

#include <algorithm>
#include <cmath>

namespace tokensieve {

namespace {

constexpr AttentionRequest kClassRows =
    AttentionRequest::class_row | AttentionRequest::class_row_per_head;

}  // namespace

AttentionOutput AttentionRecord::prepare(AttentionRequest request, int num_heads,
                                         const RaggedLayout& layout) {
  request_ = request;
  rows_ = layout.rows();
  query_counts_.clear();
  for (int64_t b = 0; b < layout.batch(); ++b) query_counts_.push_back(layout.count(b));
  const auto size = [&](Table& table, AttentionRequest flags, int64_t lines) {
    table.lines = asks_for(request, flags) ? lines : 0;
    table.values.resize(static_cast<size_t>(table.lines * rows_));
  };
  size(class_row_, AttentionRequest::class_row, 1);
  size(class_row_per_head_, kClassRows, num_heads);
  size(column_mean_, AttentionRequest::column_mean, 1);
  size(value_norm_, AttentionRequest::value_norm, 1);
  size(output_norm_, AttentionRequest::output_norm, num_heads);
  AttentionOutput output;
  if (class_row_per_head_.lines) {
    output.class_row_per_head = {class_row_per_head_.values.data(), num_heads, rows_};
  }
  if (column_mean_.lines) output.column_mean = column_mean_.values;
  if (output_norm_.lines) output.output_norm = {output_norm_.values.data(), num_heads, rows_};
  return output;
}

void AttentionRecord::finish(const AttentionInput& input) {
  const int64_t heads = input.num_heads, dim = input.head_dim, width = heads * dim;
  head_dim_ = dim;
  if (class_row_.lines) {
    const float factor = 1.0f / static_cast<float>(heads);
    for (int64_t j = 0; j < rows_; ++j) {
      float sum = 0.0f;
      for (int64_t h = 0; h < heads; ++h) sum += class_row_per_head_.values[h * rows_ + j];
      class_row_.values[j] = sum * factor;
    }
  }
  if (value_norm_.lines) {
    for (int64_t j = 0; j < rows_; ++j) {
      const float* value = input.qkv.row(j).data() + 2 * width;
      float squares = 0.0f;
      for (int64_t c = 0; c < width; ++c) squares += value[c] * value[c];
      value_norm_.values[j] = std::sqrt(squares);
    }
  }
  mean_key_.lines = asks_for(request_, AttentionRequest::mean_key) ? 1 : 0;
  mean_key_.values.assign(static_cast<size_t>(mean_key_.lines * rows_ * dim), 0.0f);
  if (mean_key_.lines) {
    const float factor = 1.0f / static_cast<float>(heads);
    for (int64_t j = 0; j < rows_; ++j) {
      const float* key = input.qkv.row(j).data() + width;
      float* mean = mean_key_.values.data() + j * dim;
      for (int64_t h = 0; h < heads; ++h) {
        for (int64_t c = 0; c < dim; ++c) mean[c] += key[h * dim + c] * factor;
      }
    }
  }
}

void AttentionRecord::move(Table& table, const TokenPlan& plan) {
  const int64_t rows = plan.output_layout().rows();
  moved_.assign(static_cast<size_t>(table.lines * rows), 0.0f);
  for (int64_t b = 0; b < plan.batch(); ++b) {
    const int64_t first = plan.input_layout().offset(b);
    for (int64_t i = plan.output_layout().offset(b); i < plan.output_layout().offset(b + 1); ++i) {
      for (const Source& source : plan.sources(i)) {
        for (int64_t line = 0; line < table.lines; ++line) {
          moved_[line * rows + i] += table.values[line * rows_ + first + source.row];
        }
      }
    }
  }
  table.values.swap(moved_);
}

void AttentionRecord::apply(const TokenPlan& plan) {
  if (request_ == AttentionRequest::none) return;
  for (Table* table :
       {&class_row_, &class_row_per_head_, &column_mean_, &value_norm_, &output_norm_}) {
    if (table->lines) move(*table, plan);
  }
  if (mean_key_.lines) {
    moved_.resize(static_cast<size_t>(plan.output_layout().rows() * head_dim_));
    plan.apply({mean_key_.values.data(), rows_, head_dim_},
               {moved_.data(), plan.output_layout().rows(), head_dim_});
    mean_key_.values.swap(moved_);
  }
  rows_ = plan.output_layout().rows();
}

void AttentionRecord::select(const RaggedLayout& layout, std::span<const int64_t> samples) {
  if (request_ == AttentionRequest::none) return;
  const auto pack = [&](std::vector<float>& values, int64_t lines, int64_t width) {
    auto to = values.begin();
    for (int64_t line = 0; line < lines; ++line) {
      for (const int64_t b : samples) {
        const auto from = values.begin() + (line * rows_ + layout.offset(b)) * width;
        to = std::copy(from, from + layout.count(b) * width, to);
      }
    }
    values.erase(to, values.end());
  };
  for (Table* table :
       {&class_row_, &class_row_per_head_, &column_mean_, &value_norm_, &output_norm_}) {
    pack(table->values, table->lines, 1);
  }
  pack(mean_key_.values, mean_key_.lines, head_dim_);
  for (size_t i = 0; i < samples.size(); ++i) {
    query_counts_[i] = query_counts_[static_cast<size_t>(samples[i])];
  }
  query_counts_.resize(samples.size());
  rows_ = layout.select(samples).rows();
}

AttentionTrace AttentionRecord::view() const {
  AttentionTrace trace;
  if (request_ == AttentionRequest::none) return trace;
  const auto table = [&](const Table& t) -> RowsView<const float> {
    return t.lines ? RowsView<const float>(t.values.data(), t.lines, rows_)
                   : RowsView<const float>();
  };
  trace.class_row = class_row_.values;
  trace.class_row_per_head = table(class_row_per_head_);
  trace.column_mean = column_mean_.values;
  trace.query_counts = query_counts_;
  trace.value_norm = value_norm_.values;
  trace.output_norm = table(output_norm_);
  if (mean_key_.lines) trace.mean_key = {mean_key_.values.data(), rows_, head_dim_};
  return trace;
}

}  // namespace tokensieve
