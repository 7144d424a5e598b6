#include <pybind11/pybind11.h>

#include "numpy.h"

namespace py = pybind11;

PYBIND11_MODULE(_tokensieve, m) {
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
