// A JSON value as a tree of our own: members in the order of their keys, numbers as they were written.
//
// Twins, queries, routing conditions and configurations work on it. It stands in public headers, where the JSON library
// that reads it may not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/result.h"

namespace picket::hub {

class JsonValue;
struct JsonMember;

/// The text of a JSON number: what a device wrote comes back as it was, also beyond the precision of a double.
struct JsonNumber {
  std::string text;
  [[nodiscard]] double value() const;
  /// False for 1.5 and 1e3; true for 1 and -0.
  [[nodiscard]] bool is_integer() const;
  friend bool operator==(const JsonNumber&, const JsonNumber&) = default;
};

using JsonArray = std::vector<JsonValue>;

/// Members sorted by key (bytes); a key stands once. Look-up is a binary search.
class JsonObject {
 public:
  using Members = std::vector<JsonMember>;
  [[nodiscard]] const JsonValue* find(std::string_view key) const;
  [[nodiscard]] JsonValue* find(std::string_view key);
  /// Sets or replaces.
  JsonValue& set(std::string_view key, JsonValue value);
  bool erase(std::string_view key);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Members& members() { return members_; }
  [[nodiscard]] const Members& members() const { return members_; }
  /// Takes members in any order. False: a key stands twice; nothing is changed then.
  bool assign(Members members);

 private:
  Members members_;
};

/// A value; an object or array owns its children. Copies are deep.
class JsonValue {
 public:
  using Variant = std::variant<std::nullptr_t, bool, JsonNumber, std::string, JsonArray, JsonObject>;

  JsonValue();
  JsonValue(bool value);
  JsonValue(std::string value);
  JsonValue(std::string_view value);
  JsonValue(const char* value);
  JsonValue(JsonNumber value);
  JsonValue(std::int64_t value);
  JsonValue(std::uint64_t value);
  JsonValue(int value);
  JsonValue(double value);  ///< Not finite: null.
  JsonValue(JsonArray value);
  JsonValue(JsonObject value);
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const JsonNumber* number() const { return std::get_if<JsonNumber>(&value_); }
  [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const JsonArray* array() const { return std::get_if<JsonArray>(&value_); }
  [[nodiscard]] const JsonObject* object() const { return std::get_if<JsonObject>(&value_); }
  [[nodiscard]] JsonArray* array() { return std::get_if<JsonArray>(&value_); }
  [[nodiscard]] JsonObject* object() { return std::get_if<JsonObject>(&value_); }

  /// A member of an object; nullptr: no object, or no such member.
  [[nodiscard]] const JsonValue* find(std::string_view key) const;
  /// The text of a string member, else empty.
  [[nodiscard]] std::string_view text_of(std::string_view key) const;
  /// The value of an integer member within int64.
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view key) const;

  /// Minified JSON.
  [[nodiscard]] std::string to_string() const;
  void append_to(std::string& out) const;

  friend bool operator==(const JsonValue& a, const JsonValue& b);

 private:
  Variant value_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
  friend bool operator==(const JsonMember&, const JsonMember&) = default;
};

struct JsonLimits {
  std::size_t bytes_max = 1 << 20;
  std::size_t depth_max = 32;  ///< Objects and arrays inside each other.
};

/// Reads one JSON text (RFC 8259, strict UTF-8, nothing behind it but white space). Errors: limit_exceeded "json.size"
/// or "json.depth"; malformed "json" with the offset of the byte, or "json.duplicate" when a key stands twice in an
/// object.
Result<JsonValue> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Sentence for people about such an error: "It is not valid JSON at byte 17."
std::string explain_json(const Error& error);

}  // namespace picket::hub
