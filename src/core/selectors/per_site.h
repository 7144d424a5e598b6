#pragma once

#include <string>
#include <vector>

namespace tokensieve {

/// A number of a selector: one value for all sites, or one for each.
class PerSite {
 public:
  /// `name` is the selector and the number, for messages: "[top_k] expected keep". Throws
  /// std::invalid_argument when there is no value.
  PerSite(std::string name, std::vector<double> values);

  /// Throws std::invalid_argument unless every value is in (0, 1].
  void check_fractions() const;
  /// Throws std::invalid_argument unless every value is a finite float32.
  void check_finite() const;

  /// True when one value holds for all sites.
  bool is_single() const { return values_.size() == 1; }
  /// Throws std::invalid_argument when there is no value for the site.
  double at(int site_index) const;

 private:
  std::string name_;
  std::vector<double> values_;
};

}  // namespace tokensieve
