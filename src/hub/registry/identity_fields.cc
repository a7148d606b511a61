#include "identity_fields.h"

#include <algorithm>

#include <fmt/format.h>

namespace picket::hub {
namespace {

constexpr std::size_t kBodyBytesMax = 1 << 20;
constexpr std::size_t kDepthMax = 16;

}  // namespace

std::unexpected<HubError> invalid(std::string_view member, std::string_view expected) {
  return hub_fail(kArgumentInvalid, fmt::format("{} must be {}.", member, expected));
}

HubResult<boost::json::value> parse_value(std::string_view text) {
  if (text.size() > kBodyBytesMax) return hub_fail(kTooLarge, "The body is larger than 1 MiB.");
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code failed;
  auto parsed = boost::json::parse(text, failed, {}, options);
  if (failed) return hub_fail(kArgumentInvalid, "The body is not valid JSON.");
  return parsed;
}

HubResult<boost::json::object> parse_object(std::string_view text) {
  HUB_TRY(auto parsed, parse_value(text));
  if (!parsed.is_object()) return invalid("The body", "a JSON object");
  return std::move(parsed.get_object());
}

HubResult<std::optional<std::string>> text_member(const boost::json::object& in, std::string_view name,
                                                  std::size_t bytes_max) {
  const auto* value = in.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string() || value->get_string().size() > bytes_max || !is_line(value->get_string()))
    return invalid(name, fmt::format("a text of one line, at most {} bytes", bytes_max));
  return std::string(value->get_string());
}

HubResult<const boost::json::object*> object_member(const boost::json::object& in, std::string_view name) {
  const auto* value = in.if_contains(name);
  if (value == nullptr || value->is_null()) return nullptr;
  if (!value->is_object()) return invalid(name, "an object");
  return &value->get_object();
}

bool is_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace picket::hub
