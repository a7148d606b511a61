// The beginning of an audit record's body: who did it, from where, to what. Private to this module.
#pragma once

#include <string_view>

#include "base/core/json_writer.h"
#include "state/hubs.h"

namespace picket::state {

/// An open object: whoever calls adds what belongs to the change, and ends it.
inline JsonWriter audit_of(const Actor& actor) {
  JsonWriter json;
  json.begin_object().key("actor").value(actor.user).key("source").value(actor.source);
  return json;
}

inline JsonWriter audit_of(const Actor& actor, std::string_view object) {
  JsonWriter json = audit_of(actor);
  json.key("object").value(object);
  return json;
}

}  // namespace picket::state
