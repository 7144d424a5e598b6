#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>
#include <pybind11/typing.h>

#include <cstring>
#include <string_view>

#include "numpy.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/picture_set.h"
#include "tokensieve/io/resize.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/io/tokenizer.h"

namespace py = pybind11;

namespace tokensieve::python {

std::string shape_text(const py::array& array) {
  std::string text;
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    text += (axis > 0 ? ", " : "") + std::to_string(array.shape(axis));
  }
  return "[" + text + "]";
}

Image to_image(const Array<uint8_t>& array) {
  check_argument(array.ndim() == 3 && array.shape(2) == 3 && array.size() > 0 &&
                     array.shape(0) <= INT32_MAX && array.shape(1) <= INT32_MAX,
                 "[image] expected a uint8 array [height, width, 3], got ", shape_text(array));
  Image image{static_cast<int>(array.shape(1)), static_cast<int>(array.shape(0)), {}};
  image.pixels.assign(array.data(), array.data() + array.size());
  return image;
}

py::array_t<uint8_t> from_image(const Image& image) {
  py::array_t<uint8_t> array({image.height, image.width, 3});
  std::memcpy(array.mutable_data(), image.pixels.data(), image.pixels.size());
  return array;
}

namespace {

void write_tensors(const std::filesystem::path& path,
                   const std::map<std::string, Array<float>>& tensors,
                   const std::map<std::string, std::string>& metadata) {
  std::vector<TensorData> data;
  for (const auto& [name, array] : tensors) {
    const std::vector<int64_t> shape(array.shape(), array.shape() + array.ndim());
    const std::span<const float> values(array.data(), static_cast<size_t>(array.size()));
    data.push_back({name, DType::F32, shape, std::as_bytes(values)});
  }
  without_gil([&] { write_safetensors(path, data, metadata); });
}

using Text = py::typing::Union<py::str, py::bytes>;

std::string to_utf8(const Text& text) {
  if (py::isinstance<py::bytes>(text)) return py::cast<std::string>(text);
  if (!py::isinstance<py::str>(text)) {
    throw py::type_error("[encode] expected a text as str or bytes, got " +
                         std::string(py::str(py::type::of(text))));
  }
  py::ssize_t size = 0;
  const char* const utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (!utf8) throw py::error_already_set();  // a lone surrogate
  return {utf8, static_cast<size_t>(size)};
}

py::array_t<uint32_t> spans_to_numpy(const std::vector<Tokens::Span>& spans) {
  py::array_t<uint32_t> array({static_cast<py::ssize_t>(spans.size()), py::ssize_t{2}});
  uint32_t* out = array.mutable_data();
  for (const Tokens::Span& span : spans) {
    *out++ = span.begin;
    *out++ = span.end;
  }
  return array;
}

void register_tokenizer(py::module_& m) {
  py::class_<Tokens>(m, "Tokens", "One text, or a pair, as a text network reads it.")
      .def_property_readonly(
          "ids", [](const Tokens& t) { return to_numpy(t.ids); },
          "int32 [tokens], special tokens included.")
      .def_property_readonly(
          "types", [](const Tokens& t) { return to_numpy(t.types); },
          "int32 [tokens]: 0 for the first text, 1 for the second.")
      .def_property_readonly(
          "spans", [](const Tokens& t) { return spans_to_numpy(t.spans); },
          "uint32 [tokens, 2]: bytes [begin, end) of the text in UTF-8 a token comes from; 0, 0 of "
          "special tokens.")
      .def_property_readonly(
          "words", [](const Tokens& t) { return to_numpy(t.words); },
          "int32 [tokens]: the word, of its text, a token is a piece of; -1 of special tokens.")
      .def("__len__", [](const Tokens& t) { return t.ids.size(); });

  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(
      m, "Tokenizer",
      R"doc(Text to tokens, equal to Hugging Face's fast tokenizers.

WordPiece (BERT and its kin) and byte-level BPE (RoBERTa); see open_tokenizer. Serves many threads.)doc")
      .def(
          "encode",
          [](const Tokenizer& t, const Text& text, int max_tokens) {
            const std::string utf8 = to_utf8(text);
            return without_gil([&] { return t.encode(utf8, max_tokens); });
          },
          py::arg("text"), py::arg("max_tokens") = 512,
          "The Tokens of a text: str, or bytes, of which what is not UTF-8 counts as U+FFFD. At "
          "most "
          "max_tokens with the special ones, the end cut off. Raises ValueError for a max_tokens "
          "too "
          "small for the special tokens.")
      .def(
          "encode_pair",
          [](const Tokenizer& t, const Text& first, const Text& second, int max_tokens) {
            const std::string a = to_utf8(first), b = to_utf8(second);
            return without_gil([&] { return t.encode_pair(a, b, max_tokens); });
          },
          py::arg("first"), py::arg("second"), py::arg("max_tokens") = 512,
          "The Tokens of a pair, the longer text cut first. Raises as encode does.")
      .def("token", &Tokenizer::token, py::arg("id"),
           "The vocabulary entry of an id, such as '##ing'. Raises ValueError for an unknown one.")
      .def_property_readonly("vocab_size", &Tokenizer::vocab_size, "How many ids there are.")
      .def_property_readonly("pad_id", &Tokenizer::pad_id, "The id that fills rows up.");

  m.def(
      "write_text_file",
      [](const std::filesystem::path& path, std::string_view text) {
        without_gil([&] { write_text_file(path, text); });
      },
      py::arg("path"), py::arg("text"),
      "Writes UTF-8 text, whole or not at all. Raises RuntimeError when that fails.");
  m.def(
      "open_tokenizer",
      [](const std::filesystem::path& folder) {
        auto tokenizer = without_gil([&] { return open_tokenizer(folder); });
        // pybind11 holds no pointers to const; all that it binds is const.
        return std::shared_ptr<Tokenizer>(const_cast<Tokenizer*>(tokenizer.release()));
      },
      py::arg("folder"),
      "The Tokenizer of a Hugging Face folder: tokenizer.json, or vocab.txt (with "
      "tokenizer_config.json where it is there), or vocab.json and merges.txt. Raises RuntimeError "
      "naming the file and what is wrong with it.");
}

/// A str, or bytes where it is not UTF-8.
py::object from_utf8(const std::string& text) {
  PyObject* const decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), nullptr);
  if (decoded) return py::reinterpret_steal<py::object>(decoded);
  PyErr_Clear();
  return py::bytes(text);
}

void register_text_dataset(py::module_& m) {
  py::class_<TextDataset>(m, "TextDataset", "Texts, or pairs of them, with labels.")
      .def_readonly("pairs", &TextDataset::pairs, "Whether all are pairs; else none is.")
      .def_property_readonly(
          "texts",
          [](const TextDataset& data) {
            py::list texts;
            for (const TextSample& sample : data.samples) {
              py::object text = from_utf8(sample.text);
              if (sample.text_pair) text = py::make_tuple(text, from_utf8(*sample.text_pair));
              texts.append(std::move(text));
            }
            return texts;
          },
          "Each a str, of pairs a tuple of two; bytes where a text is not UTF-8.")
      .def_property_readonly(
          "labels",
          [](const TextDataset& data) {
            std::vector<int32_t> labels;
            for (const TextSample& sample : data.samples) labels.push_back(sample.label);
            return to_numpy(labels);
          },
          "int32 [texts]: the class of each, -1 where it has none.")
      .def("__len__", [](const TextDataset& data) { return data.samples.size(); });
  m.def(
      "open_texts",
      [](const std::filesystem::path& path, int count, bool labelled,
         const std::string& operation) {
        return without_gil([&] {
          return labelled ? open_labelled_texts(path, count, operation)
                          : open_texts(path, count, operation);
        });
      },
      py::arg("path"), py::arg("count"), py::arg("labelled"), py::arg("operation"),
      "The TextDataset of a file for a model of so many classes; with `labelled` each text must "
      "have "
      "one.");
  m.def(
      "read_text_dataset",
      [](const std::filesystem::path& path) {
        return without_gil([&] { return read_text_dataset(path); });
      },
      py::arg("path"),
      "The TextDataset of a .tsv file (label<TAB>text, or label<TAB>text<TAB>text_pair; that is "
      "the "
      "first line, too) or a .jsonl file (objects with \"text\", for pairs \"text_pair\", and "
      "\"label\"). Raises RuntimeError naming the line that is not so.");
}

}  // namespace

void register_io(py::module_& m) {
  register_tokenizer(m);
  register_text_dataset(m);
  m.def(
      "read_image",
      [](const std::filesystem::path& path, bool apply_orientation) {
        return from_image(without_gil(
            [&] { return read_image(path, {.apply_orientation = apply_orientation}); }));
      },
      py::arg("path"), py::arg("apply_orientation") = true,
      "A JPEG, PNG, WebP or BMP file as uint8 [height, width, 3], equal to PIL's convert('RGB').");
  m.def(
      "resize",
      [](const Array<uint8_t>& array, int width, int height, const std::string& interpolation) {
        const Image image = to_image(array);
        return from_image(without_gil(
            [&] { return resize(image, width, height, parse_interpolation(interpolation)); }));
      },
      py::arg("image"), py::arg("width"), py::arg("height"), py::arg("interpolation") = "bicubic",
      "uint8 [height, width, 3], equal to PIL's Image.resize to the last bit.");
  m.def(
      "center_crop",
      [](const Array<uint8_t>& array, int width, int height) {
        const Image image = to_image(array);
        return from_image(without_gil([&] { return center_crop(image, width, height); }));
      },
      py::arg("image"), py::arg("width"), py::arg("height"),
      "The [height, width] pixels in the middle, placed as torchvision's CenterCrop.");
  m.def(
      "open_image_folder",
      [](const std::filesystem::path& root) {
        ImageDataset dataset = without_gil([&] { return open_image_folder(root); });
        std::vector<std::pair<std::filesystem::path, int>> samples;
        for (Sample& sample : dataset.samples) samples.emplace_back(sample.path, sample.label);
        return std::pair(dataset.classes, samples);
      },
      py::arg("root"),
      "(classes, [(path, label), ...]) of a folder with one folder of pictures a class.");
  m.def(
      "open_pictures",
      [](const std::filesystem::path& data, const std::vector<std::string>& labels, int count,
         bool labelled, const std::string& operation) {
        PictureSet set = without_gil([&] {
          const ModelClasses classes{labels, count};
          return labelled ? open_labelled_pictures(data, classes, operation)
                          : open_pictures(data, classes, operation);
        });
        std::vector<std::pair<std::filesystem::path, int>> samples;
        for (Sample& sample : set.samples) samples.emplace_back(sample.path, sample.label);
        return std::pair(samples, set.note);
      },
      py::arg("data"), py::arg("labels"), py::arg("count"), py::arg("labelled"),
      py::arg("operation"),
      "([(path, class of the model or -1), ...], note) of a folder of pictures or a list of them; "
      "with `labelled` each must have a class.");
  m.def("write_safetensors", &write_tensors, py::arg("path"), py::arg("tensors"),
        py::arg("metadata") = std::map<std::string, std::string>(),
        "Writes float32 arrays as a safetensors file, whole or not at all.");
  m.def(
      "rewrite_model_folder",
      [](const std::filesystem::path& source, const std::filesystem::path& folder, bool bf16) {
        return without_gil([&] {
          return save_model_folder(open_model_folder(source), folder,
                                   bf16 ? DType::BF16 : DType::F32);
        });
      },
      py::arg("source"), py::arg("folder"), py::arg("bf16"),
      "Writes a model folder of any known layout as a new one in tokensieve's own, which timm "
      "loads "
      "strictly. False when bf16 rounded some weights; calibrations are left out then.");
}

}  // namespace tokensieve::python
