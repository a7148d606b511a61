#include "batch_json.h"

#include <boost/json/parse.hpp>

#include "base/core/encoding.h"
#include "message_headers.h"

namespace picket::hub {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 4;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

/// A property may be written as text, a number or a boolean.
Result<std::string> property_text(const json::value& value) {
  if (value.is_string()) return std::string(view(value.get_string()));
  if (value.is_bool()) return std::string(value.get_bool() ? "true" : "false");
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  return fail(Errc::malformed, "hub.batch.property");
}

Result<mqtt::PropertyBag> properties(const json::object& message) {
  const json::value* found = message.if_contains("properties");
  if (found == nullptr || found->is_null()) return mqtt::PropertyBag{};
  if (!found->is_object()) return fail(Errc::malformed, "hub.batch.properties");
  std::vector<http::Header> members;
  for (const auto& member : found->get_object()) {
    TRY(auto value, property_text(member.value()));
    members.emplace_back(std::string(member.key().data(), member.key().size()), std::move(value));
  }
  return properties_of(members);
}

Result<BatchMessage> read_message(const json::value& value) {
  if (!value.is_object()) return fail(Errc::malformed, "hub.batch.message");
  const json::object& message = value.get_object();
  const json::value* body = message.if_contains("body");
  if (body == nullptr || !body->is_string()) return fail(Errc::malformed, "hub.batch.body");
  const json::value* encoded = message.if_contains("base64Encoded");
  if (encoded != nullptr && !encoded->is_bool()) return fail(Errc::malformed, "hub.batch.base64Encoded");
  BatchMessage out;
  if (encoded == nullptr || encoded->get_bool()) {
    TRY(out.body, from_base64(view(body->get_string())));
  } else {
    append(out.body, as_bytes(view(body->get_string())));
  }
  TRY(out.properties, properties(message));
  return out;
}

}  // namespace

Result<std::vector<BatchMessage>> parse_batch(std::string_view text) {
  boost::system::error_code error;
  const json::parse_options options{.max_depth = kDepthMax};
  const json::value root = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !root.is_array()) return fail(Errc::malformed, "hub.batch");
  if (root.get_array().size() > kBatchMessagesMax) return fail(Errc::limit_exceeded, "hub.batch");
  std::vector<BatchMessage> out;
  for (const json::value& value : root.get_array()) {
    TRY(auto message, read_message(value));
    out.push_back(std::move(message));
  }
  return out;
}

}  // namespace picket::hub
