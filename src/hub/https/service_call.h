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
http::Response json_answer(HubResult<std::string> json);

}  // namespace picket::hub
