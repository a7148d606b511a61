// The only place of these services where a JSON library is seen.
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "hub/json_value.h"

namespace picket::hub {
namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

// Builds the tree from the events of the parser. What is open stands in `open_`: no recursion on hostile depth.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(true); }
  bool on_object_end(std::size_t, error_code& failed) {
    Level level = close();
    JsonObject object;
    if (!object.assign(std::move(level.members))) {
      duplicate_ = true;
      failed = json::error::extra_data;
      return false;
    }
    return add(JsonValue(std::move(object)));
  }
  bool on_array_begin(error_code&) { return open(false); }
  bool on_array_end(std::size_t, error_code&) {
    Level level = close();
    return add(JsonValue(std::move(level.items)));
  }
  bool on_key_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_key(string_view part, std::size_t, error_code&) {
    append(part);
    open_.back().key = take();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_string(string_view part, std::size_t, error_code&) {
    append(part);
    return add(JsonValue(take()));
  }
  bool on_number_part(string_view part, error_code&) { return append(part); }
  bool on_int64(std::int64_t, string_view part, error_code&) { return number(part); }
  bool on_uint64(std::uint64_t, string_view part, error_code&) { return number(part); }
  bool on_double(double, string_view part, error_code&) { return number(part); }
  bool on_bool(bool value, error_code&) { return add(JsonValue(value)); }
  bool on_null(error_code&) { return add(JsonValue()); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  [[nodiscard]] bool duplicate() const { return duplicate_; }
  JsonValue& root() { return root_; }

 private:
  struct Level {
    bool object = false;
    std::string key;
    JsonObject::Members members;
    JsonArray items;
  };
  bool open(bool object) {
    open_.push_back({.object = object});
    return true;
  }
  Level close() {
    Level out = std::move(open_.back());
    open_.pop_back();
    return out;
  }
  bool append(string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  std::string take() { return std::exchange(text_, {}); }
  bool number(string_view part) {
    append(part);
    return add(JsonValue(JsonNumber{take()}));
  }
  bool add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = open_.back(); level.object) {
      level.members.push_back({std::move(level.key), std::move(value)});
    } else {
      level.items.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Level> open_;
  std::string text_;
  JsonValue root_;
  bool duplicate_ = false;
};

}  // namespace

Result<JsonValue> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) return fail(Errc::limit_exceeded, "json.size", limits.bytes_max);
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<TreeBuilder> parser(options);
  error_code failed;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), failed);
  if (parser.handler().duplicate()) return fail(Errc::malformed, "json.duplicate", read);
  if (failed == json::error::too_deep) return fail(Errc::limit_exceeded, "json.depth", limits.depth_max);
  if (failed || read != text.size()) return fail(Errc::malformed, "json", read);
  return std::move(parser.handler().root());
}

}  // namespace picket::hub
