// What the API answers, and how errors look.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "kql/diagnostic.h"

namespace picket::api {

using http::equal_ignoring_case;
using http::Header;
using http::parse_query;
using http::Request;

/// Value of a cookie, or "".
std::string_view cookie(const Request& request, std::string_view name);

/// A place in a query text, in UTF-16 code units; line and column count from 1.
struct TextSpan {
  std::size_t start = 0;
  std::size_t length = 0;
  std::size_t line = 1;
  std::size_t column = 1;
};

/// What went wrong. `code` is one of schema/errors.json; an empty message means the text of that table.
struct ApiError {
  std::string code;
  std::string message{};
  std::string target{};
  std::optional<TextSpan> span{};
  int retry_after_s = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  /// Set for live updates: the connection turns into a stream that resumes after this id.
  std::optional<std::string> live_from;

  static Response json(std::string body, int status = 200);
  static Response empty() { return {.status = 204}; }
  static Response error(const ApiError& error);
};

/// Header lines that every response of this listener has, each with its CR LF.
std::string_view security_headers();

}  // namespace picket::api
