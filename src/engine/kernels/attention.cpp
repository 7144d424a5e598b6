#include "kernels/attention.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/attention_head.h"

namespace tokensieve {
namespace {

const RaggedLayout& query_layout(const AttentionInput& input) {
  return input.query_layout ? *input.query_layout : *input.layout;
}

int64_t sums_of(int64_t queries) { return (queries + kQueriesPerSum - 1) / kQueriesPerSum; }

// A head of a sample is a task; where that leaves threads idle, it is cut further. The cut changes
// no result.
void list_tasks(const AttentionInput& input, bool class_row_only, AttentionScratch& scratch) {
  scratch.tasks.clear();
  const RaggedLayout& queries = query_layout(input);
  const bool cut = queries.batch() * input.num_heads < 2 * omp_get_max_threads();
  int64_t sums = 0;
  for (int64_t b = 0; b < queries.batch(); ++b) {
    const int64_t count =
        class_row_only ? std::min<int64_t>(1, queries.count(b)) : queries.count(b);
    const int64_t step = cut ? kQueriesPerSum : std::max<int64_t>(count, 1);
    for (int64_t head = 0; head < input.num_heads; ++head) {
      for (int64_t first = 0; first < count; first += step) {
        scratch.tasks.push_back({b, head, first, std::min(first + step, count), sums});
      }
      sums += sums_of(count) * input.layout->count(b);
    }
  }
  scratch.num_sums = sums;
}

AttentionHead head_of(const AttentionInput& input, const AttentionOutput& output,
                      const AttentionScratch::Task& task) {
  const int64_t width = int64_t{input.num_heads} * input.head_dim;
  const int64_t first_key = input.layout->offset(task.sample);
  const int64_t first_query = query_layout(input).offset(task.sample);
  AttentionHead head;
  head.stride = input.qkv.stride;
  head.queries = input.qkv.data + task.head * input.head_dim;
  if (input.query_rows) {
    head.query_rows = input.query_rows + first_query;  // packed rows, so no sample offset
  } else {
    head.queries += first_key * head.stride;
  }
  head.keys = input.qkv.data + first_key * head.stride + width + task.head * input.head_dim;
  head.values = head.keys + width;
  head.num_keys = input.layout->count(task.sample);
  head.head_dim = input.head_dim;
  head.first_query = task.first_query;
  head.last_query = task.last_query;
  if (std::ranges::binary_search(input.masked_heads, static_cast<int>(task.head))) {
    const int64_t table = input.tables->offsets[static_cast<size_t>(task.sample)];
    if (table >= 0) {
      head.mask = input.tables->values.data() + table;
    } else {
      head.neighbour_offsets = input.neighbourhoods->offsets.data() + first_key;
      head.neighbours = input.neighbourhoods->keys.data();
    }
    head.hard = input.hard;
    if (input.query_rows) head.first_row = first_key;
  }
  if (!input.key_bias.empty()) head.key_bias = input.key_bias.data() + first_key;
  if (output.rows.data) {
    head.out = output.rows.data + first_query * output.rows.stride + task.head * input.head_dim;
    head.out_stride = output.rows.stride;
  }
  if (output.class_row_per_head.data && task.first_query == 0) {
    head.class_row = output.class_row_per_head.row(task.head).data() + first_key;
  }
  if (output.output_norm.data) {
    head.output_norm = output.output_norm.row(task.head).data() + first_query;
  }
  return head;
}

// Adds the sums in one order, so that neither threads nor tasks can change a bit.
void reduce_columns(const AttentionInput& input, const AttentionScratch& scratch,
                    std::span<float> column_mean) {
  std::fill(column_mean.begin(), column_mean.end(), 0.0f);
  const RaggedLayout& queries = query_layout(input);
  const float* sums = scratch.column_sums.data();
  for (int64_t b = 0; b < queries.batch(); ++b) {
    const int64_t keys = input.layout->count(b);
    float* mean = column_mean.data() + input.layout->offset(b);
    for (int64_t i = 0; i < input.num_heads * sums_of(queries.count(b)); ++i, sums += keys) {
      for (int64_t j = 0; j < keys; ++j) mean[j] += sums[j];
    }
    const float factor = 1.0f / static_cast<float>(input.num_heads * queries.count(b));
    for (int64_t j = 0; j < keys; ++j) mean[j] *= factor;
  }
}

}  // namespace

void NeighbourTables::fill(const Neighbourhoods& neighbourhoods, const RaggedLayout& layout) {
  constexpr size_t kWidestVector = 16;  // read after the last row
  offsets.clear();
  values.clear();
  for (int64_t b = 0; b < layout.batch(); ++b) {
    const int64_t first = layout.offset(b), rows = layout.count(b);
    const int64_t near = neighbourhoods.offsets[static_cast<size_t>(first + rows)] -
                         neighbourhoods.offsets[static_cast<size_t>(first)];
    if (pairs_pay(near, rows)) {
      offsets.push_back(-1);
      continue;
    }
    offsets.push_back(std::ssize(values));
    values.resize(values.size() + static_cast<size_t>(rows * rows), 0);
    for (int64_t row = 0; row < rows; ++row) {
      uint8_t* const table = values.data() + offsets.back() + row * rows;
      for (const int32_t key : neighbourhoods.of_row(first + row)) table[key] = 1;
    }
  }
  values.resize(values.size() + kWidestVector, 0);
}

void attention(const AttentionInput& input, const AttentionOutput& output,
               AttentionScratch& scratch) {
  const bool columns = !output.column_mean.empty();
  list_tasks(input, !output.rows.data && !columns, scratch);
  const size_t per_thread =
      static_cast<size_t>(attention_head_scratch(input.layout->max_count(), input.head_dim));
  const size_t threads = static_cast<size_t>(omp_get_max_threads());
  scratch.threads.resize(std::max(scratch.threads.size(), per_thread * threads));
  if (columns) {
    scratch.column_sums.assign(static_cast<size_t>(scratch.num_sums), 0.0f);
  }
  const int64_t count = static_cast<int64_t>(scratch.tasks.size());
#pragma omp parallel for schedule(dynamic)
  for (int64_t t = 0; t < count; ++t) {
    AttentionHead head = head_of(input, output, scratch.tasks[static_cast<size_t>(t)]);
    head.scratch = scratch.threads.data() + per_thread * static_cast<size_t>(omp_get_thread_num());
    if (columns) head.column_sums = scratch.column_sums.data() + scratch.tasks[t].sums;
    attention_head(head);
  }
  if (columns) reduce_columns(input, scratch, output.column_mean);
}

void attention_plain(const AttentionInput& input, const AttentionOutput& output) {
  const RaggedLayout& keys = *input.layout;
  const RaggedLayout& queries = query_layout(input);
  const int64_t dim = input.head_dim, width = input.num_heads * dim;
  std::fill(output.column_mean.begin(), output.column_mean.end(), 0.0f);
  for (int64_t b = 0; b < keys.batch(); ++b) {
    for (int64_t head = 0; head < input.num_heads; ++head) {
      for (int64_t q = queries.offset(b); q < queries.offset(b + 1); ++q) {
        const int64_t row = input.query_rows ? input.query_rows[q] : q;
        const float* query = input.qkv.row(row).data() + head * dim;
        const bool masked = std::ranges::count(input.masked_heads, head) > 0;
        const auto seen = [&](int64_t j) {
          return !masked || std::ranges::count(input.neighbourhoods->of_row(row), j) > 0;
        };
        std::vector<double> p(static_cast<size_t>(keys.count(b)));
        double highest = -1e300, sum = 0.0;
        for (int64_t j = 0; j < keys.count(b); ++j) {
          const int64_t k = keys.offset(b) + j;
          const float* key = input.qkv.row(k).data() + width + head * dim;
          p[j] = input.key_bias.empty() ? 0.0 : input.key_bias[k];
          for (int64_t c = 0; c < dim && seen(j); ++c) p[j] += double{query[c]} * key[c];
          if (input.hard && !seen(j)) p[j] = -1e300;
          highest = std::max(highest, p[j]);
        }
        for (double& value : p) sum += value = std::exp(value - highest);
        std::vector<double> out(static_cast<size_t>(dim));
        for (int64_t j = 0; j < keys.count(b); ++j) {
          const int64_t k = keys.offset(b) + j;
          p[j] /= sum;
          const float* value = input.qkv.row(k).data() + 2 * width + head * dim;
          for (int64_t c = 0; c < dim; ++c) out[c] += p[j] * value[c];
          if (!output.column_mean.empty()) {
            output.column_mean[k] +=
                static_cast<float>(p[j] / static_cast<double>(input.num_heads * queries.count(b)));
          }
          if (output.class_row_per_head.data && q == queries.offset(b)) {
            output.class_row_per_head.row(head)[k] = static_cast<float>(p[j]);
          }
        }
        double squares = 0.0;
        for (int64_t c = 0; c < dim; ++c) {
          squares += out[c] * out[c];
          if (output.rows.data) output.rows.row(q)[head * dim + c] = static_cast<float>(out[c]);
        }
        if (output.output_norm.data) {
          output.output_norm.row(head)[q] = static_cast<float>(std::sqrt(squares));
        }
      }
    }
  }
}

}  // namespace tokensieve
