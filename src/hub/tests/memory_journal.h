// A journal that obeys the test: durable at once, when told, never, or refusing.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace picket::hub {

struct StoredRecord {
  journal::RecordKind kind{};
  Identity identity;
  std::uint16_t partition = 0;
  std::vector<std::pair<std::string, std::string>> properties;
  std::string body;

  [[nodiscard]] std::string property(std::string_view name) const {
    for (const auto& [key, value] : properties) {
      if (key == name) return value;
    }
    return "(none)";
  }
};

class MemoryJournal final : public journal::Journal {
 public:
  Result<> append(const journal::Record& record, journal::OnDurable on_durable) override {
    std::unique_lock lock(mutex_);
    const bool message = record.kind == journal::RecordKind::message;
    if (message && refuse_) return fail(*refuse_, "journal.append.refused");
    if (message ? hold_ : hold_events_) {
      held_.emplace_back(copy(record), std::move(on_durable));
      return {};
    }
    records_.push_back(copy(record));
    const journal::RecordId id{0, records_.size()};
    lock.unlock();
    on_durable(id);
    return {};
  }
  void flush() override {}
  [[nodiscard]] journal::Position begin() const override { return {}; }
  [[nodiscard]] journal::Position end() const override { return {}; }
  Result<std::unique_ptr<journal::Reader>> reader(const journal::Position&) override {
    return fail(Errc::unsupported, "test");
  }
  std::uint64_t add_listener(std::function<void()>) override { return 0; }
  void remove_listener(std::uint64_t) override {}
  Result<journal::Position> add_consumer(std::string_view) override { return fail(Errc::unsupported, "test"); }
  Result<> set_position(std::string_view, const journal::Position&) override { return {}; }
  Result<> remove_consumer(std::string_view) override { return {}; }
  Result<> store_positions() override { return {}; }
  Result<> retain(const journal::Retention&, Timestamp) override { return {}; }
  Result<> accept_loss(const journal::Corruption&) override { return {}; }
  [[nodiscard]] journal::Stats stats() const override {
    const std::scoped_lock lock(mutex_);
    journal::Stats stats;
    stats.reserve_reached = reserve_reached_;
    return stats;
  }

  void hold(bool on) {
    const std::scoped_lock lock(mutex_);
    hold_ = on;
  }
  void hold_events(bool on) {
    const std::scoped_lock lock(mutex_);
    hold_events_ = on;
  }
  void refuse(std::optional<Errc> code) {
    const std::scoped_lock lock(mutex_);
    refuse_ = code;
  }
  void reach_reserve(bool on) {
    const std::scoped_lock lock(mutex_);
    reserve_reached_ = on;
  }
  /// For long runs: what was stored is no longer wanted.
  void forget() {
    const std::scoped_lock lock(mutex_);
    records_.clear();
  }
  [[nodiscard]] std::size_t held() const {
    const std::scoped_lock lock(mutex_);
    return held_.size();
  }
  /// The oldest held message becomes durable, or is given up.
  void release_one(bool durable = true) {
    std::unique_lock lock(mutex_);
    auto [record, on_durable] = std::move(held_.front());
    held_.pop_front();
    if (durable) records_.push_back(std::move(record));
    const journal::RecordId id{0, records_.size()};
    lock.unlock();
    if (durable) {
      on_durable(id);
    } else {
      on_durable(fail(Errc::io, "journal.write"));
    }
  }
  [[nodiscard]] std::vector<StoredRecord> records(journal::RecordKind kind) const {
    const std::scoped_lock lock(mutex_);
    std::vector<StoredRecord> out;
    for (const auto& record : records_) {
      if (record.kind == kind) out.push_back(record);
    }
    return out;
  }
  [[nodiscard]] std::vector<StoredRecord> messages() const { return records(journal::RecordKind::message); }

 private:
  static StoredRecord copy(const journal::Record& record) {
    StoredRecord out{
        record.kind, record.identity.to_identity(), record.partition, {}, std::string(as_text(record.body))};
    for (const auto& property : record.properties) out.properties.emplace_back(property.name, property.value);
    return out;
  }
  mutable std::mutex mutex_;
  std::vector<StoredRecord> records_;
  std::deque<std::pair<StoredRecord, journal::OnDurable>> held_;
  bool hold_ = false;
  bool hold_events_ = false;
  bool reserve_reached_ = false;
  std::optional<Errc> refuse_;
};

}  // namespace picket::hub
