#pragma once

/// Pictures and texts to training batches.

#include "tokensieve/data/affine.h"
#include "tokensieve/data/augmentation.h"
#include "tokensieve/data/image_loader.h"
#include "tokensieve/data/mixing.h"
#include "tokensieve/data/pixel_ops.h"
#include "tokensieve/data/rand_augment.h"
#include "tokensieve/data/random.h"
#include "tokensieve/data/split.h"
#include "tokensieve/data/text_loader.h"
