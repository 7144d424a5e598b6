#pragma once

/// Files: safetensors, model folders, images, tokenizers, data sets.

#include "tokensieve/io/attention_masks_json.h"
#include "tokensieve/io/bert_tensors.h"
#include "tokensieve/io/calibration_file.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/dtype.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/half.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/picture_set.h"
#include "tokensieve/io/predictor_tensors.h"
#include "tokensieve/io/preprocess.h"
#include "tokensieve/io/resize.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/io/tokenizer.h"
#include "tokensieve/io/vit_tensors.h"
#include "tokensieve/io/weights.h"
