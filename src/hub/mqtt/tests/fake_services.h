// The services behind the head, in memory and obedient. Any thread.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hub/commands.h"
#include "hub/device_twins.h"
#include "hub/methods.h"
#include "hub/sessions.h"

namespace picket::hub {

/// Outlives heads, as the state does. Can be told to hold its answers, or to fail.
class FakeSessions final : public Sessions {
 public:
  [[nodiscard]] Result<std::uint32_t> load(const Identity& identity) const override {
    const std::scoped_lock lock(mutex_);
    if (fail_) return fail(Errc::unavailable, "test.sessions");
    const auto found = masks_.find(identity);
    return found == masks_.end() ? 0 : found->second;
  }
  void store(const Identity& identity, std::uint32_t mask, Done<> done) override {
    std::unique_lock lock(mutex_);
    ++stores_;
    if (fail_) {
      lock.unlock();
      return done(hub_fail(kUnavailable, "test"));
    }
    if (hold_) {
      held_.emplace_back(identity, mask, std::move(done));
      return;
    }
    put(identity, mask);
    lock.unlock();
    done({});
  }
  void hold(bool on) {
    const std::scoped_lock lock(mutex_);
    hold_ = on;
  }
  void fail_all(bool on) {
    const std::scoped_lock lock(mutex_);
    fail_ = on;
  }
  [[nodiscard]] std::size_t held() const {
    const std::scoped_lock lock(mutex_);
    return held_.size();
  }
  void release_one() {
    std::unique_lock lock(mutex_);
    auto [identity, mask, done] = std::move(held_.front());
    held_.pop_front();
    put(identity, mask);
    lock.unlock();
    done({});
  }
  [[nodiscard]] std::size_t stores() const {
    const std::scoped_lock lock(mutex_);
    return stores_;
  }
  [[nodiscard]] std::size_t count() const {
    const std::scoped_lock lock(mutex_);
    return masks_.size();
  }

 private:
  void put(const Identity& identity, std::uint32_t mask) {
    if (mask == 0) {
      masks_.erase(identity);
    } else {
      masks_[identity] = mask;
    }
  }
  struct Held {
    Identity identity;
    std::uint32_t mask = 0;
    Done<> done;
  };
  mutable std::mutex mutex_;
  std::map<Identity, std::uint32_t> masks_;
  std::deque<Held> held_;
  std::size_t stores_ = 0;
  bool hold_ = false;
  bool fail_ = false;
};

/// A twin is the text of whose it is; reports are remembered.
class FakeTwins final : public DeviceTwins {
 public:
  void read(const Identity& device, Done<std::string> done) override {
    std::unique_lock lock(mutex_);
    ++reads_;
    if (hold_) {
      held_.push_back(std::move(done));
      return;
    }
    const auto failure = failure_;
    lock.unlock();
    if (failure) return done(std::unexpected(*failure));
    done(view_of(device));
  }
  void report(const Identity& device, std::string patch, Done<std::uint64_t> done) override {
    std::unique_lock lock(mutex_);
    const auto failure = failure_;
    if (!failure) reports_.emplace_back(device, std::move(patch));
    const auto version = reports_.size();
    lock.unlock();
    if (failure) return done(std::unexpected(*failure));
    done(version);
  }
  static std::string view_of(const Identity& device) {
    return R"({"desired":{"of":")" + display_name(device) + R"("}})";
  }
  void fail_with(std::optional<HubError> failure) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(failure);
  }
  void hold(bool on) {
    const std::scoped_lock lock(mutex_);
    hold_ = on;
  }
  void release_all() {
    std::unique_lock lock(mutex_);
    auto held = std::exchange(held_, {});
    lock.unlock();
    for (auto& done : held) done(std::string("{}"));
  }
  [[nodiscard]] std::size_t reads() const {
    const std::scoped_lock lock(mutex_);
    return reads_;
  }
  /// For long runs.
  void forget() {
    const std::scoped_lock lock(mutex_);
    reports_.clear();
  }
  [[nodiscard]] std::vector<std::pair<Identity, std::string>> reports() const {
    const std::scoped_lock lock(mutex_);
    return reports_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<HubError> failure_;
  std::vector<std::pair<Identity, std::string>> reports_;
  std::vector<Done<std::string>> held_;
  std::size_t reads_ = 0;
  bool hold_ = false;
};

class FakeMethods final : public Methods {
 public:
  struct Answer {
    IdentityKey from;
    std::uint64_t call = 0;
    MethodReply reply;
  };
  void invoke(const IdentityKey&, MethodRequest, std::string_view, Done<MethodReply> done) override {
    done(hub_fail(kNotOnline, "test"));
  }
  void available(const IdentityKey& identity) override { say("available " + name(identity)); }
  void gone(const IdentityKey& identity) override { say("gone " + name(identity)); }
  void respond(const IdentityKey& from, std::uint64_t call, MethodReply reply) override {
    const std::scoped_lock lock(mutex_);
    answers_.push_back({from, call, std::move(reply)});
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }
  void forget() {
    const std::scoped_lock lock(mutex_);
    lines_.clear();
    answers_.clear();
  }
  [[nodiscard]] std::vector<Answer> answers() const {
    const std::scoped_lock lock(mutex_);
    return answers_;
  }

 private:
  static std::string name(const IdentityKey& key) { return display_name({key.hub, key.device_id, key.module_id, ""}); }
  void say(std::string line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<Answer> answers_;
};

/// One queue for each identity.
class FakeCommands final : public Commands {
 public:
  void send(const IdentityKey& to, Command command, const state::Actor&, Done<> done) override {
    {
      const std::scoped_lock lock(mutex_);
      queues_[to].push_back({.sequence = next_++, .command = std::move(command)});
    }
    done({});
  }
  void put(const IdentityKey& to, std::string_view body,
           std::vector<std::pair<std::string, std::string>> properties = {}) {
    Command command{.properties = std::move(properties)};
    command.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    send(to, std::move(command), {}, [](const HubResult<>&) {});
  }
  void receive(const IdentityKey& device, std::string_view, Duration,
               Done<std::optional<LockedCommand>> done) override {
    std::optional<LockedCommand> out;
    {
      const std::scoped_lock lock(mutex_);
      for (auto& entry : queues_[device]) {
        if (entry.locked) continue;
        entry.locked = true;
        ++entry.deliveries;
        out = LockedCommand{.lock = std::to_string(entry.sequence),
                            .sequence = entry.sequence,
                            .delivery_count = entry.deliveries,
                            .command = entry.command};
        break;
      }
    }
    done(std::move(out));
  }
  void settle(const IdentityKey& device, std::string_view lock_name, Settlement settlement, std::string_view,
              Done<> done) override {
    {
      const std::scoped_lock lock(mutex_);
      std::erase_if(queues_[device],
                    [&](const Entry& e) { return e.locked && std::to_string(e.sequence) == lock_name; });
      settled_.push_back((settlement == Settlement::complete ? "complete " : "other ") + std::string(lock_name));
    }
    done({});
  }
  void unlock_all(const IdentityKey& device) override {
    const std::scoped_lock lock(mutex_);
    for (auto& entry : queues_[device]) entry.locked = false;
  }
  void purge(const IdentityKey&, const state::Actor&, Done<std::uint64_t> done) override { done(0); }
  [[nodiscard]] Result<std::uint64_t> count(const IdentityKey& device) const override {
    const std::scoped_lock lock(mutex_);
    const auto found = queues_.find(device);
    return found == queues_.end() ? 0 : found->second.size();
  }
  void receive_feedback(std::string_view, Done<std::optional<FeedbackBatch>> done) override { done(std::nullopt); }
  void settle_feedback(std::string_view, std::string_view, Settlement, Done<> done) override { done({}); }
  void on_feedback(std::function<void(const std::string&)>) override {}
  void forget() {
    const std::scoped_lock lock(mutex_);
    settled_.clear();
  }
  [[nodiscard]] std::vector<std::string> settled() const {
    const std::scoped_lock lock(mutex_);
    return settled_;
  }

 private:
  struct Entry {
    std::uint64_t sequence = 0;
    Command command;
    bool locked = false;
    std::uint32_t deliveries = 0;
  };
  mutable std::mutex mutex_;
  std::map<IdentityKey, std::deque<Entry>> queues_;
  std::uint64_t next_ = 1;
  std::vector<std::string> settled_;
};

}  // namespace picket::hub
