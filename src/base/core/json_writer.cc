#include "base/core/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/core/check.h"
#include "base/core/encoding.h"

namespace picket {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

// The longest valid UTF-8 prefix of at most four bytes at `at`; 0 if none.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  for (std::size_t length = 1; length <= 4 && length <= text.size() - at; ++length) {
    if (is_utf8(text.substr(at, length))) return length;
  }
  return 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F) {
      append_escaped(out, text[at++]);
    } else if (byte < 0x80) {
      out.push_back(text[at++]);
    } else if (const std::size_t length = sequence_at(text, at); length > 0) {
      out.append(text.substr(at, length));
      at += length;
    } else {
      out += kReplacement;
      ++at;
    }
  }
  out.push_back('"');
}

void JsonWriter::comma() {
  if (need_comma_) out_.push_back(',');
  need_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  comma();
  out_.push_back('{');
  ++depth_;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  CHECK(depth_ > 0, "end_object has its begin_object");
  out_.push_back('}');
  --depth_;
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  comma();
  out_.push_back('[');
  ++depth_;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  CHECK(depth_ > 0, "end_array has its begin_array");
  out_.push_back(']');
  --depth_;
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  comma();
  append_json_string(out_, name);
  out_.push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  comma();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(bool boolean) {
  comma();
  out_ += boolean ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(Timestamp time) { return value(std::string_view(format_rfc3339(time))); }

JsonWriter& JsonWriter::null() {
  comma();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

std::string JsonWriter::take() {
  CHECK(depth_ == 0, "every object and array was ended");
  need_comma_ = false;
  return std::move(out_);
}

}  // namespace picket
