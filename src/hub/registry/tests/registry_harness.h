// A registry on a database of its own, whose calls wait for their answers.
#pragma once

#include <filesystem>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/registry.h"
#include "state/outbox.h"

namespace picket::hub {

inline constexpr Timestamp kNow{1'795'000'000'000'000};
inline const state::Actor kActor{"policy/iothubowner", "192.0.2.1"};
inline constexpr const char* kHub = "factory";

class RegistryHarness : public testing::Test {
 protected:
  RegistryHarness() {
    std::string pattern = testing::TempDir() + "picket_registry_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    reopen();
  }
  ~RegistryHarness() override {
    registry_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen(RegistryOptions options = {}) {
    registry_.reset();
    database_.reset();
    database_ = state::Database::open(folder_ + "/state.sqlite").value();
    registry_ = std::make_unique<Registry>(*database_, clock_, options);
    registry_->on_credentials_changed([this](const IdentityKey& key) {
      const std::scoped_lock lock(mutex_);
      revoked_.push_back(key);
    });
  }
  template <class T, class Call>
  HubResult<T> wait(Call call) {
    std::promise<HubResult<T>> answer;
    call(Done<T>([&](HubResult<T> result) { answer.set_value(std::move(result)); }));
    return answer.get_future().get();
  }
  HubResult<state::Device> put(DeviceSpec spec, PutMode mode = PutMode::create, std::string if_match = "") {
    return wait<state::Device>(
        [&](auto done) { registry_->put(kHub, std::move(spec), mode, if_match, kActor, std::move(done)); });
  }
  HubResult<state::Module> put(ModuleSpec spec, PutMode mode = PutMode::create, std::string if_match = "") {
    return wait<state::Module>(
        [&](auto done) { registry_->put(kHub, std::move(spec), mode, if_match, kActor, std::move(done)); });
  }
  HubResult<> remove(std::string device, std::string module = "", std::string if_match = "") {
    return wait<void>([&](auto done) { registry_->remove({kHub, device, module}, if_match, kActor, std::move(done)); });
  }
  HubResult<BulkResult> bulk(std::string_view body) {
    auto items = bulk_from_json(body);
    if (!items) return std::unexpected(items.error());
    return wait<BulkResult>([&](auto done) { registry_->bulk(kHub, *std::move(items), kActor, std::move(done)); });
  }
  template <class T>
  static int code(const HubResult<T>& result) {
    return result ? 0 : result.error().code;
  }
  std::vector<state::OutboxRecord> audit() { return state::Outbox(*database_).pending(1000).value(); }
  std::vector<std::string> audit_kinds() {
    std::vector<std::string> out;
    for (const auto& record : audit()) out.push_back(record.kind);
    return out;
  }
  std::vector<IdentityKey> revoked() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(revoked_, {});
  }

  std::string folder_;
  ManualClock clock_{kNow};
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Registry> registry_;
  std::mutex mutex_;
  std::vector<IdentityKey> revoked_;
};

}  // namespace picket::hub
