#pragma once

/// The pruning core: decides which tokens stay. Depends on the standard library only.

#include "tokensieve/core/attention_trace.h"
#include "tokensieve/core/drop_policy.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/macs.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/ragged_layout.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/core/retention_trace.h"
#include "tokensieve/core/row_columns.h"
#include "tokensieve/core/rows_view.h"
#include "tokensieve/core/schedule.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/selector.h"
#include "tokensieve/core/site.h"
#include "tokensieve/core/token_plan.h"
#include "tokensieve/core/token_predictor.h"
#include "tokensieve/core/triple_reducer.h"
#include "tokensieve/core/vit_config.h"
