#include "json_body.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace picket::api {

namespace json = boost::json;

struct JsonBody::Object {
  json::object members;
};

ApiError invalid(std::string_view target, std::string message) {
  return {.code = "invalid_argument", .message = std::move(message), .target = std::string(target)};
}

JsonBody::JsonBody(std::unique_ptr<Object> object) : object_(std::move(object)) {}
JsonBody::~JsonBody() = default;
JsonBody::JsonBody(JsonBody&&) noexcept = default;

std::expected<JsonBody, ApiError> JsonBody::parse(const Request& request,
                                                  std::initializer_list<std::string_view> known) {
  // A page of another site can send text/plain without asking; it cannot send this.
  std::string_view type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (!equal_ignoring_case(type, "application/json"))
    return std::unexpected(ApiError{.code = "unsupported_media_type"});
  boost::system::error_code error;
  const json::parse_options options{.max_depth = 16};
  json::value value = json::parse({request.body.data(), request.body.size()}, error, {}, options);
  if (error) return std::unexpected(ApiError{.code = "invalid_json"});
  if (!value.is_object()) return std::unexpected(invalid("", "The body must be a JSON object."));
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known, name) == known.end()) return std::unexpected(invalid(name, "There is no such field."));
  }
  auto object = std::make_unique<Object>();
  object->members = std::move(value.get_object());
  return JsonBody(std::move(object));
}

std::expected<std::optional<std::string>, ApiError> JsonBody::text(std::string_view field,
                                                                   std::size_t bytes_max) const {
  const json::value* value = object_->members.if_contains({field.data(), field.size()});
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return std::unexpected(invalid(field, "This must be text."));
  if (value->get_string().size() > bytes_max) {
    return std::unexpected(invalid(field, "This is longer than " + std::to_string(bytes_max) + " bytes."));
  }
  return std::string(value->get_string());
}

std::expected<std::optional<std::string>, ApiError> JsonBody::json(std::string_view field,
                                                                   std::size_t bytes_max) const {
  const json::value* value = object_->members.if_contains({field.data(), field.size()});
  if (value == nullptr) return std::nullopt;
  std::string text = boost::json::serialize(*value);
  if (text.size() > bytes_max) {
    return std::unexpected(invalid(field, "This is longer than " + std::to_string(bytes_max) + " bytes."));
  }
  return text;
}

std::expected<std::string, ApiError> JsonBody::required_text(std::string_view field, std::size_t bytes_max) const {
  auto value = text(field, bytes_max);
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::unexpected(invalid(field, "This is required."));
  return **std::move(value);
}

std::expected<std::optional<std::int64_t>, ApiError> JsonBody::number(std::string_view field, std::int64_t min,
                                                                      std::int64_t max) const {
  const json::value* value = object_->members.if_contains({field.data(), field.size()});
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64() || value->get_int64() < min || value->get_int64() > max) {
    return std::unexpected(
        invalid(field, "This must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) + "."));
  }
  return value->get_int64();
}

}  // namespace picket::api
