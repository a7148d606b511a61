// What a chosen value looks like as a piece of a query.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/time.h"
#include "place.h"
#include "workbook/resolve.h"

namespace picket::workbook {

/// `value` inside of the literal or comment at `place`, which is not code; nullopt: it cannot stand there.
std::optional<std::string> inside(const Place& place, std::string_view value);

/// A literal of its own between `quote` (' or ").
std::string literal(std::string_view value, char quote);

/// Whether `value` may stand in code behind `before`: one number, timespan, guid, or name that is no word of the
/// language; within datetime(…) and its like, what such a literal is made of.
bool is_word(std::string_view value, std::string_view before);

/// "> ago(1d)" or "between (datetime(…) .. datetime(…))".
std::string time_condition(const Choice& choice);
/// A step that gives some tens of points: "5m".
std::string grain(Duration length);
Interval interval_of(const Choice& choice, Timestamp now);
/// "7d", "90s".
std::string span_text(Duration length);

/// The value at "$.a.b[0]" of a JSON text; nullopt: not JSON, or not a path of this kind.
std::optional<std::string> at_path(std::string_view json, std::string_view path);

}  // namespace picket::workbook
