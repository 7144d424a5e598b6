#include "visualize_text.h"

#include <chrono>
#include <deque>
#include <iostream>

#include "json_output.h"
#include "picture_files.h"
#include "progress.h"
#include "statistics.h"
#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/viz/text_strip.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kRepeat = 3;  // the times in a caption are for orientation

/// One text under one recipe, with all it takes to draw it.
struct TextVisual {
  std::string stem;  ///< For file names.
  ShownText shown;
  RetentionTrace trace;
  int depth = 0;
  RetentionCaption caption;

  TextView view() const { return {shown.text, shown.tokens, trace, depth}; }
};

struct Answer {
  Classification result;
  RunSummary summary;
};

Answer answer_of(const TextClassifier& classifier, const Tokens& tokens, const Recipe& recipe,
                 bool times) {
  using Clock = std::chrono::steady_clock;
  const TokensView view{tokens.ids, tokens.types};
  Answer answer{std::move(classifier.classify({&view, 1}, recipe).front()), {}};
  for (const Guess& guess : answer.result.top) {
    answer.summary.top.push_back({guess.name, guess.probability});
  }
  answer.summary.macs = answer.result.output.macs.total();
  std::vector<double> milliseconds;
  for (int turn = 0; times && turn < kRepeat; ++turn) {
    const auto start = Clock::now();
    classifier.classify({&view, 1}, recipe);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  if (times) answer.summary.milliseconds = median(milliseconds);
  return answer;
}

std::deque<TextVisual> visuals_of(const TextVisualize& run, const TextClassifier& classifier,
                                  const std::vector<NamedRecipe>& recipes) {
  const int depth = classifier.bert().config().depth();
  std::deque<TextVisual> visuals;
  Progress progress("visualize", run.texts.size());
  for (size_t t = 0; t < run.texts.size(); ++t) {
    const TextSample& text = run.texts[t];
    const Tokens tokens = classifier.tokenize(text);
    const ShownText shown = shown_text(text, tokens);
    const std::string number = std::to_string(t + 1);
    const RunSummary dense = answer_of(classifier, tokens, Recipe(), run.times).summary;
    for (size_t r = 0; r < recipes.size(); ++r) {
      Answer answer = answer_of(classifier, tokens, recipes[r].recipe, run.times);
      std::string stem = "text" + number;
      if (recipes.size() > 1) stem += "_recipe" + std::to_string(r + 1);
      visuals.push_back({std::move(stem),
                         shown,
                         std::move(answer.result.output.trace),
                         depth,
                         {"text " + number, recipes[r].name, dense, std::move(answer.summary)}});
    }
    progress.update(t + 1);
  }
  return visuals;
}

void write_page(const fs::path& path, const std::deque<TextVisual>& visuals,
                const ReportOptions& options) {
  std::vector<TextReportEntry> entries;
  for (const TextVisual& visual : visuals) entries.push_back({visual.view(), visual.caption});
  write_text_html_report(path, entries, options);
}

std::vector<fs::path> write_texts(const fs::path& out, const std::deque<TextVisual>& visuals,
                                  const TextStripOptions& strip, const ReportOptions& report) {
  const OutputKind kind = output_kind(out);
  if (kind == OutputKind::html) {
    write_page(out, visuals, report);
    return {out};
  }
  std::vector<Image> strips;
  for (const TextVisual& visual : visuals) {
    strips.push_back(draw_text_strip(visual.view(), visual.caption, strip));
  }
  if (kind == OutputKind::png) {
    write_png(out, stacked(strips));
    return {out};
  }
  make_folder(out);
  std::vector<fs::path> files;
  for (size_t i = 0; i < strips.size(); ++i) {
    files.push_back(out / (visuals[i].stem + "_strip.png"));
    write_png(files.back(), strips[i]);
  }
  files.push_back(out / "index.html");
  write_page(files.back(), visuals, report);
  return files;
}

void print_strips(const std::deque<TextVisual>& visuals) {
  for (const TextVisual& visual : visuals) {
    std::cout << dim(visual.caption.recipe) << "\n"
              << terminal_strip(visual.view(), stdout_has_colour()) << "\n";
  }
}

}  // namespace

void visualize_texts(const TextVisualize& run) {
  check_argument(!run.json || !run.out.empty(), "[visualize] --json: expected --out OUT beside it");
  if (!run.out.empty()) {  // complain before the work, not after it
    check_argument(
        output_kind(run.out) != OutputKind::html || run.colormap == TextStripOptions().colormap,
        "[visualize] --colormap is for PNG files and folders");
  }
  const auto path = run.model.path();
  const LoadedModel loaded = run.model.load(3);
  const TextClassifier& classifier = loaded.texts("visualize");
  const auto recipes = run.recipes.resolve(loaded);
  if (recipes.size() == 1 && recipes.front().recipe.is_dense()) {
    std::cerr
        << "note: the dense network drops nothing; try --recipe 'ltp(threshold=0.01, n_ref=128)'\n";
  }
  const auto visuals = visuals_of(run, classifier, recipes);
  if (run.out.empty()) return print_strips(visuals);

  TextStripOptions strip;
  strip.colormap = run.colormap;
  ReportOptions report;
  report.subtitle = describe(path, loaded.folder());
  std::vector<std::string> names;
  for (const fs::path& file : write_texts(run.out, visuals, strip, report)) {
    names.push_back(file.string());
  }
  if (run.json) {
    print_json({{"model", path.string()}, {"texts", run.texts.size()}, {"files", names}});
    return;
  }
  for (const std::string& name : names) std::cout << "wrote " << name << "\n";
}

}  // namespace tokensieve::cli
