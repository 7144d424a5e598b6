#include "text_facts.h"

#include <algorithm>
#include <set>

#include "facts.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

using json = nlohmann::ordered_json;

std::vector<int32_t> random_words(int count, int vocab_size) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  uint32_t state = 1;
  for (int32_t& id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % static_cast<uint32_t>(vocab_size));
  }
  return ids;
}

std::vector<int> lengths_of(const BertConfig& config) {
  std::set<int> lengths;
  for (const int length : {64, 128, 256, 512, config.max_positions}) {
    lengths.insert(std::min(length, config.max_positions));
  }
  return {lengths.begin(), lengths.end()};
}

std::string head_text(const BertConfig& bert) {
  switch (bert.head) {
    case TextHead::embedding:
      return cat("sentence embedding, ", bert.embed_dim, " wide, ",
                 bert.pooling == TextPooling::mean ? "mean of the tokens" : "class token",
                 bert.normalize ? ", scaled to length 1" : "");
    case TextHead::classification:
      return cat("classification, ", bert.num_classes, " classes");
    case TextHead::tokens:
      return cat("classification of each token, ", bert.num_classes, " classes");
    case TextHead::question_answering:
      return "question answering";
  }
  return "";
}

// What the tokenizer of the folder is, and whether it fits; "none" without one.
std::string vocabulary_text(const ModelFolder& model) {
  if (model.tokenizer_folder.empty()) return "none: takes ids, not texts";
  const int entries = open_tokenizer(model.tokenizer_folder)->vocab_size();
  const bool fits = entries <= model.bert->vocab_size;
  return cat(entries, " entries", fits ? "" : ", more than the network has");
}

}  // namespace

std::vector<TextRecipeCost> text_costs(const TextClassifier& classifier,
                                       const std::vector<NamedRecipe>& recipes) {
  const BertConfig& config = classifier.bert().config();
  std::vector<TextRecipeCost> costs;
  for (const NamedRecipe& recipe : recipes) {
    const Schedule schedule = recipe.recipe.compile(config.depth());
    TextRecipeCost cost{recipe, schedule.has_fixed_counts() && schedule.exit().is_never(), {}};
    for (const int length : lengths_of(config)) {
      const auto ids = random_words(length, config.vocab_size);
      const TokensView text{ids};
      const auto output = classifier.classify({&text, 1}, recipe.recipe).front().output;
      TextCost at{length, {}, output.macs.total()};
      for (const LayerTokens& layer : output.layers) at.tokens_per_layer.push_back(layer.mlp);
      cost.costs.push_back(std::move(at));
    }
    costs.push_back(std::move(cost));
  }
  return costs;
}

std::string text_model_text(const std::filesystem::path& path, const ModelFolder& model) {
  const BertConfig& bert = *model.bert;
  FactLines lines(path);
  lines.add("architecture", cat(bert.name, ": ", bert.depth(), " blocks of width ", bert.embed_dim,
                                ", heads ", per_block(bert.num_heads), " of ", bert.head_dim,
                                ", MLP ", per_block(bert.mlp_dim)));
  lines.add("input", cat("texts of up to ", bert.max_positions, " tokens of ", bert.vocab_size,
                         ", special ones included"));
  lines.add("vocabulary", vocabulary_text(model));
  lines.add_parameters(path, model);
  lines.add("head", head_text(bert));
  lines.add("exits", bert.exits ? "a classifier after every block" : "none");
  lines.add("contributions", bert.contributions ? "a predictor before every block" : "none");
  lines.add("labels", labels_text(model.labels));
  lines.add("recipe", model.recipe);
  lines.add_provenance(model);
  return lines.str();
}

std::string text_costs_text(const std::vector<TextRecipeCost>& costs) {
  Table table(
      {{"recipe", false}, {"tokens"}, {"GMAC"}, {"of dense"}, {"tokens in each layer", false}});
  bool all_fixed = true;
  for (const TextRecipeCost& cost : costs) {
    for (size_t i = 0; i < cost.costs.size(); ++i) {
      const TextCost& at = cost.costs[i];
      std::string tokens;
      for (const int64_t count : at.tokens_per_layer) tokens += std::to_string(count) + " ";
      const auto macs = static_cast<double>(at.macs);
      const std::string name = shorten(cost.recipe.name, 32) + (cost.fixed ? "" : " *");
      table.add({i == 0 ? name : "", std::to_string(at.length), giga(macs),
                 percent(macs / static_cast<double>(costs.front().costs[i].macs), 0), tokens});
    }
    all_fixed = all_fixed && cost.fixed;
  }
  return table.str() + (all_fixed ? "" : "* depends on the text; counted on random words\n");
}

json text_model_json(const std::filesystem::path& path, const ModelFolder& model,
                     const std::vector<TextRecipeCost>& costs) {
  const BertConfig& bert = *model.bert;
  json recipes = json::array();
  for (const TextRecipeCost& cost : costs) {
    json lengths = json::array();
    for (const TextCost& at : cost.costs) {
      lengths.push_back(
          {{"length", at.length}, {"macs", at.macs}, {"tokens_per_layer", at.tokens_per_layer}});
    }
    recipes.push_back({{"name", cost.recipe.name},
                       {"recipe", cost.recipe.recipe.str()},
                       {"fixed", cost.fixed},
                       {"lengths", lengths}});
  }
  json vocabulary;
  if (!model.tokenizer_folder.empty()) {
    vocabulary = open_tokenizer(model.tokenizer_folder)->vocab_size();
  }
  return {{"model", path.string()},
          {"architecture", bert.name},
          {"depth", bert.depth()},
          {"embed_dim", bert.embed_dim},
          {"num_heads", bert.num_heads},
          {"head_dim", bert.head_dim},
          {"mlp_dim", bert.mlp_dim},
          {"vocab_size", bert.vocab_size},
          {"tokenizer_size", vocabulary},
          {"max_positions", bert.max_positions},
          {"head", to_string(bert.head)},
          {"num_classes", bert.num_classes},
          {"exits", bert.exits},
          {"contributions", bert.contributions},
          {"parameters", count_parameters(model)},
          {"bytes", weight_bytes(path)},
          {"labels", model.labels},
          {"recipe", model.recipe},
          {"calibrations", calibrations_json(model)},
          {"provenance", provenance_json(model)},
          {"recipes", recipes}};
}

}  // namespace tokensieve::cli
