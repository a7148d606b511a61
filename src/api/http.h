// Requests and responses as values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kql/diagnostic.h"

namespace picket::api {

using Header = std::pair<std::string, std::string>;

/// A request whose syntax is good. Names of headers are compared without regard to case.
struct Request {
  std::string method;
  std::string path;   ///< Still percent-encoded, begins with '/', without query.
  std::string query;  ///< Behind '?', still percent-encoded.
  std::vector<Header> headers;
  std::string body;
  std::string address;  ///< Of the peer.
  bool keep_alive = true;

  /// The first header of that name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// How often a header is there.
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);
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

/// Standard reason phrase.
std::string_view reason_of(int status);
/// Status line, headers (those every response has included), and the body unless `head_only`.
std::string serialize(const Response& response, bool keep_alive, bool head_only);

/// Decoded members of a query string in order; `+` is a space. nullopt: bad percent-encoding, or text that is not
/// UTF-8.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace picket::api
