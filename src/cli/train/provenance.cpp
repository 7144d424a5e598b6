#include "provenance.h"

#include <nlohmann/json.hpp>

namespace tokensieve::cli {
namespace {

/// The last two parts of a path: where it lay on this machine is nobody's business.
std::string name_of(std::filesystem::path path) {
  path = std::filesystem::absolute(path);
  if (!path.has_filename()) path = path.parent_path();
  return path.parent_path().filename().string() + "/" + path.filename().string();
}

}  // namespace

std::string provenance_json(const TrainConfig& config, const TrainPaths& paths,
                            const PreparedRun& run, int64_t epoch, double held_out_accuracy) {
  nlohmann::ordered_json json;
  json["data"] = {
      {"folder", name_of(paths.data)}, {"train", run.train_size}, {"held_out", run.held_out_size}};
  if (!paths.held_out.empty()) json["data"]["held_out_from"] = name_of(paths.held_out);
  json["start"] =
      paths.start.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(name_of(paths.start));
  json["teacher"] = paths.teacher.empty() ? nlohmann::ordered_json()
                                          : nlohmann::ordered_json(name_of(paths.teacher));
  if (run.teacher_held_out_accuracy) {
    json["teacher_held_out_accuracy"] = *run.teacher_held_out_accuracy;
  }
  json["config"] = nlohmann::ordered_json::parse(config.text);
  json["best"] = {{"epoch", epoch}, {"held_out_accuracy", held_out_accuracy}};
  return json.dump();
}

}  // namespace tokensieve::cli
