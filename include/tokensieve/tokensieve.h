#pragma once

/// Everything in libtokensieve.

#include "tokensieve/core.h"
#include "tokensieve/data.h"
#include "tokensieve/engine.h"
#include "tokensieve/io.h"
#include "tokensieve/viz.h"
