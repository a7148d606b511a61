// A state in a folder of its own that is removed with it, and devices in it. For tests of the services.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/core/identity.h"
#include "hub/hub_error.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::hub {

class TemporaryState {
 public:
  TemporaryState() {
    std::string pattern = testing::TempDir() + "picket_hub_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    reopen();
  }
  ~TemporaryState() {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void close() { database_.reset(); }
  void reopen() {
    database_.reset();
    auto opened = state::Database::open(path());
    EXPECT_TRUE(opened) << describe(opened.error());
    database_ = *std::move(opened);
  }
  state::Database& operator*() { return *database_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string path() const { return folder_ + "/state.sqlite"; }
  state::Devices devices() { return state::Devices(*database_); }
  Identity add_device(std::string_view device_id, std::string_view hub = "hub1") {
    const auto added = devices().add(hub, device_id, "", state::Actor{"tester", "127.0.0.1"}, Timestamp{1});
    EXPECT_TRUE(added) << describe(added.error());
    return {std::string(hub), std::string(device_id), "", added->generation_id};
  }
  /// Everything submitted so far has run.
  void settle() {
    Answer<> answer;
    database_->submit([](sqlite3*) { return Result<>{}; }, [done = answer.done()](Result<>) mutable { done({}); });
    EXPECT_TRUE(answer.get());
  }

  /// The result of a call that answers through Done<T>.
  template <class T = void>
  class Answer {
   public:
    Done<T> done() {
      return [promise = promise_](HubResult<T> result) { promise->set_value(std::move(result)); };
    }
    HubResult<T> get() { return future_.get(); }

   private:
    std::shared_ptr<std::promise<HubResult<T>>> promise_ = std::make_shared<std::promise<HubResult<T>>>();
    std::future<HubResult<T>> future_ = promise_->get_future();
  };

 private:
  std::string folder_;
  std::unique_ptr<state::Database> database_;
};

/// answer<T>([&](Done<T> done) { service.call(…, std::move(done)); }): waits for it.
template <class T = void, class Start>
HubResult<T> answer(Start start) {
  TemporaryState::Answer<T> out;
  start(out.done());
  return out.get();
}

}  // namespace picket::hub
