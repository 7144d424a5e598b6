#include "tokensieve/core/row_columns.h"

#include <algorithm>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// The value of one output row of a column; `values` are those of its sample.
float combined(Combine combine, std::span<const float> values, std::span<const Source> sources) {
  if (combine == Combine::first) return values[static_cast<size_t>(sources.front().row)];
  float sum = 0.0f;
  for (const Source& source : sources) {
    const float weight = combine == Combine::weighted ? source.weight : 1.0f;
    sum += weight * values[static_cast<size_t>(source.row)];
  }
  return sum;
}

/// Moves `values` by the plan; `next` is scratch memory.
void move_column(const TokenPlan& plan, Combine combine, std::vector<float>& values,
                 std::vector<float>& next) {
  next.resize(static_cast<size_t>(plan.output_layout().rows()));
  for (int64_t sample = 0; sample < plan.batch(); ++sample) {
    const auto own = std::span<const float>(values).subspan(
        static_cast<size_t>(plan.input_layout().offset(sample)),
        static_cast<size_t>(plan.input_layout().count(sample)));
    const int64_t end = plan.output_layout().offset(sample + 1);
    for (int64_t row = plan.output_layout().offset(sample); row < end; ++row) {
      next[static_cast<size_t>(row)] = combined(combine, own, plan.sources(row));
    }
  }
  values.swap(next);
}

}  // namespace

void RowColumns::reset(const RaggedLayout& layout, int num_prefix_tokens) {
  columns_.clear();
  size_.assign(static_cast<size_t>(layout.rows()), 1.0f);
  origin_.clear();
  origin_.reserve(static_cast<size_t>(layout.rows()));
  for (int64_t sample = 0; sample < layout.batch(); ++sample) {
    check_argument(layout.count(sample) >= num_prefix_tokens,
                   "[row_columns] expected at least the ", num_prefix_tokens,
                   " prefix rows in sample ", sample, ", got ", layout.count(sample));
    for (int32_t prefix = 0; prefix < num_prefix_tokens; ++prefix) origin_.push_back(-1 - prefix);
    const auto tokens = static_cast<int32_t>(layout.count(sample) - num_prefix_tokens);
    for (int32_t token = 0; token < tokens; ++token) origin_.push_back(token);
  }
}

void RowColumns::add(std::string name, Combine combine, float initial) {
  for (const Column& column : columns_) {
    check_argument(column.name != name, "[row_columns] expected a new column name, got '", name,
                   "', which exists");
  }
  columns_.push_back({std::move(name), combine, std::vector<float>(size_.size(), initial)});
}

std::span<const float> RowColumns::column(std::string_view name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return column.values;
  }
  fail_argument("[row_columns] expected the name of an added column, got '", name,
                "'; add() it after reset()");
}

std::span<float> RowColumns::column(std::string_view name) {
  const std::span<const float> values = std::as_const(*this).column(name);
  return {const_cast<float*>(values.data()), values.size()};
}

void RowColumns::select(const RaggedLayout& layout, std::span<const int64_t> samples) {
  check_argument(layout.rows() == static_cast<int64_t>(origin_.size()),
                 "[row_columns] expected a layout of ", origin_.size(), " rows, got one of ",
                 layout.rows());
  const auto rows = static_cast<size_t>(layout.select(samples).rows());
  const auto pack = [&](auto& values) {
    auto to = values.begin();
    for (const int64_t sample : samples) {
      const auto from = values.begin() + layout.offset(sample);
      to = std::move(from, from + layout.count(sample), to);
    }
    values.resize(rows);
  };
  pack(origin_);
  pack(size_);
  for (Column& column : columns_) pack(column.values);
}

void RowColumns::apply(const TokenPlan& plan) {
  check_argument(plan.input_layout().rows() == static_cast<int64_t>(origin_.size()),
                 "[row_columns] expected a plan for ", origin_.size(), " rows, got one for ",
                 plan.input_layout().rows());
  next_origin_.clear();
  for (int64_t sample = 0; sample < plan.batch(); ++sample) {
    const int64_t first = plan.input_layout().offset(sample);
    const int64_t end = plan.output_layout().offset(sample + 1);
    for (int64_t row = plan.output_layout().offset(sample); row < end; ++row) {
      next_origin_.push_back(origin_[static_cast<size_t>(first + plan.sources(row).front().row)]);
    }
  }
  origin_.swap(next_origin_);
  move_column(plan, Combine::sum, size_, next_);
  for (Column& column : columns_) move_column(plan, column.combine, column.values, next_);
}

}  // namespace tokensieve
