#pragma once

#include "model/json_object.h"
#include "text/frame.h"
#include "text/vocabulary.h"

namespace tokensieve {

/// The frame that `post_processor` describes: a TemplateProcessing, BertProcessing or
/// RobertaProcessing. Throws runtime_error naming the key of what is wrong.
Frame read_json_frame(const JsonObject& root, const Vocabulary& vocabulary);

}  // namespace tokensieve
