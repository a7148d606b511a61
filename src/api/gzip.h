// Compressed answers, for callers that take them.
#pragma once

#include <string>
#include <string_view>

#include "http.h"

namespace picket::api {

enum class Compression { fast = 1, small = 6 };

/// "gzip" or "*" among the codings, not refused by q=0.
bool accepts_gzip(const Request& request);

/// Empty when zlib has no memory.
std::string gzip(std::string_view content, Compression compression);

/// The response with its body compressed, where `request` takes that. Some clients of Kusto rely on it.
Response compressed(Response response, const Request& request);

}  // namespace picket::api
