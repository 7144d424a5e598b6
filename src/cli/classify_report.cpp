#include "classify_report.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "model_option.h"
#include "runs.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/printable.h"

namespace tokensieve::cli {
namespace {

constexpr size_t kNameWidth = 26;

double speedup(const PictureReport& picture, size_t r) {
  return picture.runs.front().seconds / picture.runs[r].seconds;
}

bool same_label(const PictureReport& picture, size_t r) {
  return same_guess(picture.runs[r].top.front(), picture.runs.front().top.front());
}

double macs_share(const PictureReport& picture, size_t r) {
  return static_cast<double>(picture.runs[r].macs) / static_cast<double>(picture.dense_macs);
}

// The first recipe's guesses, then what other recipes put first instead.
std::vector<int> labels_to_show(const PictureReport& picture) {
  std::vector<int> labels;
  const auto add = [&](int label) {
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  };
  for (const Guess& guess : picture.runs.front().top) add(guess.label);
  for (const RunReport& run : picture.runs) add(run.top.front().label);
  return labels;
}

// Without the folder, if it is the same for all.
std::string short_name(const ClassifyReport& report, const PictureReport& picture) {
  const std::filesystem::path path = picture.path;
  for (const PictureReport& other : report.pictures) {
    const std::filesystem::path other_path = other.path;
    if (other_path.parent_path() != path.parent_path())
      return shorten(printable(picture.path, std::string::npos), 30);
  }
  return shorten(printable(path.filename().string(), std::string::npos), 30);
}

std::string times(double factor) { return fixed(factor, 2) + "x"; }

// Means over all pictures of one recipe.
struct Means {
  double macs = 0.0, share = 0.0, seconds = 0.0, dense_seconds = 0.0;
  int same = 0;
};

Means means_of(const ClassifyReport& report, size_t r) {
  Means means;
  const auto count = static_cast<double>(report.pictures.size());
  for (const PictureReport& picture : report.pictures) {
    means.macs += static_cast<double>(picture.runs[r].macs) / count;
    means.share += macs_share(picture, r) / count;
    means.seconds += picture.runs[r].seconds / count;
    means.dense_seconds += picture.runs.front().seconds / count;
    means.same += same_label(picture, r) ? 1 : 0;
  }
  return means;
}

}  // namespace

std::string picture_text(const ClassifyReport& report, const PictureReport& picture,
                         const ModelFolder& model) {
  std::vector<Table::Column> columns{{"", false}};
  for (const NamedRecipe& recipe : report.recipes) {
    columns.push_back({shorten(recipe.name, kNameWidth)});
  }
  Table table(columns, 2);
  const auto row = [&](const std::string& name, const auto& cell) {
    std::vector<std::string> cells{name};
    for (size_t r = 0; r < report.recipes.size(); ++r) cells.push_back(cell(r));
    table.add(cells);
  };
  for (const int label : labels_to_show(picture)) {
    row(shorten(label_name(model, label), 40), [&](size_t r) {
      const RunReport& run = picture.runs[r];
      const std::string text = percent(run.probabilities[static_cast<size_t>(label)]);
      return run.top.front().label == label ? bold(text) : text;
    });
  }
  row(dim("tokens left"), [&](size_t r) { return arrow_list(picture.runs[r].tokens); });
  row(dim("GMAC"), [&](size_t r) {
    const std::string share = " (" + percent(macs_share(picture, r), 0) + ")";
    return giga(static_cast<double>(picture.runs[r].macs)) +
           (report.recipes[r].recipe.is_dense() ? "" : share);
  });
  row(dim("ms"), [&](size_t r) {
    const std::string text = fixed(1e3 * picture.runs[r].seconds, 1);
    return report.compares() && r > 0 ? text + " (" + times(speedup(picture, r)) + ")" : text;
  });
  return bold(printable(picture.path, std::string::npos)) + "\n" + table.str();
}

std::string summary_text(const ClassifyReport& report) {
  const bool compares = report.compares();
  const bool many = report.recipes.size() > (compares ? 2 : 1);
  std::vector<Table::Column> columns{{"picture", false}};
  if (many) columns.push_back({"recipe", false});
  for (const char* title : {"label", "", "GMAC", "of dense", "ms"}) {
    columns.push_back({title, std::string(title) != "label"});
  }
  if (compares) columns.insert(columns.end(), {{"speed"}, {"as dense", false}});
  Table table(columns);
  const auto add = [&](std::string name, size_t r, const std::string& label,
                       const std::string& probability, const Means& means,
                       const std::string& same) {
    std::vector<std::string> cells{std::move(name)};
    if (many) cells.push_back(shorten(report.recipes[r].name, kNameWidth));
    cells.insert(cells.end(), {label, probability, giga(means.macs), percent(means.share, 0),
                               fixed(1e3 * means.seconds, 1)});
    if (compares) {
      cells.insert(cells.end(), {times(means.dense_seconds / means.seconds), same});
    }
    table.add(cells);
  };
  const size_t first = compares ? 1 : 0;
  for (const PictureReport& picture : report.pictures) {
    for (size_t r = first; r < report.recipes.size(); ++r) {
      const RunReport& run = picture.runs[r];
      const Guess& best = run.top.front();
      const Means means{static_cast<double>(run.macs), macs_share(picture, r), run.seconds,
                        picture.runs.front().seconds, 0};
      add(r == first ? short_name(report, picture) : "", r, shorten(best.name, 24),
          percent(best.probability), means, same_label(picture, r) ? green("yes") : red("no"));
    }
  }
  if (report.pictures.size() > 1) {
    for (size_t r = first; r < report.recipes.size(); ++r) {
      const Means means = means_of(report, r);
      const std::string count = std::to_string(report.pictures.size());
      add(r == first ? "mean of " + count : "", r, "", "", means,
          std::to_string(means.same) + " of " + count);
    }
  }
  return table.str();
}

nlohmann::ordered_json to_json(const ClassifyReport& report) {
  using json = nlohmann::ordered_json;
  json pictures = json::array();
  for (const PictureReport& picture : report.pictures) {
    json runs = json::array();
    for (size_t r = 0; r < report.recipes.size(); ++r) {
      const RunReport& run = picture.runs[r];
      json top = json::array();
      for (const Guess& guess : run.top) {
        top.push_back(
            {{"label", guess.label}, {"name", guess.name}, {"probability", guess.probability}});
      }
      json entry{{"name", report.recipes[r].name},
                 {"recipe", report.recipes[r].recipe.str()},
                 {"top", top},
                 {"tokens", run.tokens},
                 {"macs", run.macs},
                 {"macs_share", macs_share(picture, r)},
                 {"seconds", run.seconds}};
      if (report.compares()) {
        entry["speedup"] = speedup(picture, r);
        entry["same_label"] = same_label(picture, r);
      }
      runs.push_back(entry);
    }
    pictures.push_back({{"image", picture.path}, {"runs", runs}});
  }
  json summary = json::array();
  for (size_t r = 0; r < report.recipes.size(); ++r) {
    const Means means = means_of(report, r);
    json entry{{"name", report.recipes[r].name},
               {"recipe", report.recipes[r].recipe.str()},
               {"macs", means.macs},
               {"macs_share", means.share},
               {"seconds", means.seconds}};
    if (!report.recipes[r].reason.empty()) entry["reason"] = report.recipes[r].reason;
    if (report.compares()) {
      entry["speedup"] = means.dense_seconds / means.seconds;
      entry["same_label"] = means.same;
    }
    summary.push_back(entry);
  }
  return {{"images", pictures}, {"summary", summary}};
}

}  // namespace tokensieve::cli
