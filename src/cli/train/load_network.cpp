#include "load_network.h"

#include "tokensieve/nn/weights.h"

namespace tokensieve::cli {

nn::Vit load_network(const ModelFolder& folder, int image_height, int image_width) {
  VitConfig config = folder.vit;
  config.image_height = image_height;
  config.image_width = image_width;
  nn::Vit network(config);
  nn::LoadOptions options;
  options.grid_height = folder.vit.grid_height();
  options.grid_width = folder.vit.grid_width();
  nn::load_weights(*network, *folder.weights, options);
  return network;
}

}  // namespace tokensieve::cli
