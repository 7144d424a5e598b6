#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_object.h"

namespace tokensieve {

/// The names of `num_classes` classes under the first of `keys` that is there, a list or an object
/// of "0", "1", ...; empty if none is. Control characters come escaped. Throws runtime_error if
/// there is not one string for each class.
std::vector<std::string> read_labels(const JsonObject& object,
                                     std::initializer_list<std::string_view> keys, int num_classes);

/// Hugging Face's `id2label`; empty where it is missing or says "LABEL_0", "LABEL_1", ... only.
std::vector<std::string> read_hf_labels(const JsonObject& config, int num_classes);

}  // namespace tokensieve
