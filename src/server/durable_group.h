// Waiting for records that were appended to a journal: a few at a time, from a thread that may block.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/core/result.h"
#include "journal/journal.h"

namespace picket::server {

/// Hand expect() to each append, then wait(). An append that fails drops its callback, and with it the expectation.
class DurableGroup {
 public:
  journal::OnDurable expect() {
    auto one = std::make_shared<Expectation>(shared_);
    return [one](Result<journal::RecordId> id) { one->fulfil(std::move(id)); };
  }

  /// The id of the last record once all are durable; the first error when one was given up.
  Result<journal::RecordId> wait() {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->pending == 0; });
    return shared_->outcome;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t pending = 0;
    Result<journal::RecordId> outcome{journal::RecordId{}};
  };

  // Counts itself in while it lives: a dropped callback cannot leave wait() waiting.
  class Expectation {
   public:
    explicit Expectation(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {
      const std::scoped_lock lock(shared_->mutex);
      ++shared_->pending;
    }
    Expectation(const Expectation&) = delete;
    Expectation& operator=(const Expectation&) = delete;
    ~Expectation() {
      {
        const std::scoped_lock lock(shared_->mutex);
        --shared_->pending;
      }
      shared_->changed.notify_all();
    }
    void fulfil(Result<journal::RecordId> id) {
      const std::scoped_lock lock(shared_->mutex);
      if (shared_->outcome) shared_->outcome = std::move(id);
    }

   private:
    std::shared_ptr<Shared> shared_;
  };

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace picket::server
