// Sizes and what may stand in a section.
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "hub/twin_document.h"

namespace picket::hub {
namespace {

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x20 || byte == 0x7F;
}

// C1 control characters, U+0080 to U+009F, are C2 80 to C2 9F in UTF-8.
bool is_c1(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) != 0xC2 || at + 1 >= text.size()) return false;
  const auto next = static_cast<unsigned char>(text[at + 1]);
  return next >= 0x80 && next <= 0x9F;
}

std::size_t text_size(std::string_view text) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_c1(text, i)) {
      ++i;
    } else if (!is_control(text, i)) {
      ++size;
    }
  }
  return size;
}

// Path of the value being checked, kept as one string that grows and shrinks.
class Path {
 public:
  explicit Path(std::string_view root) : text_(root) {}
  std::size_t enter(std::string_view key) {
    const std::size_t before = text_.size();
    text_.append(".").append(key.substr(0, 64));
    return before;
  }
  void leave(std::size_t before) { text_.resize(before); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::unexpected<HubError> refuse(const Path& path, std::string_view why) {
  return hub_fail(kArgumentInvalid, fmt::format("{}: {}", path.text(), why));
}

HubResult<> check_key(std::string_view key, const Path& path) {
  if (key.empty()) return refuse(path, "a key is empty.");
  if (key.size() > kTwinKeyBytesMax) return refuse(path, "a key is longer than 1024 bytes.");
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '.' || key[i] == '$' || key[i] == ' ' || is_control(key, i) || is_c1(key, i)) {
      return refuse(
          path, fmt::format("the key '{}' contains a character that is not allowed (., $, space, control characters).",
                            key.substr(0, 64)));
    }
  }
  return {};
}

HubResult<> check_number(const JsonNumber& number, const Path& path) {
  if (!number.is_integer()) {
    if (!std::isfinite(number.value())) return refuse(path, "the number is out of range.");
    return {};
  }
  std::int64_t value = 0;
  const char* const end = number.text.data() + number.text.size();
  const auto [at, error] = std::from_chars(number.text.data(), end, value);
  if (error != std::errc() || at != end || value < kTwinIntegerMin || value > kTwinIntegerMax) {
    return refuse(path, "the integer is outside -4503599627370496 to 4503599627370495.");
  }
  return {};
}

HubResult<> check_value(const JsonValue& value, Path& path, int depth);

HubResult<> check_members(const JsonObject& object, Path& path, int depth) {
  if (depth > kTwinDepthMax) return refuse(path, "objects are nested deeper than 10 levels.");
  for (const JsonMember& member : object.members()) {
    if (auto checked = check_key(member.key, path); !checked) return checked;
    const std::size_t before = path.enter(member.key);
    if (auto checked = check_value(member.value, path, depth); !checked) return checked;
    path.leave(before);
  }
  return {};
}

HubResult<> check_value(const JsonValue& value, Path& path, int depth) {
  if (const auto* number = value.number()) return check_number(*number, path);
  if (const auto* text = value.string()) {
    if (text->size() > kTwinStringBytesMax) return refuse(path, "the text is longer than 4096 bytes.");
    return {};
  }
  if (const auto* object = value.object()) return check_members(*object, path, depth + 1);
  if (const auto* items = value.array()) {
    if (depth + 1 > kTwinDepthMax) return refuse(path, "arrays are nested deeper than 10 levels.");
    for (const JsonValue& item : *items) {
      if (auto checked = check_value(item, path, depth + 1); !checked) return checked;
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(TwinSection section) {
  switch (section) {
    case TwinSection::tags:
      return "tags";
    case TwinSection::desired:
      return "desired";
    case TwinSection::reported:
      return "reported";
  }
  return "";
}

std::size_t twin_size(const JsonObject& section) {
  std::size_t size = 0;
  for (const JsonMember& member : section.members()) size += text_size(member.key) + twin_size(member.value);
  return size;
}

std::size_t twin_size(const JsonValue& value) {
  if (value.number() != nullptr) return 8;
  if (const auto* text = value.string()) return text_size(*text);
  if (const auto* object = value.object()) return twin_size(*object);
  if (const auto* items = value.array()) {
    std::size_t size = 0;
    for (const JsonValue& item : *items) size += twin_size(item);
    return size;
  }
  return 4;
}

HubResult<> check_twin_section(const JsonObject& section, TwinSection where) {
  Path path(to_string(where));
  return check_members(section, path, 0);
}

}  // namespace picket::hub
