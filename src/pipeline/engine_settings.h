#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "state_part.h"

namespace picket::pipeline {

/// What rules_change records have set.
class EngineSettings final : public StatePart {
 public:
  [[nodiscard]] Profile profile() const {
    const Entry* entry = table_.find("profile");
    return entry == nullptr ? Profile::standard : entry->profile;
  }
  void set_profile(Profile profile) { table_.touch("profile").profile = profile; }
  [[nodiscard]] bool is_on(std::string_view detector) const {
    return std::ranges::find(off_, detector) == off_.end();  // usually none is off
  }
  void set_on(std::string_view detector, bool on) {
    const std::string key = std::string(kOff) + std::string(detector);
    on ? table_.erase(key) : static_cast<void>(table_.touch(key));
    std::erase(off_, detector);
    if (!on) off_.emplace_back(detector);
  }

  std::string_view part_name() const override { return "settings"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return table_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override {
    if (key.starts_with(kOff)) off_.emplace_back(key.substr(kOff.size()));
    return table_.load(key, value);
  }

 private:
  static constexpr std::string_view kOff = "off/";
  struct Entry {
    Profile profile = Profile::standard;
    void encode(ByteWriter& out) const { out.u8(static_cast<std::uint8_t>(profile)); }
    static Result<Entry> decode(Cursor& in) {
      TRY(const auto profile, in.u8());
      if (profile > 1) return fail(Errc::malformed, "pipeline.state.profile");
      return Entry{static_cast<Profile>(profile)};
    }
  };
  KeyedTable<Entry> table_;
  std::vector<std::string> off_;  ///< Detectors; the same as the keys that begin with kOff.
};

}  // namespace picket::pipeline
