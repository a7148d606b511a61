// A state of its own with devices, and twins over it; asynchronous answers are waited for.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "hub/twins.h"
#include "state/devices.h"
#include "state/outbox.h"

namespace picket::hub {

inline const state::Actor kService{"policy/service", "192.0.2.1"};
inline constexpr Timestamp kStart{1'795'000'000'000'000};

class TwinsFixture : public testing::Test {
 protected:
  TwinsFixture() {
    std::string pattern = testing::TempDir() + "picket_twins_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    open();
  }
  ~TwinsFixture() override {
    close();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    auto opened = state::Database::open(path());
    ASSERT_TRUE(opened) << describe(opened.error());
    database_ = *std::move(opened);
    twins_ = std::make_unique<Twins>(*database_, clock_);
    devices_ = std::make_unique<state::Devices>(*database_);
  }
  void close() {
    database_.reset();  // first: it answers what still waits
    twins_.reset();
    devices_.reset();
  }
  [[nodiscard]] std::string path() const { return folder_ + "/state.sqlite"; }

  IdentityKey add(const std::string& device, std::string_view hub = "hub") {
    EXPECT_TRUE(devices_->add(hub, device, "", kService, kStart)) << device;
    return {std::string(hub), device, ""};
  }
  /// The identity as authentication has proven it: with its generation of now.
  Identity proven(const IdentityKey& key) {
    const auto row = twins_->store().find(key.hub, key.device_id, key.module_id);
    EXPECT_TRUE(row);
    return {key.hub, key.device_id, key.module_id, row ? row->owner.generation_id : ""};
  }

  template <class T, class Start>
  static HubResult<T> wait(Start start) {
    std::promise<HubResult<T>> promise;
    auto answer = promise.get_future();
    start(Done<T>([&promise](HubResult<T> result) { promise.set_value(std::move(result)); }));
    return answer.get();
  }
  HubResult<std::string> patch(const IdentityKey& key, const std::string& body, const std::string& etag = "") {
    return wait<std::string>(
        [&](Done<std::string> done) { twins_->patch(key, body, etag, kService, std::move(done)); });
  }
  HubResult<std::string> replace(const IdentityKey& key, const std::string& body, const std::string& etag = "") {
    return wait<std::string>(
        [&](Done<std::string> done) { twins_->replace(key, body, etag, kService, std::move(done)); });
  }
  HubResult<std::uint64_t> report(const Identity& self, const std::string& body) {
    return wait<std::uint64_t>([&](Done<std::uint64_t> done) { twins_->patch_reported(self, body, std::move(done)); });
  }
  HubResult<std::string> get(const Identity& self) {
    return wait<std::string>([&](Done<std::string> done) { twins_->get(self, std::move(done)); });
  }
  JsonValue twin(const IdentityKey& key) {
    auto document = twins_->document(key);
    EXPECT_TRUE(document) << document.error().message;
    return document ? *document : JsonValue();
  }
  static JsonValue json(std::string_view text) {
    auto parsed = parse_json(text);
    EXPECT_TRUE(parsed) << text;
    return parsed ? *parsed : JsonValue();
  }

  std::string folder_;
  ManualClock clock_{kStart};
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Twins> twins_;
  std::unique_ptr<state::Devices> devices_;
};

}  // namespace picket::hub
