// Events as the engine sees them: values in numbered fields. Nothing here owns text.
#pragma once

#include <cstdint>
#include <string_view>

namespace picket::sigma {

/// Number of a field name in a RuleSet. Fields that no rule names have none and are still searched for keywords.
using FieldId = std::uint32_t;
inline constexpr FieldId kUnnamedField = 0xFFFF'FFFF;

/// One value. Views live as long as the call that gets them.
struct Value {
  enum class Kind : std::uint8_t { null, text, integer, real };
  Kind kind = Kind::null;
  std::string_view text;
  std::int64_t integer = 0;
  double real = 0;

  static Value of(std::string_view text) { return {Kind::text, text, 0, 0}; }
  static Value of(std::int64_t number) { return {Kind::integer, {}, number, 0}; }
  static Value of(double number) { return {Kind::real, {}, 0, number}; }
  /// A truth value is the text "true" or "false".
  static Value truth(bool value) { return of(std::string_view(value ? "true" : "false")); }
};

/// One field of an event. A field with several values stands several times; one that fits suffices.
struct EventField {
  FieldId field = kUnnamedField;
  Value value;
};

/// Fields of one event beyond this many are not looked at.
inline constexpr std::size_t kEventFieldsMax = 256;

}  // namespace picket::sigma
