// What service calls have in common: etags, JSON answers.
#pragma once

#include <string>
#include <string_view>

#include "call.h"
#include "reply.h"

namespace picket::hub {

/// The header says to change only what is there.
bool has_if_match(const Call& call);
/// The etag without quotes; "*" however it is quoted: SDKs send `*`, `"*"` and `"etag"`. Empty: there is none.
std::string if_match(const Call& call);
/// A lock token or etag of a path, without quotes.
std::string unquoted(std::string_view text);
/// Digits only; nullopt otherwise.
std::optional<std::size_t> number_of(std::string_view text);
/// Header x-ms-max-item-count; 0: there is none. Error: 400004.
HubResult<std::size_t> item_count_max(const Call& call);
/// A page of a list: a JSON array, and where it goes on.
http::Response page_reply(std::string items, const std::string& continuation, std::string_view item_type);
http::Response json_answer(HubResult<std::string> json);

}  // namespace picket::hub
