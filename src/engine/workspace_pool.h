#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tokensieve/engine/workspace.h"

namespace tokensieve {

/// Workspaces of the callers of one model: calls in flight never share, later ones reuse.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> borrow() {
    const std::lock_guard lock(mutex_);
    if (pool_.empty()) return std::make_unique<Workspace>();
    auto workspace = std::move(pool_.back());
    pool_.pop_back();
    return workspace;
  }

  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    pool_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> pool_;
};

}  // namespace tokensieve
