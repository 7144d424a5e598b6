#pragma once

/// Inference on packed ragged rows.

#include "tokensieve/engine/classifier.h"
#include "tokensieve/engine/machine.h"
#include "tokensieve/engine/vit.h"
