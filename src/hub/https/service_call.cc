#include "service_call.h"

#include <charconv>

namespace picket::hub {

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

bool has_if_match(const Call& call) { return !call.request->header("if-match").empty(); }

std::string if_match(const Call& call) {
  std::string_view text = call.request->header("if-match");
  if (text.starts_with("W/")) text.remove_prefix(2);
  return unquoted(text);
}

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

HubResult<std::size_t> item_count_max(const Call& call) {
  const std::string_view text = call.request->header("x-ms-max-item-count");
  if (text.empty()) return 0;
  const auto count = number_of(text);
  if (!count || *count == 0) return hub_fail(codes::kArgumentInvalid, "x-ms-max-item-count must be a number above 0.");
  return *count;
}

http::Response page_reply(std::string items, const std::string& continuation, std::string_view item_type) {
  http::Response response = json_reply(std::move(items));
  response.headers.emplace_back("x-ms-item-type", item_type);
  if (!continuation.empty()) response.headers.emplace_back("x-ms-continuation", continuation);
  return response;
}

http::Response json_answer(HubResult<std::string> json) {
  return json ? json_reply(*std::move(json)) : error_reply(json.error());
}

}  // namespace picket::hub
