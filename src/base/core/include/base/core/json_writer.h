// Minified JSON output without a tree: for devices, where no JSON library fits, and for hot paths.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/time.h"

namespace picket {

/// Appends `text` as a JSON string with quotes. Bytes that are not valid UTF-8 become U+FFFD, so that the output is
/// always valid JSON (RFC 8259); control characters are escaped.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON value into a string it owns; commas are placed by the writer. The caller keeps begin and end paired
/// (a CHECK guards it) and gives a key to each member of an object.
///   JsonWriter json; json.begin_object().key("a").value(1).end_object(); json.take() == R"({"a":1})"
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(unsigned number) { return value(static_cast<std::uint64_t>(number)); }
  JsonWriter& value(double number);  ///< Not finite: null.
  JsonWriter& value(bool boolean);
  JsonWriter& value(Timestamp time);  ///< RFC 3339 text.
  JsonWriter& null();
  /// `json` is one complete JSON value, written as it stands.
  JsonWriter& raw(std::string_view json);

  [[nodiscard]] const std::string& text() const { return out_; }
  [[nodiscard]] std::string take();

 private:
  void comma();
  std::string out_;
  int depth_ = 0;
  bool need_comma_ = false;
};

}  // namespace picket
