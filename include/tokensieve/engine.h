#pragma once

/// Inference on packed ragged rows.

#include "tokensieve/engine/bert.h"
#include "tokensieve/engine/classifier.h"
#include "tokensieve/engine/run_output.h"
#include "tokensieve/engine/text_classifier.h"
#include "tokensieve/engine/vit.h"
#include "tokensieve/engine/workspace.h"
