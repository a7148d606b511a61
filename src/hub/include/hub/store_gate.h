// Work that an object has given to the database and that refers to the object: its destructor waits for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include "state/database.h"

namespace picket::hub {

/// Make it the last member. Any thread. `database` outlives it; not destroyed on the database's own thread.
class StoreGate {
 public:
  explicit StoreGate(state::Database& database) : database_(database) {}
  ~StoreGate() {
    std::unique_lock lock(mutex_);
    empty_.wait(lock, [this] { return pending_ == 0; });
  }
  StoreGate(const StoreGate&) = delete;
  StoreGate& operator=(const StoreGate&) = delete;

  /// Database::submit.
  void submit(std::move_only_function<Result<>(sqlite3*)> body, std::move_only_function<void(Result<>)> done) {
    {
      const std::scoped_lock lock(mutex_);
      ++pending_;
    }
    database_.submit(std::move(body), [this, done = std::move(done)](Result<> result) mutable {
      done(std::move(result));
      done = nullptr;  // what it holds may need the object
      const std::scoped_lock lock(mutex_);
      if (--pending_ == 0) empty_.notify_all();
    });
  }

 private:
  state::Database& database_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t pending_ = 0;
};

}  // namespace picket::hub
