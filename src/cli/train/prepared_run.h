#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "checksum.h"
#include "run.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/nn/batches.h"

namespace tokensieve::cli {

/// All that a run takes besides its settings, whatever it is trained on.
struct PreparedRun {
  std::unique_ptr<nn::Method> method;
  std::unique_ptr<nn::Batches> train, held_out;
  int64_t train_size = 0, held_out_size = 0;  ///< Samples.
  std::string samples;                        ///< What they are called: "pictures", "texts".
  ModelFolder target;                         ///< What is saved, but for what training changes.
  Checksum checksum;                          ///< Of data, start and teacher.
  /// Of a teacher whose labels are learned.
  std::optional<double> teacher_held_out_accuracy;
  /// Leaves the samples that choices are made on in a folder.
  std::function<void(const std::filesystem::path& folder)> write_held_out;
};

/// Throws std::runtime_error and std::invalid_argument for what does not fit.
PreparedRun prepare_pictures(const TrainConfig& config, const TrainPaths& paths,
                             const ModelFolder& start);
PreparedRun prepare_texts(const TrainConfig& config, const TrainPaths& paths,
                          const ModelFolder& start);

/// Names are written into JSON, which is UTF-8. Throws std::runtime_error for others.
void check_text(const std::string& text);

}  // namespace tokensieve::cli
