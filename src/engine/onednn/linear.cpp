#include "onednn/linear.h"

#include <omp.h>

#include <array>
#include <list>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

using dnnl::memory;

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

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
  return {cpu_engine(), source, weights, matrix(1, out, memory::format_tag::ab), destination,
          attributes};
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
    size_t hash = 1469598103934665603ull;
    for (const int64_t part : {key.rows, key.in, key.out, int64_t{key.bias},
                               static_cast<int64_t>(key.epilogue), int64_t{key.threads}}) {
      hash = (hash ^ static_cast<size_t>(part)) * 1099511628211ull;
    }
    return hash;
  }
};

struct Primitive {
  dnnl::matmul matmul;
  memory::desc source, destination, scratchpad;
};

}  // namespace

struct LinearCache::Impl {
  using Entry = std::pair<Key, std::shared_ptr<const Primitive>>;

  explicit Impl(size_t capacity_) : capacity(capacity_) {}

  // Building a primitive takes 0.1-0.2 ms, so it is done under the lock: two callers never build one
  // twice, and a warm cache only moves a list node.
  std::shared_ptr<const Primitive> get(const Key& key, const memory::desc& weights) {
    const std::lock_guard lock(mutex);
    if (const auto found = index.find(key); found != index.end()) {
      entries.splice(entries.begin(), entries, found->second);
      return found->second->second;
    }
    const auto description =
        describe(weights, key.rows, key.in, key.out, key.bias, key.epilogue);
    auto primitive = std::make_shared<const Primitive>(
        Primitive{dnnl::matmul(description), description.src_desc(), description.dst_desc(),
                  description.scratchpad_desc()});
    entries.emplace_front(key, primitive);
    index[key] = entries.begin();
    if (entries.size() > capacity) {
      index.erase(entries.back().first);
      entries.pop_back();
    }
    return primitive;
  }

  size_t capacity;
  std::mutex mutex;
  std::list<Entry> entries;
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
};

LinearCache::LinearCache(size_t capacity) : impl_(std::make_unique<Impl>(capacity)) {}
LinearCache::~LinearCache() = default;

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
  const auto packed =
      describe({{in, out}, memory::data_type::f32, memory::format_tag::any}, kPackingRows, in, out,
               options.bias, Epilogue::none)
          .weights_desc();
  // Files hold [out, in], matmul wants [in, out]: the same bytes read as the transposed format.
  const memory plain(matrix(in, out, memory::format_tag::ba), cpu_engine(), values.data());
  impl_->weights = memory(packed, cpu_engine());
  dnnl::stream stream(cpu_engine());
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
  const auto primitive = impl_->cache->impl().get(
      {bucketed_rows(x.rows), in_, out_, bias, epilogue, omp_get_max_threads()},
      impl_->weights.get_desc());
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
  thread_local dnnl::stream stream(engine);
  const dnnl_status_t status = dnnl_primitive_execute(
      primitive->matmul.get(), stream.get(), bias ? 5 : 4, arguments.data());
  check_runtime(status == dnnl_success, "[linear] oneDNN could not run ", x.rows, " x ", in_, " x ",
                out_, " (status ", static_cast<int>(status), ")");
}

}  // namespace tokensieve
