#include "selectors/per_site.h"

#include <cmath>
#include <limits>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {

PerSite::PerSite(std::string name, std::vector<double> values)
    : name_(std::move(name)), values_(std::move(values)) {
  check_argument(!values_.empty(), name_, " to be one number, or one for each site, got none");
}

void PerSite::check_fractions() const {
  for (const double value : values_) {
    check_argument(value > 0.0 && value <= 1.0, name_, " in (0, 1], got ", value);
  }
}

void PerSite::check_finite() const {
  for (const double value : values_) {
    check_argument(std::abs(value) <= std::numeric_limits<float>::max(), name_,
                   " to be a finite float32, got ", value);
  }
}

double PerSite::at(int site_index) const {
  if (is_single()) return values_.front();
  check_argument(site_index >= 0 && static_cast<size_t>(site_index) < values_.size(), name_,
                 " for site ", site_index, ", got ", values_.size(),
                 " values; give one, or one for each site");
  return values_[static_cast<size_t>(site_index)];
}

}  // namespace tokensieve
