#pragma once

#include <filesystem>
#include <string>

#include "loaded_model.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// The options --model and --threads.
struct ModelOption {
  std::string folder;  ///< "" asks for the default.
  int threads = 0;     ///< 0: one a core.
  bool texts = false;  ///< The default is the model of texts.

  void add_to(CLI::App& command);
  /// The folder of --model, else of the environment's TOKENSIEVE_MODEL, else this project's model
  /// of pictures, or of texts, if the working folder has it. Throws std::runtime_error when there
  /// is none, with the nearest name that exists.
  std::filesystem::path path() const;
  /// Loads it. `top` is how many guesses a sample gets.
  LoadedModel load(int top = 5) const;
  /// Threads a call will use.
  int thread_count() const;
};

/// "vit_s14_imagenette (vit_small_patch14, 140 x 140 px, 10 classes)": the folder's name and what
/// is in it.
std::string describe(const std::filesystem::path& path, const ModelFolder& model);

/// The label of a class, or "class 7" when the model has none.
std::string label_name(const ModelFolder& model, int label);

}  // namespace tokensieve::cli
