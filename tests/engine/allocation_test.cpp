#include <atomic>
#include <cstdlib>
#include <new>

#include "vit_fixture.h"

// This program counts what operator new gives, in all its libraries. Activations do not come from
// there; what the workspace holds of them is asked of itself.
namespace {
std::atomic<int64_t> taken{0}, largest{0};

void* count_and_take(size_t bytes) {
  taken += static_cast<int64_t>(bytes);
  int64_t before = largest;
  while (before < static_cast<int64_t>(bytes) &&
         !largest.compare_exchange_weak(before, static_cast<int64_t>(bytes))) {
  }
  void* const p = std::malloc(bytes);
  if (!p) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(size_t bytes) { return count_and_take(bytes); }
void* operator new[](size_t bytes) { return count_and_take(bytes); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

using namespace tokensieve;
using namespace tokensieve::test;

TEST_CASE("a warm run takes no memory for activations", "[engine][vit][allocation]") {
  VitConfig config = tiny();
  config.image_height = config.image_width = 112;  // 196 patches
  config.embed_dim = 384;
  config.head_dim = 64;
  config.num_heads.assign(4, 6);
  config.mlp_dim.assign(4, 1536);
  Model model(config, 3);
  Pictures pictures;
  for (int i = 0; i < 4; ++i) pictures.add(112, 112, 100 + i);
  const auto views = pictures.views();
  for (const std::string recipe :
       {"dense", "evit(keep=0.7, fuse, sites=1/2/3)", "dynamicvit(keep=0.7, sites=1/2/3)"}) {
    model.run(views, recipe);
    const size_t bytes = model.workspace.bytes();
    const auto schedule = Recipe::parse(recipe).compile(config.depth());
    taken = largest = 0;
    const auto outputs = model.vit.run(views, schedule, model.workspace, 2);
    const int64_t total = taken, most = largest;
    INFO(recipe << ": " << total << " bytes, at most " << most << " at once");
    CHECK(model.workspace.bytes() == bytes);
    // The rows of one image alone are 300 KB. What is left are results, plans and oneDNN's handles.
    CHECK(most < 8 << 10);
    CHECK(total < 64 << 10 << (schedule.sites().empty() ? 0 : 2));
    CHECK(outputs.size() == views.size());
  }
}
