#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace tokensieve {

/// oneDNN's view of the processor, one for the program.
const dnnl::engine& cpu_engine();

/// The calling thread's stream on it.
dnnl::stream& cpu_stream();

}  // namespace tokensieve
