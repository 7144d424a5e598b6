#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "text_fixture.h"
#include "tokensieve/io/model_folder.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

namespace {

const char* class_of(const std::string& name) {
  return name == "bert" ? "Bert" : name == "roberta" ? "Roberta" : "DistilBert";
}

/// A folder as transformers writes it.
FolderFixture hf_text(const std::string& name = "bert", TextHead head = TextHead::classification) {
  FolderFixture fixture;
  fixture.shapes = bert_tensors(tiny_bert(name, head));
  const std::string task = head == TextHead::classification ? "ForSequenceClassification"
                           : head == TextHead::tokens       ? "ForTokenClassification"
                           : head == TextHead::embedding    ? "Model"
                                                            : "ForQuestionAnswering";
  if (name == "distilbert") {
    fixture.config = {{"activation", "gelu"}, {"dim", 8},         {"n_layers", 2},
                      {"n_heads", 2},         {"hidden_dim", 16}, {"sinusoidal_pos_embds", false}};
  } else {
    fixture.config = {{"hidden_act", "gelu"},    {"hidden_size", 8},
                      {"num_hidden_layers", 2},  {"num_attention_heads", 2},
                      {"intermediate_size", 16}, {"type_vocab_size", 2},
                      {"layer_norm_eps", 1e-12}, {"position_embedding_type", "absolute"}};
  }
  fixture.config["architectures"] = {class_of(name) + task};
  fixture.config["model_type"] = name;
  fixture.config["vocab_size"] = 20;
  fixture.config["max_position_embeddings"] = name == "roberta" ? 18 : 16;
  fixture.config["pad_token_id"] = name == "roberta" ? 1 : 0;
  return fixture;
}

void check_refused(const std::function<void(FolderFixture&)>& change, const std::string& message,
                   const std::string& name = "bert") {
  FolderFixture fixture = hf_text(name);
  change(fixture);
  const auto folder = fixture.write();
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(folder), Contains(message));
}

void check_config_refused(const char* key, const json& value, const std::string& message,
                          const std::string& name = "bert") {
  CAPTURE(key, value.dump());
  check_refused([&](FolderFixture& fixture) { fixture.config[key] = value; }, message, name);
}

}  // namespace

TEST_CASE("Hugging Face text folders open as they are", "[io][model_folder][text]") {
  const std::string name = GENERATE(as<std::string>{}, "bert", "distilbert", "roberta");
  const TextHead head = GENERATE(TextHead::classification, TextHead::tokens,
                                 TextHead::question_answering, TextHead::embedding);
  const FolderFixture fixture = hf_text(name, head);
  const ModelFolder model = open_model_folder(fixture.write());
  REQUIRE(model.bert.has_value());
  CHECK(*model.bert == tiny_bert(name, head));
  CHECK(model.recipe == "dense");
  CHECK(model.tokenizer_folder.empty());
  CHECK(&model.text_config("[here]") == &*model.bert);
  CHECK_THROWS_WITH(model.image_config("[here]"),
                    Contains("[here] expected a model of images, got one of texts (" + name));
}

TEST_CASE("An image model is no text model", "[io][model_folder][text]") {
  const ModelFolder model = model_of(tiny_vit());
  CHECK(&model.image_config("[here]") == &model.vit);
  CHECK_THROWS_AS(model.text_config("[here]"), std::runtime_error);
  CHECK_THROWS_WITH(model.text_config("[here]"), Contains("[here] expected a model of texts"));
}

TEST_CASE("Without architectures the tensors tell the head", "[io][model_folder][text]") {
  const TextHead head = GENERATE(TextHead::classification, TextHead::tokens,
                                 TextHead::question_answering, TextHead::embedding);
  FolderFixture fixture = hf_text("bert", head);
  fixture.config.erase("architectures");
  CHECK(open_model_folder(fixture.write()).bert->head == head);
}

TEST_CASE("Old names, position buffers and pre-training heads are understood",
          "[io][model_folder][text]") {
  FolderFixture fixture = hf_text("bert", TextHead::embedding);
  Shapes old;
  for (const auto& [name, shape] : fixture.shapes) {
    std::string stored = "bert." + name;
    if (const auto at = stored.find("LayerNorm.weight"); at != stored.npos) {
      stored.replace(at, std::string::npos, "LayerNorm.gamma");
    }
    if (const auto at = stored.find("LayerNorm.bias"); at != stored.npos) {
      stored.replace(at, std::string::npos, "LayerNorm.beta");
    }
    old[stored] = shape;
  }
  old["bert.embeddings.position_ids"] = {1, 16};
  old["cls.predictions.bias"] = {20};
  old["cls.seq_relationship.weight"] = {2, 8};
  fixture.shapes = old;
  fixture.config["architectures"] = {"BertForPreTraining"};
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(*model.bert == tiny_bert("bert", TextHead::embedding));
  CHECK(model.weights->read("embeddings.LayerNorm.weight", std::vector<int64_t>{8}) ==
        values_of("bert.embeddings.LayerNorm.gamma", 8));
}

TEST_CASE("A backbone without its prefix serves a head, too", "[io][model_folder][text]") {
  FolderFixture fixture = hf_text();
  Shapes bare;
  for (const auto& [name, shape] : fixture.shapes) {
    bare[name.starts_with("bert.") ? name.substr(5) : name] = shape;
  }
  fixture.shapes = bare;
  CHECK(*open_model_folder(fixture.write()).bert == tiny_bert());
}

TEST_CASE("A pooler that nobody reads is left out", "[io][model_folder][text]") {
  FolderFixture fixture = hf_text("roberta");
  fixture.shapes["roberta.pooler.dense.weight"] = {8, 8};
  fixture.shapes["roberta.pooler.dense.bias"] = {8};
  CHECK(*open_model_folder(fixture.write()).bert == tiny_bert("roberta"));
  fixture = hf_text("bert", TextHead::embedding);
  fixture.shapes.erase("pooler.dense.weight");
  fixture.shapes.erase("pooler.dense.bias");
  CHECK(open_model_folder(fixture.write()).bert->pooler == PoolerActivation::none);
}

TEST_CASE("sentence-transformers' files say how a sentence is embedded",
          "[io][model_folder][text]") {
  const FolderFixture fixture = hf_text("bert", TextHead::embedding);
  const auto folder = fixture.write();
  std::filesystem::create_directory(folder / "1_Pooling");
  const auto pooling = [&](const json& value) {
    write_text_file(folder / "1_Pooling" / "config.json", value.dump());
  };
  const auto modules = [&](const std::string& last) {
    write_text_file(folder / "modules.json",
                    json{{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
                         {{"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}},
                         {{"path", "2"}, {"type", "sentence_transformers.models." + last}}}
                        .dump());
  };
  pooling({{"word_embedding_dimension", 8}, {"pooling_mode_mean_tokens", true}});
  CHECK(open_model_folder(folder).bert->pooling == TextPooling::mean);
  CHECK_FALSE(open_model_folder(folder).bert->normalize);
  modules("Normalize");
  CHECK(open_model_folder(folder).bert->normalize);
  pooling({{"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", false}});
  CHECK(open_model_folder(folder).bert->pooling == TextPooling::class_token);

  pooling({{"pooling_mode_max_tokens", true}});
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("'pooling_mode_max_tokens' to be false"));
  pooling({{"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", true}});
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("only one way of pooling"));
  pooling({{"pooling_mode_mean_tokens", false}});
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("'pooling_mode_mean_tokens' to be true"));
  pooling({{"pooling_mode_mean_tokens", 1}});
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("to be true or false"));
  pooling({{"pooling_mode_mean_tokens", true}});
  modules("Dense");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("a Transformer, Pooling or Normalize"));
  modules("Pooling");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("'path' to be \"1_Pooling\""));
  write_text_file(folder / "modules.json", "{}");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected a list of modules"));
}

TEST_CASE("A text config that is not of these tensors is refused by name",
          "[io][model_folder][text]") {
  check_config_refused("model_type", "albert", "expected 'model_type'");
  check_config_refused("hidden_act", "gelu_new", "'hidden_act' to be \"gelu\"");
  check_config_refused("activation", "relu", "'activation' to be \"gelu\"", "distilbert");
  check_config_refused("position_embedding_type", "relative_key", "to be \"absolute\"");
  check_config_refused("is_decoder", true, "'is_decoder' to be false");
  check_config_refused("architectures", {"BertForMultipleChoice"}, "'architectures' to be one");
  check_config_refused("architectures", {"BertModel", "BertForMaskedLM"}, "'architectures'");
  check_config_refused("architectures", "BertModel", "'architectures'");
  check_config_refused("architectures", {1}, "'architectures'");
  check_config_refused("hidden_size", 16, "'hidden_size' to be what the tensors say, 8");
  check_config_refused("dim", 16, "'dim' to be what the tensors say, 8", "distilbert");
  check_config_refused("num_hidden_layers", 3, "what the tensors say, 2");
  check_config_refused("intermediate_size", 32, "what the tensors say, 16");
  check_config_refused("vocab_size", 21, "what the tensors say, 20");
  check_config_refused("max_position_embeddings", 512, "what the tensors say, 16");
  check_config_refused("max_position_embeddings", 16, "what the tensors say, 18", "roberta");
  check_config_refused("type_vocab_size", 1, "what the tensors say, 2");
  check_config_refused("num_attention_heads", 3, "to divide the width 8");
  check_config_refused("num_attention_heads", nullptr, "'num_attention_heads' to be an integer");
  check_config_refused("n_heads", 1e9, "'n_heads' to be an integer", "distilbert");
  check_config_refused("layer_norm_eps", 0, "'layer_norm_eps' to be a number in");
  check_config_refused("layer_norm_eps", nullptr, "'layer_norm_eps' to be a number");
  check_config_refused("pad_token_id", -1, "'pad_token_id' to be an integer", "roberta");
  check_config_refused("pad_token_id", 17, "to have more than 18 rows", "roberta");
  check_config_refused("id2label", {{"0", "a"}}, "expected 2 names, one a class");
}

TEST_CASE("Text tensors that are unknown or do not go together are refused",
          "[io][model_folder][text]") {
  const auto with = [](const std::string& name, std::vector<int64_t> shape, const char* message) {
    CAPTURE(name);
    check_refused([&](FolderFixture& fixture) { fixture.shapes[name] = shape; }, message);
  };
  const std::string block = "bert.encoder.layer.1.";
  with("bert.extra.weight", {8}, "expected a BERT, got the tensor 'bert.extra.weight'");
  with("embeddings.LayerNorm.weight", {8}, "got the tensor 'second bert.embeddings.LayerNorm");
  with(block + "crossattention.self.query.weight", {8, 8}, "crossattention");
  with("bert.encoder.layer.x.output.dense.bias", {8}, "to be of a block below 1000");
  with("bert.encoder.layer.1000.output.dense.bias", {8}, "to be of a block below 1000");
  with(block + "attention.self.query.weight", {6, 8}, "to have heads * 4 rows, got 6");
  with(block + "attention.self.key.weight", {4, 8}, "of shape [8, 8], got [4, 8]");
  with(block + "intermediate.dense.weight", {17, 8}, "of shape [17], got [16]");
  with("bert.embeddings.word_embeddings.weight", {20}, "to have 2 sides");
  with("bert.embeddings.word_embeddings.weight", {20, 0}, "to have a width");
  with("bert.embeddings.word_embeddings.weight", {0, 8}, "expected vocab_size in [1");
  with("bert.embeddings.position_embeddings.weight", {0, 8}, "to have more than 0 rows");
  with("bert.embeddings.word_embeddings.weight", {int64_t{1} << 33, 0}, "expected sides up to");
  with("classifier.weight", {3, 8}, "'classifier.bias' of shape [3], got [2]");

  const auto without = [](const std::string& name) {
    CAPTURE(name);
    check_refused([&](FolderFixture& fixture) { fixture.shapes.erase(name); },
                  "expected a tensor '" + name + "'");
  };
  for (const std::string name :
       {"bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
        "bert.embeddings.LayerNorm.bias", "bert.pooler.dense.weight", "classifier.weight",
        "bert.encoder.layer.0.attention.self.value.bias"}) {
    without(name);
  }
}

TEST_CASE("A saved text folder opens as the model that was saved", "[io][model_folder][text]") {
  const std::string name = GENERATE(as<std::string>{}, "bert", "distilbert", "roberta");
  const TextHead head = GENERATE(TextHead::classification, TextHead::tokens,
                                 TextHead::question_answering, TextHead::embedding);
  const DType dtype = GENERATE(DType::F32, DType::BF16);
  BertConfig bert = tiny_bert(name, head);
  if (head == TextHead::embedding) {
    bert.pooling = TextPooling::mean;
    bert.normalize = name == "bert";
  }
  if (head == TextHead::classification) bert.exits = true;
  bert.contributions = name == "bert";
  ModelFolder model = text_model_of(bert);
  model.recipe = "random(keep=0.5)";
  model.provenance = R"({"seed":1})";
  if (head == TextHead::classification) model.labels = {"bad", "good"};
  const TempFolder folder;
  write_text_file(folder / "vocab.txt", "[PAD]\n");
  model.tokenizer_folder = folder.path();
  save_model_folder(model, folder / "saved", dtype);

  const ModelFolder found = open_model_folder(folder / "saved");
  CHECK(found.bert == model.bert);
  CHECK(found.labels == model.labels);
  CHECK(found.recipe == model.recipe);
  CHECK(found.provenance == model.provenance);
  CHECK(found.tokenizer_folder == folder / "saved");
  CHECK(read_text_file(folder / "saved" / "vocab.txt", 100) == "[PAD]\n");
  check_same_weights(*found.weights, *model.weights);
  if (model.sieve) check_same_weights(*found.sieve, *model.sieve);
}

TEST_CASE("A pruned text model is saved block by block", "[io][model_folder][text]") {
  BertConfig bert = tiny_bert();
  bert.num_heads = {1, 0};
  bert.mlp_dim = {7, 16};
  const TempFolder folder;
  save_model_folder(text_model_of(bert), folder / "saved");
  CHECK(open_model_folder(folder / "saved").bert == bert);

  json config = json::parse(read_text_file(folder / "saved" / "config.json", 1 << 20));
  config["tokensieve"]["mlp_dim"] = {7, 15};
  write_text_file(folder / "saved" / "config.json", config.dump());
  CHECK_THROWS_WITH(open_model_folder(folder / "saved"),
                    Contains("'tokensieve.mlp_dim' to be what the tensors say of each block"));
}

TEST_CASE("A text model that does not hold together is not saved", "[io][model_folder][text]") {
  const TempFolder folder;
  const auto refused = [&](const std::function<void(ModelFolder&)>& change, const char* message) {
    ModelFolder model = text_model_of(tiny_bert());
    change(model);
    CHECK_THROWS_WITH(save_model_folder(model, folder / "saved"), Contains(message));
    CHECK_FALSE(std::filesystem::exists(folder / "saved"));
  };
  refused([](ModelFolder& m) { m.bert->exits = true; }, "expected classifiers for early exit");
  refused([](ModelFolder& m) { m.bert->contributions = true; }, "or contribution predictors");
  refused([](ModelFolder& m) { m.sieve = m.weights; }, "or neither");
  refused(
      [](ModelFolder& m) {
        m.bert->exits = true;
        m.sieve = m.weights;
      },
      "the tensors to save: expected classifiers for early exit, got the tensor");
  refused([](ModelFolder& m) { m.bert->vocab_size = 21; }, "of shape [21, 8], got [20, 8]");
  refused([](ModelFolder& m) { m.bert->name = "albert"; }, "expected the name bert");
  refused([](ModelFolder& m) { m.labels = {"one"}; }, "expected 2 labels");
}

TEST_CASE("Exits belong to a text model that classifies", "[io][model_folder][text]") {
  const FolderFixture fixture = hf_text("bert", TextHead::embedding);
  const auto folder = fixture.write();
  write_tensors(folder / "sieve.safetensors", {{"classifiers.0.weight", {2, 8}}});
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected a text model that classifies"));
}

TEST_CASE("Contribution predictors that do not fit are refused", "[io][model_folder][text]") {
  const auto refused = [](const Shapes& shapes, const char* message) {
    const FolderFixture fixture = hf_text("bert", TextHead::classification);
    const auto folder = fixture.write();
    write_tensors(folder / "sieve.safetensors", shapes);
    CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
    CHECK_THROWS_WITH(open_model_folder(folder), Contains(message));
  };
  const Shapes whole = contribution_tensors(tiny_bert());
  const auto changed = [&](const std::string& name, const std::vector<int64_t>& shape) {
    Shapes shapes = whole;
    shapes[name] = shape;
    return shapes;
  };
  Shapes lacking = whole;
  lacking.erase("contribution_predictor.1.output.weight");
  refused(lacking, "contribution_predictor.1.output.weight");
  refused(changed("contribution_predictor.0.hidden.weight", {32, 9}), "[32, 8], got [32, 9]");
  refused(changed("contribution_predictor.0.hidden.bias", {31}), "[32], got [31]");
  refused(changed("contribution_predictor.2.hidden.bias", {32}),
          "got the tensor 'contribution_predictor.2.hidden.bias'");
  refused(changed("contribution_predictor.x", {1}), "got the tensor 'contribution_predictor.x'");
  refused({{"score_predictor.0.in_conv.0.weight", {8}}}, "got neither");
  refused({}, "got neither");
}
