// Types and values of the query language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace picket::kql {

/// The scalar types (spec: kql.md section 2.3).
enum class Type : std::uint8_t { boolean, int32, int64, real, string, datetime, timespan, guid, dynamic, decimal };

/// The type's name in the language: "bool", "int", "long", "real", "string", "datetime", "timespan", "guid", "dynamic",
/// "decimal".
std::string_view to_string(Type type);

/// One scalar. What `data` holds follows from `type`; std::monostate is null (never for string: a missing string is
/// "").
///   boolean  bool                      real      double
///   int32    int64_t in int32 range    string    std::string, UTF-8
///   int64    int64_t                   guid      std::string, 36 lower-case characters
///   datetime int64_t, microseconds since 1970-01-01 UTC
///   timespan int64_t, ticks of 100 ns
///   dynamic  std::string, minified JSON text
///   decimal  std::string, its key (kql/native_decimal.h)
struct Value {
  Type type = Type::string;
  std::variant<std::monostate, bool, std::int64_t, double, std::string> data;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  friend bool operator==(const Value&, const Value&) = default;
};

/// Ticks of 100 ns in the units the language knows.
inline constexpr std::int64_t kTicksPerMicrosecond = 10;
inline constexpr std::int64_t kTicksPerMillisecond = 10'000;
inline constexpr std::int64_t kTicksPerSecond = 10'000'000;
inline constexpr std::int64_t kTicksPerMinute = 60 * kTicksPerSecond;
inline constexpr std::int64_t kTicksPerHour = 60 * kTicksPerMinute;
inline constexpr std::int64_t kTicksPerDay = 24 * kTicksPerHour;

}  // namespace picket::kql
