#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <span>
#include <string>
#include <vector>

#include "tokensieve/io/image.h"

namespace tokensieve::python {

/// A contiguous array of exactly this type, or a copy that is.
template <typename T>
using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

/// A new numpy array with a copy of the values.
template <typename T>
pybind11::array_t<T> to_numpy(std::span<const T> values) {
  return pybind11::array_t<T>(static_cast<pybind11::ssize_t>(values.size()), values.data());
}
template <typename T>
pybind11::array_t<T> to_numpy(const std::vector<T>& values) {
  return to_numpy(std::span<const T>(values));
}

/// "[3, 224, 224]", for messages.
std::string shape_text(const pybind11::array& array);

/// uint8 `[height, width, 3]` to an image. Throws ValueError for another shape.
Image to_image(const Array<uint8_t>& array);
/// An image to uint8 `[height, width, 3]`.
pybind11::array_t<uint8_t> from_image(const Image& image);

/// What `work` gives, while other Python threads run. It must not touch Python's objects.
template <typename Work>
auto without_gil(Work work) {
  const pybind11::gil_scoped_release release;
  return work();
}

void register_core(pybind11::module_& m);
void register_io(pybind11::module_& m);
void register_engine(pybind11::module_& m);
void register_text(pybind11::module_& m);
#ifdef TOKENSIEVE_WITH_VIZ
void register_viz(pybind11::module_& m);
void register_viz_text(pybind11::module_& m);
#endif

}  // namespace tokensieve::python
