#include "tokensieve/engine/bert.h"

#include <utility>

#include "bert_run.h"
#include "bert_weights.h"
#include "schedule_check.h"
#include "threads.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

BertConfig validated(BertConfig config) {
  config.validate();
  return config;
}

void check_text(const BertConfig& config, const TokensView& text, size_t index) {
  check_argument(!text.ids.empty(), "[bert] text ", index,
                 " has no tokens; it needs its class token at least");
  check_argument(std::ssize(text.ids) <= config.max_positions, "[bert] text ", index, " has ",
                 text.ids.size(), " tokens, more than the ", config.max_positions,
                 " this network has positions for; cut it off");
  for (const int32_t id : text.ids) {
    check_argument(id >= 0 && id < config.vocab_size, "[bert] text ", index, " has the id ", id,
                   ", which is not in [0, ", config.vocab_size,
                   "); is the tokenizer that of this model?");
  }
  if (text.types.empty() || config.type_vocab_size == 0) return;
  check_argument(text.types.size() == text.ids.size(), "[bert] text ", index, " has ",
                 text.ids.size(), " ids and ", text.types.size(),
                 " types; give one for each id, or none");
  for (const int32_t type : text.types) {
    check_argument(type >= 0 && type < config.type_vocab_size, "[bert] text ", index,
                   " has the type ", type, ", which is not in [0, ", config.type_vocab_size, ")");
  }
}

}  // namespace

struct BertImpl {
  BertImpl(BertConfig config_, const WeightSource& source, const WeightSource* sieve)
      : config(validated(std::move(config_))), weights(config, source, sieve) {}

  BertConfig config;
  BertWeights weights;
};

Bert::Bert(BertConfig config, const WeightSource& weights, const WeightSource* sieve) {
  const ThreadScope scope(0);  // packing the weights is parallel too: it must not hang after a fork
  impl_ = std::make_unique<const BertImpl>(std::move(config), weights, sieve);
}
Bert::~Bert() = default;
Bert::Bert(Bert&&) noexcept = default;
Bert& Bert::operator=(Bert&&) noexcept = default;

const BertConfig& Bert::config() const { return impl_->config; }

void Bert::check(const Schedule& schedule) const {
  check_schedule(
      {.name = "[bert]",
       .num_heads = config().num_heads,
       .exits = config().exits,
       .num_classes = config().num_classes,
       .predicts = config().contributions ? LearnedScore::contribution : LearnedScore::none},
      schedule);
}

std::vector<RunOutput> Bert::run(std::span<const TokensView> texts, const Schedule& schedule,
                                 Workspace& workspace, int threads) const {
  check_threads("[bert]", threads);
  for (size_t i = 0; i < texts.size(); ++i) check_text(config(), texts[i], i);
  check(schedule);
  if (texts.empty()) return {};
  const ThreadScope scope(threads);
  return BertRun(config(), impl_->weights, schedule, workspace.buffers())(texts);
}

}  // namespace tokensieve
