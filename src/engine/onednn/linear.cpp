#include "onednn/linear.h"

#include <omp.h>

#include <array>

#include "onednn/cpu_engine.h"
#include "onednn/primitive_cache.h"
#include "tokensieve/core/error.h"
#include "weight_memory.h"

namespace tokensieve {
namespace {

using dnnl::memory;

// Rows that the kernels are packed and first built for; any count gives the same packed layout.
constexpr int64_t kPackingRows = 256;

memory::desc matrix(int64_t rows, int64_t cols, memory::format_tag tag) {
  return {{rows, cols}, memory::data_type::f32, tag};
}

dnnl::matmul::primitive_desc describe(const memory::desc& weights, int64_t rows, int64_t in,
                                      int64_t out, bool bias, Epilogue epilogue) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops post;
  if (epilogue == Epilogue::add || epilogue == Epilogue::add_gelu) post.append_sum(1.0f);
  if (epilogue == Epilogue::gelu || epilogue == Epilogue::add_gelu) {
    post.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
  }
  attributes.set_post_ops(post);
  const auto source = matrix(rows, in, memory::format_tag::ab);
  const auto destination = matrix(rows, out, memory::format_tag::ab);
  if (!bias) return {cpu_engine(), source, weights, destination, attributes};
  return {cpu_engine(), source,    weights, matrix(1, out, memory::format_tag::ab),
          destination,  attributes};
}

struct Key {
  int64_t rows, in, out;
  bool bias;
  Epilogue epilogue;
  int threads;  // a primitive is cut for the threads there are when it is made
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    return hash_of(key.rows, key.in, key.out, key.bias, key.epilogue, key.threads);
  }
};

struct Primitive {
  dnnl::matmul matmul;
  memory::desc source, destination, scratchpad;
};

}  // namespace

struct LinearCache::Impl {
  WeightMemory weights;
  PrimitiveCache<Key, Primitive, KeyHash> primitives;
};

LinearCache::LinearCache(size_t capacity)
    : impl_(new Impl{{}, PrimitiveCache<Key, Primitive, KeyHash>(capacity)}) {}
LinearCache::~LinearCache() = default;
size_t LinearCache::size() const { return impl_->primitives.size(); }

struct Linear::Impl {
  LinearCache* cache;
  memory weights;
  memory bias;  // empty without one
};

Linear::Linear(const WeightSource& source, const std::string& scope, int64_t in, int64_t out,
               LinearCache& cache, const LinearOptions& options)
    : in_(in), out_(out), impl_(std::make_unique<Impl>()) {
  impl_->cache = &cache;
  const auto shape = source.shape(scope + ".weight");
  int64_t inner = 1;
  for (size_t i = 1; i < shape.size(); ++i) inner *= shape[i];
  check_runtime(!shape.empty() && shape[0] == out && inner == in, "[linear] ", scope,
                ".weight should hold ", out, " x ", in, " values; config and weights disagree");
  std::vector<float> values(static_cast<size_t>(in * out));
  source.read(scope + ".weight", values);
  const std::span<const float> scale = options.output_scale;
  if (!scale.empty()) {
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) values[static_cast<size_t>(o * in + i)] *= scale[o];
    }
  }
  const auto packed = describe({{in, out}, memory::data_type::f32, memory::format_tag::any},
                               kPackingRows, in, out, options.bias, Epilogue::none)
                          .weights_desc();
  // Files hold [out, in], matmul wants [in, out]: the same bytes read as the transposed format.
  const memory plain(matrix(in, out, memory::format_tag::ba), cpu_engine(), values.data());
  impl_->weights = memory(packed, cpu_engine(), cache.impl().weights.take(packed.get_size()));
  dnnl::stream& stream = cpu_stream();
  dnnl::reorder(plain, impl_->weights).execute(stream, const_cast<memory&>(plain), impl_->weights);
  if (options.bias) {
    impl_->bias = memory(matrix(1, out, memory::format_tag::ab), cpu_engine());
    const std::span<float> bias(static_cast<float*>(impl_->bias.get_data_handle()),
                                static_cast<size_t>(out));
    const auto bias_values = source.WeightSource::read(scope + ".bias", std::vector<int64_t>{out});
    for (int64_t o = 0; o < out; ++o) bias[o] = bias_values[o] * (scale.empty() ? 1.0f : scale[o]);
  }
  stream.wait();
}

Linear::~Linear() = default;
Linear::Linear(Linear&&) noexcept = default;

void Linear::run(RowsView<const float> x, RowsView<float> y, Epilogue epilogue,
                 AlignedBuffer& scratchpad) const {
  if (x.rows == 0) return;
  const bool bias = static_cast<bool>(impl_->bias);
  const Key key{bucketed_rows(x.rows), in_, out_, bias, epilogue, omp_get_max_threads()};
  const auto primitive = impl_->cache->impl().primitives.get(key, [&]() -> Primitive {
    const auto made = describe(impl_->weights.get_desc(), key.rows, in_, out_, bias, epilogue);
    return {dnnl::matmul(made), made.src_desc(), made.dst_desc(), made.scratchpad_desc()};
  });
  const auto& engine = cpu_engine();
  const memory source(primitive->source, engine, const_cast<float*>(x.data));
  const memory destination(primitive->destination, engine, y.data);
  const memory pad(primitive->scratchpad, engine,
                   scratchpad.reserve(primitive->scratchpad.get_size()));
  // The C interface takes an array where the C++ one builds a hash map for every call.
  std::array<dnnl_exec_arg_t, 5> arguments = {{{DNNL_ARG_SRC, source.get()},
                                               {DNNL_ARG_WEIGHTS, impl_->weights.get()},
                                               {DNNL_ARG_DST, destination.get()},
                                               {DNNL_ARG_SCRATCHPAD, pad.get()},
                                               {DNNL_ARG_BIAS, nullptr}}};
  if (bias) arguments[4].memory = impl_->bias.get();
  const dnnl_status_t status = dnnl_primitive_execute(primitive->matmul.get(), cpu_stream().get(),
                                                      bias ? 5 : 4, arguments.data());
  check_runtime(status == dnnl_success, "[linear] oneDNN could not run ", x.rows, " x ", in_, " x ",
                out_, " (status ", static_cast<int>(status), ")");
}

}  // namespace tokensieve
