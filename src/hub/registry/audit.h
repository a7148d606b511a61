// Bodies of audit records: who, from where, about which hub, and what changed. No keys. Private to this module.
#pragma once

#include <string>
#include <string_view>

#include "base/core/json_writer.h"
#include "state/devices.h"

namespace picket::hub {

class Audit {
 public:
  Audit(const state::Actor& actor, std::string_view hub) {
    json_.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(hub);
  }
  template <class Value>
  Audit& field(std::string_view name, const Value& value) {
    json_.key(name).value(value);
    return *this;
  }
  /// `name`_before and `name`, when they differ.
  template <class Value>
  Audit& change(std::string_view name, const Value& before, const Value& after) {
    if (before == after) return *this;
    json_.key(std::string(name) + "_before").value(before).key(name).value(after);
    return *this;
  }
  std::string take() { return json_.end_object().take(); }

 private:
  JsonWriter json_;
};

}  // namespace picket::hub
