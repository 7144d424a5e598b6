#include <pybind11/pybind11.h>

#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "numpy.h"

namespace py = pybind11;

namespace {

/// Messages quote files and their names, whose bytes may be no UTF-8.
void raise(PyObject* type, const char* message) {
  PyObject* text =
      PyUnicode_DecodeUTF8(message, static_cast<Py_ssize_t>(std::strlen(message)), "replace");
  if (text == nullptr) return;
  PyErr_SetObject(type, text);
  Py_DECREF(text);
}

void translate(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const pybind11::builtin_exception&) {
    throw;  // pybind11's own know their types
  } catch (const std::invalid_argument& error) {
    raise(PyExc_ValueError, error.what());
  } catch (const std::runtime_error& error) {
    raise(PyExc_RuntimeError, error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_tokensieve, m) {
  pybind11::register_local_exception_translator(translate);
  m.doc() = "The C++ core of tokensieve; use the package `tokensieve`.";
  m.attr("__version__") = TOKENSIEVE_VERSION;
  tokensieve::python::register_core(m);
  tokensieve::python::register_io(m);
  tokensieve::python::register_engine(m);
  tokensieve::python::register_text(m);
#ifdef TOKENSIEVE_WITH_VIZ
  tokensieve::python::register_viz(m);
  tokensieve::python::register_viz_text(m);
#endif
}
