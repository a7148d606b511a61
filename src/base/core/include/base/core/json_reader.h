// JSON from outside, read without a tree: one check of the whole text, then views into it. For devices, where no JSON
// library fits; nothing is allocated but unescaped texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace picket {

/// One value of a text that parse_json() has accepted. The text outlives it. A copy is two words.
class Json {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };

  [[nodiscard]] Kind kind() const;
  /// The bytes of the value as they stand, without surrounding white space.
  [[nodiscard]] std::string_view raw() const { return raw_; }

  /// nullopt: the value is of another kind.
  [[nodiscard]] std::optional<bool> boolean() const;
  /// Also nullopt for a number with a fraction or exponent, or beyond 64 bits.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// Unescaped; a surrogate without its partner becomes U+FFFD.
  [[nodiscard]] std::optional<std::string> text() const;

  /// The member of an object; the last one where several have the name. nullopt: none, or no object.
  [[nodiscard]] std::optional<Json> find(std::string_view name) const;

  /// Calls `each(std::string_view name, Json value)` for the members of an object, `each(Json value)` for the items of
  /// an array, in their order. Nothing for other kinds.
  template <class Each>
  void for_members(Each&& each) const {
    Walk walk(raw_, '{');
    while (walk.next()) {
      const std::string name = Json(walk.take()).text().value_or(std::string());
      walk.skip(':');
      each(std::string_view(name), Json(walk.take()));
    }
  }
  template <class Each>
  void for_items(Each&& each) const {
    Walk walk(raw_, '[');
    while (walk.next()) each(Json(walk.take()));
  }

 private:
  friend Result<Json> parse_json(std::string_view text, std::size_t depth_max);
  explicit Json(std::string_view raw) : raw_(raw) {}

  /// Steps through the children of a container in text that has been checked.
  class Walk {
   public:
    Walk(std::string_view container, char open);
    bool next();               ///< Stands on a child; false at the end.
    std::string_view take();   ///< The value here; behind it afterwards.
    void skip(char expected);  ///< White space and this character.

   private:
    std::string_view rest_;
  };

  std::string_view raw_;
};

/// Checks that `text` is one JSON value (RFC 8259) in UTF-8, nested at most `depth_max` deep, and returns it. Errors:
/// truncated, malformed, limit_exceeded (depth); the offset is that of the first byte that is wrong.
Result<Json> parse_json(std::string_view text, std::size_t depth_max = 16);

}  // namespace picket
