// nn_probe MODEL_FOLDER IN.safetensors OUT.safetensors: runs the networks of nn on given pixels or
// tokens, so that tests/python/test_parity_nn.py and test_parity_nn_text.py can hold them against
// timm, transformers and the engine. nn and the engine never meet in one process: each brings a
// oneDNN of its own.
//
// IN: pixels [B, 3, H, W], probe [B, classes], and with predictors keep [sites] and kept.0 ... [B,
// k]; with thresholds [3], evit, sait and asvit. OUT: logits, gradient.<parameter> of sum(logits *
// probe); with predictors gathered (own decisions at `keep`), gathered_forced and masked_forced
// (the decisions of `kept`); with thresholds evit (fused at 0.7), sait (0.46) and asvit.
//
// Of a text model IN: tokens [B, 2, n] (ids and types, -1 after the end), probe [B, classes], and
// thresholds [blocks - 1] with n_ref [1], or, of a model with contribution predictors, etas
// [blocks]; bins [sites, bins] (ToP's log-odds); cascade [1] (a keep rate); of one with exits
// patience [1], entropy [1] and exit_thresholds [blocks - 1]. OUT: logits and gradients; ltp,
// adapler or top with kept.0 ... [B, n] and of top counted [B]; cascade; pabee and magic_pyramid.

#include <torch/torch.h>

#include <iostream>

#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/nn/adapler_bert.h"
#include "tokensieve/nn/dynamic_vit.h"
#include "tokensieve/nn/ltp_bert.h"
#include "tokensieve/nn/text_method.h"
#include "tokensieve/nn/weights.h"

namespace {

using namespace tokensieve;
using Tensors = std::map<std::string, torch::Tensor>;

torch::Tensor read(const SafetensorsFile& file, const std::string& name) {
  const auto values = file.read_f32(name);
  return torch::tensor(values).view(file.info(name).shape);
}

void write(const std::string& path, const Tensors& tensors) {
  std::vector<torch::Tensor> held;
  std::vector<TensorData> list;
  for (const auto& [name, tensor] : tensors) {
    held.push_back(tensor.detach().to(torch::kFloat).contiguous());
    list.push_back({name, DType::F32, held.back().sizes().vec(),
                    std::span(static_cast<const std::byte*>(held.back().const_data_ptr()),
                              held.back().nbytes())});
  }
  write_safetensors(path, list);
}

void dense(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  nn::Vit network(folder.vit);
  nn::load_weights(*network, *folder.weights);
  network->eval();
  const torch::Tensor logits = network->forward(read(in, "pixels"));
  (logits * read(in, "probe")).sum().backward();
  out["logits"] = logits;
  for (const auto& item : network->named_parameters())
    out["gradient." + item.key()] = item.value().grad();
}

void dynamic(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  torch::NoGradGuard guard;
  const torch::Tensor keep = read(in, "keep").to(torch::kDouble), pixels = read(in, "pixels");
  std::vector<int> sites;
  for (int64_t s = 0; s < keep.numel(); ++s) sites.push_back(static_cast<int>(3 * (s + 1)));
  nn::DynamicVit network(folder.vit, sites);
  nn::load_weights(*network, *folder.weights);
  nn::load_parameters(*network, "score_predictor.", *folder.sieve);
  network->eval();
  const double rho = keep[0].item<double>();
  // Rates travel as float32; the products are taken of the rounded decimal.
  out["gathered"] =
      network->forward_gathered(pixels, nn::keep_rates(std::round(rho * 1e4) / 1e4, sites.size()));
  std::vector<torch::Tensor> kept, masks;
  const int64_t patches = int64_t{folder.vit.grid_height()} * folder.vit.grid_width();
  for (size_t s = 0; s < sites.size(); ++s) {
    kept.push_back(read(in, "kept." + std::to_string(s)).to(torch::kLong));
    masks.push_back(torch::zeros({pixels.size(0), patches}).scatter_(1, kept.back(), 1.0));
  }
  out["gathered_forced"] = network->forward_gathered(pixels, kept);
  out["masked_forced"] = network->forward_masked(pixels, {{}, masks}, 0).logits;
}

/// The methods that need no predictor, as they evaluate themselves while they train.
void adaptive(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  torch::NoGradGuard guard;
  const torch::Tensor pixels = read(in, "pixels");
  nn::Vit network(folder.vit);
  nn::load_weights(*network, *folder.weights);
  network->eval();
  nn::SaitOptions sait;
  sait.attention_weight = 0;  // there is no teacher
  out["evit"] = nn::evit_method(network, nullptr)->predict(pixels);
  out["sait"] = nn::sait_method(network, nullptr, sait)->predict(pixels);
  std::vector<double> thresholds;
  for (const float value : in.read_f32("thresholds")) thresholds.push_back(value);
  nn::AsVit adaptive(folder.vit, std::vector<int>{4, 7, 10}, thresholds);
  nn::load_weights(*adaptive, *folder.weights);
  adaptive->eval();
  out["asvit"] = nn::asvit_method(adaptive, nullptr)->predict(pixels);
}

/// What is kept at every site.
void put_kept(const std::vector<torch::Tensor>& kept, Tensors& out) {
  for (size_t s = 0; s < kept.size(); ++s) out["kept." + std::to_string(s)] = kept[s];
}

void ltp(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  std::vector<double> thresholds;
  for (const float value : in.read_f32("thresholds")) thresholds.push_back(value);
  nn::LtpBert network(*folder.bert, thresholds, static_cast<int64_t>(in.read_f32("n_ref")[0]));
  nn::load_weights(*network, *folder.weights, *folder.bert);
  network->eval();
  const nn::SievedText text = network->forward_hard(read(in, "tokens").to(torch::kLong));
  out["ltp"] = network->classify(text.class_rows.back());
  put_kept(text.kept, out);
}

/// A method's own judgement of itself while it trains.
torch::Tensor judged(nn::Method& method, const torch::Tensor& tokens) {
  method.network().eval();
  method.begin_evaluation();
  return method.predict(tokens);
}

/// The folder's weights into a network, and its exits if it has some.
template <typename Network>
Network loaded(const ModelFolder& folder, Network network) {
  nn::load_weights(*network, *folder.weights, *folder.bert);
  if (folder.bert->exits) nn::load_parameters(*network, "classifiers.", *folder.sieve);
  return network;
}

/// ToP with the bins (log-odds `[sites, bins]`) that `in` has, and all sites' gates open.
void top(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  const torch::Tensor bins = read(in, "bins"), tokens = read(in, "tokens").to(torch::kLong);
  const int first = folder.bert->depth() - static_cast<int>(bins.size(0));
  auto network = loaded(folder, nn::TopBert(*folder.bert, first, bins.size(1)));
  network->named_parameters()["rank_bins"].copy_(bins);
  network->named_parameters()["site_gates"].fill_(10.0);
  out["top"] = judged(*nn::top_method(network, loaded(folder, nn::Bert(*folder.bert))), tokens);
  const nn::TopOutput output = network->forward_hard(tokens);
  put_kept(output.kept, out);
  std::vector<torch::Tensor> lengths(static_cast<size_t>(first),
                                     nn::BertImpl::present(tokens).sum(1));
  for (const torch::Tensor& kept : output.kept) lengths.push_back(kept.sum(1));
  out["counted"] = nn::counted_macs(*folder.bert, lengths);
}

void cascade(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  const nn::CascadeOptions options{.keep = in.read_f32("cascade")[0], .first = 1};
  out["cascade"] =
      judged(*nn::cascade_method(loaded(folder, nn::Bert(*folder.bert)), nullptr, options),
             read(in, "tokens").to(torch::kLong));
}

/// Early exits alone, and with LTP's thresholds.
void exits(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  const torch::Tensor tokens = read(in, "tokens").to(torch::kLong);
  const nn::PabeeOptions patience{.patience = static_cast<int>(in.read_f32("patience")[0])};
  out["pabee"] =
      judged(*nn::pabee_method(loaded(folder, nn::Bert(*folder.bert)), nullptr, patience), tokens);
  std::vector<double> thresholds;
  for (const float value : in.read_f32("exit_thresholds")) thresholds.push_back(value);
  auto network = loaded(folder, nn::LtpBert(*folder.bert, thresholds, int64_t{0}));
  nn::MagicPyramidOptions options;
  options.entropy = in.read_f32("entropy")[0];
  out["magic_pyramid"] = judged(*nn::magic_pyramid_method(network, nullptr, options), tokens);
}

void adapler(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  nn::AdaplerBert network(*folder.bert);
  nn::load_weights(*network, *folder.weights, *folder.bert);
  nn::load_parameters(*network, "contribution_predictor.", *folder.sieve);
  network->eta().copy_(read(in, "etas"));
  network->eval();
  const nn::AdaplerOutput text = network->forward_hard(read(in, "tokens").to(torch::kLong));
  out["adapler"] = network->classify(text.class_rows);
  put_kept(text.kept, out);
}

void text(const ModelFolder& folder, const SafetensorsFile& in, Tensors& out) {
  nn::Bert network(*folder.bert);
  nn::load_weights(*network, *folder.weights, *folder.bert);
  network->eval();
  const torch::Tensor tokens = read(in, "tokens").to(torch::kLong);
  const torch::Tensor logits = network->forward(tokens);
  (logits * read(in, "probe")).sum().backward();
  out["logits"] = logits;
  for (const auto& item : network->named_parameters()) {
    if (item.value().grad().defined())  // exits have none
      out["gradient." + item.key()] = item.value().grad();
  }
  torch::NoGradGuard guard;
  if (in.contains("thresholds")) ltp(folder, in, out);
  if (in.contains("etas")) adapler(folder, in, out);
  if (in.contains("bins")) top(folder, in, out);
  if (in.contains("cascade")) cascade(folder, in, out);
  if (in.contains("patience")) exits(folder, in, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: nn_probe MODEL_FOLDER IN.safetensors OUT.safetensors\n";
    return 2;
  }
  const ModelFolder folder = open_model_folder(argv[1]);
  const SafetensorsFile in = SafetensorsFile::open(argv[2]);
  Tensors out;
  if (folder.bert) {
    text(folder, in, out);
  } else {
    dense(folder, in, out);
    if (folder.sieve) dynamic(folder, in, out);
    if (in.contains("thresholds")) adaptive(folder, in, out);
  }
  write(argv[3], out);
}
