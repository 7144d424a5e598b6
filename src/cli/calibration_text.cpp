#include "calibration.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/clopper_pearson.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

std::string share_text(int64_t count, int64_t samples) {
  return fixed(100.0 * static_cast<double>(count) / static_cast<double>(samples), 2);
}

}  // namespace

std::string to_text(const Calibration& calibration, const Machine& machine) {
  const MachineLatency* latency = calibration.on(machine);
  if (latency == nullptr && !calibration.latencies.empty())
    latency = &calibration.latencies.front();
  const int64_t samples = calibration.samples;
  const bool labels = calibration.dense_correct.has_value();

  std::vector<Table::Column> columns{
      {"density", false}, {"GMAC"}, {"of dense"}, {"agrees %"}, {"at least"}};
  if (labels) columns.push_back({"top-1 %"});
  if (latency != nullptr) columns.insert(columns.end(), {{"ms"}, {"10-90 %"}, {"speed"}});
  Table table(columns, 2);
  const auto add = [&](std::vector<std::string> cells, const std::optional<int64_t>& correct,
                       const Latency* time) {
    if (labels) cells.push_back(share_text(*correct, samples));
    if (time != nullptr) {
      cells.insert(cells.end(),
                   {fixed(time->median, 2), fixed(time->low, 2) + " " + fixed(time->high, 2),
                    fixed(latency->dense.median / time->median, 2) + "x"});
    }
    table.add(std::move(cells));
  };
  add({"dense", giga(calibration.dense_macs), "", "", ""}, calibration.dense_correct,
      latency != nullptr ? &latency->dense : nullptr);
  for (size_t i = 0; i < calibration.steps.size(); ++i) {
    const CalibrationStep& step = calibration.steps[i];
    const double bound = clopper_pearson_lower(step.agreed, samples);
    add({calibration.step_name(i), giga(step.macs), percent(step.macs / calibration.dense_macs, 0),
         share_text(step.agreed, samples), fixed(100.0 * bound, 2)},
        step.correct, latency != nullptr ? &latency->steps[i] : nullptr);
  }
  std::string text =
      cat(bold(calibration.recipe), ", calibrated on ", samples, " samples\n", table.str());
  if (latency != nullptr) text += "  ms: one sample, " + to_string(latency->machine) + "\n";
  return text;
}

}  // namespace tokensieve::cli
