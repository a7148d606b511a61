#include "service_call.h"

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

http::Response json_answer(HubResult<std::string> json) {
  return json ? json_reply(*std::move(json)) : error_reply(json.error());
}

}  // namespace picket::hub
