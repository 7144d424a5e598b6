#include "tokensieve/nn/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>

#include "checkpoint.h"
#include "metrics_log.h"
#include "run_lock.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/autocast.h"
#include "tokensieve/nn/ema.h"

namespace tokensieve::nn {
namespace {

/// Text that reads back as the same number.
std::string exact(double value) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  out << value;
  return out.str();
}

/// Sums of the loss and its terms over the steps of one line of the log.
class Sums {
 public:
  void add(const Loss& loss, double share) {
    put("loss", loss.total.item<double>() * share);
    for (const auto& [name, value] : loss.terms) put(name, value.item<double>() * share);
  }
  std::vector<std::pair<std::string, double>> means(int64_t steps) const {
    auto means = sums_;
    for (auto& [name, value] : means) value /= static_cast<double>(steps);
    return means;
  }
  void clear() { sums_.clear(); }

 private:
  void put(const std::string& name, double value) {
    for (auto& [known, sum] : sums_) {
      if (known == name) {
        sum += value;
        return;
      }
    }
    sums_.emplace_back(name, value);
  }
  std::vector<std::pair<std::string, double>> sums_;
};

constexpr int64_t kMostEpochs = 1'000'000;  // times the loader's most batches: no overflow

/// One run of train(): the state and the steps.
class Run {
 public:
  Run(Method& method, Batches& train, Batches& held_out, const TrainOptions& options,
      const std::filesystem::path& folder)
      : method_(method),
        train_(train),
        held_out_(held_out),
        options_(options),
        checkpoint_path_(folder / "checkpoint.safetensors"),
        adam_((method.to(options.device), parameter_groups(method.network(), options.rates))) {
    if (options.ema > 0) ema_.emplace(method_.network(), options.ema);
    steps_per_epoch_ = train.steps_per_epoch() / options.accumulate;
    check_argument(steps_per_epoch_ > 0, "[train] expected at least ", options.accumulate,
                   " batches an epoch, got ", train.steps_per_epoch(), "; use smaller batches");
    total_steps_ = options.epochs * steps_per_epoch_;
    resume();
    log_.emplace(folder / "metrics.jsonl", step_);
  }

  TrainResult operator()(const std::function<void(int64_t, double)>& save_best,
                         const std::function<void(const TrainProgress&)>& on_step) {
    const int64_t steps = total_steps_;
    const int64_t stop = options_.stop_after > 0 ? std::min(options_.stop_after, steps) : steps;
    const auto start = Clock::now();
    method_.begin_step(static_cast<double>(steps - 1) / static_cast<double>(steps_per_epoch_));
    check_argument(method_.is_candidate(true), "[train] expected more epochs than ",
                   options_.epochs,
                   ", in which the method's first stages do not end, so that there would be "
                   "nothing to choose");
    while (step_ < stop) {
      const int64_t epoch = step_ / steps_per_epoch_;
      one_step(epoch);
      ++step_;
      const bool epoch_ends = step_ % steps_per_epoch_ == 0;
      if (step_ % options_.log_every == 0 || epoch_ends) write_line(epoch);
      if (epoch_ends) choose(epoch, save_best);
      if (step_ % options_.save_every == 0 || epoch_ends || step_ == stop) save();
      if (on_step) on_step({step_, steps, epoch, last_loss_});
    }
    result_.finished = step_ == steps;
    const std::chrono::duration<double> all = Clock::now() - start;
    result_.waited = all.count() > 0 ? waited_ / all : 0;
    return result_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// By the schedule of the stage that `step` is in.
  double rate_at(int64_t step) const {
    const auto per_epoch = static_cast<double>(steps_per_epoch_);
    int64_t begin = 0, end = total_steps_;
    for (const double epoch : method_.stages()) {
      const auto first = static_cast<int64_t>(std::ceil(epoch * per_epoch));
      if (first <= step) begin = first;
      if (first > step) end = std::min(end, first);
    }
    LearningRateSchedule schedule;
    schedule.peak = peak_rate(options_.rates);
    schedule.final = options_.final_rate;
    schedule.total_steps = end - begin;
    schedule.warmup_steps = static_cast<int64_t>(options_.warmup_epochs * per_epoch);
    return schedule.at(step - begin);
  }

  void one_step(int64_t epoch) {
    method_.network().train();
    torch::manual_seed(derived_seed(options_.seed, static_cast<uint64_t>(step_)));
    method_.begin_step(static_cast<double>(step_) / static_cast<double>(steps_per_epoch_));
    const double share = 1.0 / static_cast<double>(options_.accumulate);
    // An epoch of the loader may end with batches that fill no step.
    const int64_t batch_step =
        epoch * train_.steps_per_epoch() + (step_ % steps_per_epoch_) * options_.accumulate;
    if (train_.step() != batch_step) train_.seek(batch_step);
    for (int64_t i = 0; i < options_.accumulate; ++i) {
      const auto before = Clock::now();
      const TensorBatch batch = train_.next();
      waited_ += Clock::now() - before;
      Loss loss;
      if (batch.pictures) method_.begin_batch(*batch.pictures);
      {
        const Autocast autocast(options_.device, options_.bf16);
        loss = method_.loss(batch.input.to(options_.device), batch.targets.to(options_.device));
      }
      sums_.add(loss, share);
      check_runtime(std::isfinite(loss.total.item<double>()), "[train] the loss of step ", step_,
                    " is ", loss.total.item<double>(),
                    "; lower the learning rate or clip the gradients");
      (loss.total * share).backward();
    }
    ++summed_;
    const double norm = adam_.clip_gradients(options_.clip_norm);
    check_runtime(std::isfinite(norm), "[train] the gradients of step ", step_,
                  " are not finite; lower the learning rate");
    adam_.step(rate_at(step_), epoch);
    adam_.zero_grad();
    if (ema_) ema_->update(step_);
  }

  void write_line(int64_t epoch) {
    auto values = sums_.means(summed_);
    last_loss_ = values.front().second;
    values.insert(values.begin(),
                  {{"epoch", static_cast<double>(epoch)}, {"learning_rate", rate_at(step_ - 1)}});
    log_->write(step_, values);
    sums_.clear();
    summed_ = 0;
  }

  /// Looks at the held-out samples; the best weights so far are handed over.
  void choose(int64_t epoch, const std::function<void(int64_t, double)>& save_best) {
    std::vector<std::pair<std::string, double>> values = {{"epoch", static_cast<double>(epoch)}};
    const auto look = [&](bool ema) {
      const bool last = epoch + 1 == options_.epochs && result_.best_epoch < 0;
      const double top1 = accuracy(method_, held_out_, options_.device, options_.bf16);
      values.emplace_back(ema ? "held_out_ema" : "held_out", top1);
      if (options_.last_epoch && epoch + 1 < options_.epochs) return;
      if (!method_.is_candidate(last)) return;
      if (top1 <= result_.best_accuracy && result_.best_epoch >= 0) return;
      result_ = {false, epoch, top1, ema, 0};
      save_best(epoch, top1);
    };
    look(false);
    if (ema_) {
      ema_->swap();
      look(true);
      ema_->swap();
    }
    log_->write(step_, values);
  }

  std::map<std::string, torch::Tensor> tensors() const {
    std::map<std::string, torch::Tensor> all = adam_.state();
    for (const auto& item : method_.network().named_parameters())
      all.emplace("w." + item.key(), item.value());
    if (ema_) {
      for (const auto& [name, tensor] : ema_->state()) all.emplace("ema." + name, tensor);
    }
    return all;
  }

  void save() const {
    save_checkpoint(checkpoint_path_, {tensors(),
                                       {{"fingerprint", options_.fingerprint},
                                        {"step", cat(step_)},
                                        {"best_epoch", cat(result_.best_epoch)},
                                        {"best_accuracy", exact(result_.best_accuracy)},
                                        {"best_is_ema", result_.best_is_ema ? "1" : "0"}}});
  }

  void resume() {
    const auto words = load_checkpoint(checkpoint_path_, tensors(), options_.fingerprint);
    if (!words) return;
    const auto number = [&](const std::string& name) {
      const auto found = words->find(name);
      char* end = nullptr;
      const double value = found == words->end() ? 0 : std::strtod(found->second.c_str(), &end);
      check_runtime(end && *end == 0 && end != found->second.c_str(), "[train] ",
                    checkpoint_path_.string(), " does not say its ", name, "; remove it");
      return value;
    };
    step_ = static_cast<int64_t>(number("step"));
    check_runtime(step_ >= 0 && step_ <= total_steps_, "[train] ", checkpoint_path_.string(),
                  " is at step ", step_, " of ", total_steps_, "; remove it");
    result_.best_epoch = static_cast<int64_t>(number("best_epoch"));
    result_.best_accuracy = number("best_accuracy");
    result_.best_is_ema = number("best_is_ema") == 1;
  }

  Method& method_;
  Batches& train_;
  Batches& held_out_;
  const TrainOptions& options_;
  std::filesystem::path checkpoint_path_;
  AdamW adam_;
  std::optional<Ema> ema_;
  std::optional<MetricsLog> log_;
  int64_t total_steps_ = 0;
  int64_t steps_per_epoch_ = 0;
  int64_t step_ = 0;
  Sums sums_;
  int64_t summed_ = 0;
  double last_loss_ = 0;
  std::chrono::duration<double> waited_{0};  // for batches
  TrainResult result_;
};

}  // namespace

void TrainOptions::validate() const {
  check_argument(epochs > 0 && accumulate > 0 && log_every > 0,
                 "[train] expected epochs, accumulate and log_every of at least 1, got ", epochs,
                 ", ", accumulate, " and ", log_every);
  check_argument(epochs <= kMostEpochs, "[train] expected at most ", kMostEpochs, " epochs, got ",
                 epochs);
  check_argument(save_every > 0 && save_every % log_every == 0,
                 "[train] expected save_every to be a multiple of log_every ", log_every, ", got ",
                 save_every);
  check_argument(stop_after >= 0 && stop_after % log_every == 0,
                 "[train] expected stop_after to be a multiple of log_every ", log_every, ", got ",
                 stop_after);
  check_argument(clip_norm >= 0 && ema >= 0,
                 "[train] expected clip_norm and ema of 0 or more, got ", clip_norm, " and ", ema);
  rates.validate();
  check_argument(final_rate >= 0 && final_rate <= peak_rate(rates),
                 "[train] expected final_learning_rate from 0 to the highest learning rate ",
                 peak_rate(rates), ", got ", final_rate);
  check_argument(warmup_epochs >= 0 && warmup_epochs <= static_cast<double>(epochs),
                 "[train] expected warmup_epochs from 0 to ", epochs, ", got ", warmup_epochs);
}

double accuracy(Method& method, Batches& batches, torch::Device device, bool bf16) {
  torch::NoGradGuard guard;
  const Autocast autocast(device, bf16);
  method.network().eval();
  method.begin_evaluation();
  int64_t right = 0, seen = 0;
  for (batches.seek(0); batches.step() < batches.steps_per_epoch();) {
    const TensorBatch batch = batches.next();
    const torch::Tensor logits = method.predict(batch.input.to(device)).to(torch::kFloat);
    const torch::Tensor labels = batch.labels.to(device);
    const torch::Tensor whole = torch::isfinite(logits).all(1);
    right += (logits.argmax(1) == labels).logical_and(whole).sum().item<int64_t>();
    seen += batch.size();
  }
  return static_cast<double>(right) / static_cast<double>(seen);
}

TrainResult train(Method& method, Batches& train, Batches& held_out, const TrainOptions& options,
                  const std::filesystem::path& folder,
                  const std::function<void(int64_t epoch, double accuracy)>& save_best,
                  const std::function<void(const TrainProgress&)>& on_step) {
  options.validate();
  const RunLock lock(folder);
  // What a run that was killed in the middle of a save left behind.
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const char* half :
         {"checkpoint.safetensors.tmp", "metrics.jsonl.tmp", "model.next.tmp", "model.last"}) {
      if (name.starts_with(half)) std::filesystem::remove_all(entry.path());
    }
  }
  return Run(method, train, held_out, options, folder)(save_best, on_step);
}

}  // namespace tokensieve::nn
