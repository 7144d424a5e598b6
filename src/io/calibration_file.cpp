#include "tokensieve/io/calibration_file.h"

#include "json_util.h"
#include "model/sieve_json.h"
#include "tokensieve/io/file.h"

namespace tokensieve {

std::string calibration_json(const Calibration& calibration) { return json_of(calibration).dump(); }

void save_calibration(const Calibration& calibration, const std::filesystem::path& folder) {
  calibration.validate();
  const std::filesystem::path path = folder / "sieve.json";
  nlohmann::ordered_json sieve = nlohmann::ordered_json::object();
  ModelFolder present;
  if (std::filesystem::exists(path)) {
    const std::string text = read_text_file(path, kMaxJsonBytes);
    read_sieve(text, path.string(), present);  // strict; what it lets pass is a JSON object
    sieve = nlohmann::ordered_json::parse(text);
  }
  const Recipe recipe = Recipe::parse(calibration.recipe);
  auto list = nlohmann::ordered_json::array();
  bool replaced = false;
  for (const Calibration& other : present.calibrations) {
    const bool same = other.is_of(recipe);
    list.push_back(json_of(same ? calibration : other));
    replaced = replaced || same;
  }
  if (!replaced) list.push_back(json_of(calibration));
  sieve["calibrations"] = std::move(list);
  write_text_file(path, sieve_text(sieve, path.string()));
}

}  // namespace tokensieve
