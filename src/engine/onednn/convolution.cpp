#include "onednn/convolution.h"

#include <omp.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "onednn/cpu_engine.h"
#include "onednn/primitive_cache.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

using dnnl::memory;

// Places along the sides of the map that weights are packed for first.
constexpr int64_t kPackingSide = 224;

struct Key {
  ConvolutionOptions options;
  int64_t height, width;
  int threads;  // a primitive is cut for the threads there are when it is made
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    const auto& [in, out, kernel, stride, padding, relu] = key.options;
    return hash_of(in, out, kernel, stride, padding, relu, key.height, key.width, key.threads);
  }
};

struct Primitive {
  dnnl::convolution_forward convolution;
  memory::desc source, weights, destination, scratchpad;
};

memory::desc channels_last(int64_t channels, int64_t height, int64_t width) {
  return {{1, channels, height, width}, memory::data_type::f32, memory::format_tag::nhwc};
}

memory::dims weights_shape(const ConvolutionOptions& options) {
  return {options.out, options.in, options.kernel, options.kernel};
}

dnnl::convolution_forward::primitive_desc describe(const ConvolutionOptions& options,
                                                   int64_t height, int64_t width,
                                                   int64_t out_height, int64_t out_width) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops post;
  if (options.relu) post.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attributes.set_post_ops(post);
  const memory::desc bias({options.out}, memory::data_type::f32, memory::format_tag::x);
  const memory::desc weights(weights_shape(options), memory::data_type::f32,
                             memory::format_tag::any);
  const memory::dims strides(2, options.stride), padding(2, options.padding);
  return {cpu_engine(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          channels_last(options.in, height, width),
          weights,
          bias,
          channels_last(options.out, out_height, out_width),
          strides,
          padding,
          padding,
          attributes};
}

}  // namespace

struct ConvolutionCache::Impl {
  PrimitiveCache<Key, Primitive, KeyHash> primitives;
};

ConvolutionCache::ConvolutionCache(size_t capacity)
    : impl_(new Impl{PrimitiveCache<Key, Primitive, KeyHash>(capacity)}) {}
ConvolutionCache::~ConvolutionCache() = default;
size_t ConvolutionCache::size() const { return impl_->primitives.size(); }

struct Convolution::Impl {
  /// The weights in the layout that a primitive wants. Unlike a matrix product's, it depends on the
  /// size of the map: oneDNN falls to its slow reference when made to take another. It has two or
  /// three for all sizes, which stay.
  memory weights(const memory::desc& layout) {
    const std::lock_guard lock(mutex);
    for (const memory& packed : layouts) {
      if (packed.get_desc() == layout) return packed;
    }
    memory packed(layout, cpu_engine());
    dnnl::reorder(layouts.front(), packed).execute(cpu_stream(), layouts.front(), packed);
    cpu_stream().wait();
    return layouts.emplace_back(packed);
  }

  ConvolutionCache* cache;
  std::mutex mutex;
  std::vector<memory> layouts;
  memory bias;
};

Convolution::Convolution(const WeightSource& source, const std::string& scope,
                         const ConvolutionOptions& options, ConvolutionCache& cache)
    : options_(options), impl_(std::make_unique<Impl>()) {
  impl_->cache = &cache;
  const auto shape = weights_shape(options);
  auto values = source.WeightSource::read(scope + ".weight", shape);
  const int64_t side = std::max(kPackingSide, options.kernel), out_side = output_side(side);
  const memory::desc layout = describe(options, side, side, out_side, out_side).weights_desc();
  memory plain({shape, memory::data_type::f32, memory::format_tag::oihw}, cpu_engine(),
               values.data());
  memory packed(layout, cpu_engine());
  dnnl::reorder(plain, packed).execute(cpu_stream(), plain, packed);
  cpu_stream().wait();
  impl_->layouts.push_back(packed);
  impl_->bias =
      memory({{options.out}, memory::data_type::f32, memory::format_tag::x}, cpu_engine());
  source.read(scope + ".bias", {static_cast<float*>(impl_->bias.get_data_handle()),
                                static_cast<size_t>(options.out)});
}

Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;

int64_t Convolution::macs(int64_t height, int64_t width) const {
  return output_side(height) * output_side(width) * options_.in * options_.out * options_.kernel *
         options_.kernel;
}

void Convolution::run(const float* x, int64_t height, int64_t width, float* y,
                      AlignedBuffer& scratchpad) const {
  const Key key{options_, height, width, omp_get_max_threads()};
  const auto primitive = impl_->cache->impl().primitives.get(key, [&]() -> Primitive {
    const auto made = describe(options_, height, width, output_side(height), output_side(width));
    return {dnnl::convolution_forward(made), made.src_desc(), made.weights_desc(), made.dst_desc(),
            made.scratchpad_desc()};
  });
  const auto& engine = cpu_engine();
  const memory source(primitive->source, engine, const_cast<float*>(x));
  const memory destination(primitive->destination, engine, y);
  const memory pad(primitive->scratchpad, engine,
                   scratchpad.reserve(primitive->scratchpad.get_size()));
  primitive->convolution.execute(cpu_stream(),
                                 {{DNNL_ARG_SRC, source},
                                  {DNNL_ARG_WEIGHTS, impl_->weights(primitive->weights)},
                                  {DNNL_ARG_BIAS, impl_->bias},
                                  {DNNL_ARG_DST, destination},
                                  {DNNL_ARG_SCRATCHPAD, pad}});
}

}  // namespace tokensieve
