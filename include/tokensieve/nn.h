#pragma once

/// Training, apart from tokensieve.h because it pulls in LibTorch.

#include "tokensieve/nn/adamw.h"
#include "tokensieve/nn/as_vit.h"
#include "tokensieve/nn/attention_scores.h"
#include "tokensieve/nn/autocast.h"
#include "tokensieve/nn/dynamic_vit.h"
#include "tokensieve/nn/ema.h"
#include "tokensieve/nn/label_maps.h"
#include "tokensieve/nn/learning_rate.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/masked_softmax.h"
#include "tokensieve/nn/method.h"
#include "tokensieve/nn/predictor.h"
#include "tokensieve/nn/trainer.h"
#include "tokensieve/nn/vit.h"
#include "tokensieve/nn/weights.h"
