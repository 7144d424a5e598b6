#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/core/row_columns.h"
#include "tokensieve/core/token_plan.h"

using namespace tokensieve;

namespace {

using Random = std::mt19937;

int64_t draw(Random& random, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random() % static_cast<uint32_t>(most - least + 1));
}

/// Keeps the prefix, and puts a random half of the other rows, shuffled, into copies and sums.
TokenPlan random_plan(Random& random, const RaggedLayout& layout, int32_t prefix) {
  TokenPlan plan;
  for (int64_t sample = 0; sample < layout.batch(); ++sample) {
    plan.begin_sample(layout.count(sample));
    std::vector<int32_t> rows(static_cast<size_t>(layout.count(sample)));
    std::iota(rows.begin(), rows.end(), 0);
    std::shuffle(rows.begin() + prefix, rows.end(), random);
    for (int32_t row = 0; row < prefix; ++row) plan.keep(row);
    const auto end = static_cast<size_t>(draw(random, prefix, layout.count(sample)));
    for (size_t next = static_cast<size_t>(prefix); next < end;) {
      const auto group = std::min(end - next, static_cast<size_t>(draw(random, 1, 3)));
      std::vector<Source> sources;
      for (size_t i = 0; i < group; ++i) {
        const float weight = group == 1 ? 1.0f : static_cast<float>(draw(random, 1, 9)) / 8.0f;
        sources.push_back({rows[next++], weight});
      }
      plan.combine(sources);
    }
  }
  return plan;
}

std::vector<float> applied_naively(const TokenPlan& plan, const std::vector<float>& in,
                                   size_t cols) {
  std::vector<float> out;
  for (int64_t sample = 0; sample < plan.batch(); ++sample) {
    const auto first = static_cast<size_t>(plan.input_layout().offset(sample));
    for (int64_t row = plan.output_layout().offset(sample);
         row < plan.output_layout().offset(sample + 1); ++row) {
      for (size_t col = 0; col < cols; ++col) {
        float sum = 0.0f;
        for (const Source& source : plan.sources(row)) {
          sum += source.weight * in[(first + static_cast<size_t>(source.row)) * cols + col];
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

bool close(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::abs(x - y) <= 1e-4f; });
}

/// The state after the last site, computed from the trace alone: every token adds itself, by its
/// weight, to the row it is in. Prefix rows are left 0.
std::vector<float> rebuilt(const std::vector<RetentionTrace>& traces, const RaggedLayout& input,
                           const RaggedLayout& output, const std::vector<float>& in, size_t cols) {
  std::vector<float> out(static_cast<size_t>(output.rows()) * cols);
  for (size_t sample = 0; sample < traces.size(); ++sample) {
    const SiteTrace& last = traces[sample].sites.back();
    for (size_t token = 0; token < last.row.size(); ++token) {
      if (last.row[token] < 0) continue;
      const auto from = static_cast<size_t>(input.offset(static_cast<int64_t>(sample)) +
                                            traces[sample].num_prefix_tokens) +
                        token;
      const auto to =
          static_cast<size_t>(output.offset(static_cast<int64_t>(sample)) + last.row[token]);
      for (size_t col = 0; col < cols; ++col) {
        out[to * cols + col] += last.weight[token] * in[from * cols + col];
      }
    }
  }
  return out;
}

struct RandomRun {
  explicit RandomRun(uint32_t seed) : random(seed) {
    prefix = static_cast<int32_t>(draw(random, 0, 3));
    std::vector<int64_t> counts(static_cast<size_t>(draw(random, 1, 4)));
    for (int64_t& count : counts) count = prefix + draw(random, 0, 20);
    layout = RaggedLayout::from_counts(counts);
    state.resize(static_cast<size_t>(layout.rows()) * cols);
    for (float& value : state) value = static_cast<float>(draw(random, -99, 99)) / 16.0f;
  }

  Random random;
  size_t cols = 5;
  int32_t prefix = 0;
  RaggedLayout layout;
  std::vector<float> state;
};

}  // namespace

TEST_CASE("applying a random plan equals the sum written out", "[core][plan]") {
  RandomRun run(static_cast<uint32_t>(GENERATE(range(0, 200))));
  const TokenPlan plan = random_plan(run.random, run.layout, run.prefix);
  REQUIRE_NOTHROW(plan.validate(run.layout, run.prefix));
  std::vector<float> out(static_cast<size_t>(plan.output_layout().rows()) * run.cols);
  plan.apply({run.state.data(), run.layout.rows(), static_cast<int64_t>(run.cols)},
             {out.data(), plan.output_layout().rows(), static_cast<int64_t>(run.cols)});
  CHECK(close(out, applied_naively(plan, run.state, run.cols)));
}

TEST_CASE("after random plans state, columns and trace agree", "[core][trace][columns]") {
  RandomRun run(static_cast<uint32_t>(GENERATE(range(0, 200))));
  const std::vector<float> input = run.state;
  const RaggedLayout input_layout = run.layout;
  RowColumns columns;
  columns.reset(run.layout, run.prefix);
  TraceRecorder recorder;
  recorder.reset(run.layout, run.prefix);
  for (int site = 0; site < 3; ++site) {
    const TokenPlan plan = random_plan(run.random, run.layout, run.prefix);
    run.state = applied_naively(plan, run.state, run.cols);
    columns.apply(plan);
    recorder.record({site, SitePosition::after_block}, plan, {});
    run.layout = plan.output_layout();
  }
  const std::vector<RetentionTrace> traces = recorder.take();

  std::vector<float> expected = rebuilt(traces, input_layout, run.layout, input, run.cols);
  std::vector<float> tokens_in_row(static_cast<size_t>(run.layout.rows()));
  for (size_t sample = 0; sample < traces.size(); ++sample) {
    const auto first = static_cast<size_t>(run.layout.offset(static_cast<int64_t>(sample)));
    const SiteTrace& last = traces[sample].sites.back();
    CHECK(last.rows == run.layout.count(static_cast<int64_t>(sample)));
    for (size_t prefix = 0; prefix < static_cast<size_t>(run.prefix); ++prefix) {
      CHECK(columns.origin()[first + prefix] == -1 - static_cast<int32_t>(prefix));
      tokens_in_row[first + prefix] = 1.0f;
      for (size_t col = 0; col < run.cols; ++col) {
        expected[(first + prefix) * run.cols + col] = run.state[(first + prefix) * run.cols + col];
      }
    }
    for (size_t token = 0; token < last.row.size(); ++token) {
      if (last.row[token] >= 0) ++tokens_in_row[first + static_cast<size_t>(last.row[token])];
    }
    for (const int32_t token : traces[sample].kept_indices()) {
      const auto row = static_cast<size_t>(last.row[static_cast<size_t>(token)]);
      CHECK(columns.origin()[first + row] == token);
      CHECK(columns.size()[first + row] == 1.0f);
    }
    for (size_t row = first + static_cast<size_t>(run.prefix);
         row < first + static_cast<size_t>(last.rows); ++row) {
      const auto token = static_cast<size_t>(columns.origin()[row]);
      CHECK(last.row[token] == static_cast<int32_t>(row - first));
    }
  }
  CHECK(close(run.state, expected));
  CHECK(std::equal(tokens_in_row.begin(), tokens_in_row.end(), columns.size().begin(),
                   columns.size().end()));
}

TEST_CASE("once dropped, a token never comes back", "[core][trace]") {
  RandomRun run(static_cast<uint32_t>(GENERATE(range(0, 50))));
  TraceRecorder recorder;
  recorder.reset(run.layout, run.prefix);
  for (int site = 0; site < 4; ++site) {
    const TokenPlan plan = random_plan(run.random, run.layout, run.prefix);
    recorder.record({site, SitePosition::after_block}, plan, {});
    run.layout = plan.output_layout();
  }
  for (const RetentionTrace& trace : recorder.take()) {
    for (size_t site = 1; site < trace.sites.size(); ++site) {
      const auto before = trace.kept_indices(static_cast<int>(site) - 1);
      const auto after = trace.kept_indices(static_cast<int>(site));
      CHECK(std::includes(before.begin(), before.end(), after.begin(), after.end()));
      for (size_t token = 0; token < trace.sites[site].fate.size(); ++token) {
        CHECK(trace.sites[site - 1].fate[token] <= trace.sites[site].fate[token]);
      }
    }
  }
}
