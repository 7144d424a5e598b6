#pragma once

/// Pictures and reports of what a model kept.

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/heatmap.h"
#include "tokensieve/viz/html_report.h"
#include "tokensieve/viz/line_plot.h"
#include "tokensieve/viz/mask_map.h"
#include "tokensieve/viz/overlay.h"
#include "tokensieve/viz/retention_strip.h"
#include "tokensieve/viz/retention_view.h"
#include "tokensieve/viz/text_strip.h"
#include "tokensieve/viz/tradeoff_plot.h"
