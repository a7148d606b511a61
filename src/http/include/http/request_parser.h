// HTTP/1.1 requests from bytes. Boost.Beast reads them, behind this face and in one translation unit only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace picket::http {

/// Why bytes are not a request that this server takes. Each has one HTTP status.
enum class ParseError : std::uint8_t { bad_request, header_too_large, body_too_large, address_too_long, http_version };
int status_of(ParseError error);

inline constexpr std::size_t kHeaderBytesMax = 16U << 10;
inline constexpr std::size_t kTargetBytesMax = 8192;
inline constexpr std::size_t kBodyBytesMax = 1U << 20;  ///< Of a body in memory, unless a handler says otherwise.

/// Reads one request; make a new one for the next. Where a request ends must not be a matter of opinion between this
/// server and a proxy before it: one plain Content-Length, or "chunked" in HTTP/1.1, and no other coding (RFC 9112,
/// section 6.3).
class RequestParser {
 public:
  explicit RequestParser(std::size_t header_bytes_max);
  ~RequestParser();

  enum class Status : std::uint8_t { need_more, head, complete, broken };
  /// Eats what it can of `input` and removes that from it; what is left belongs to the next call, or, once complete, to
  /// the next request. `head`, once: head() is there and nothing of the body was read. After broken, error() says why
  /// and the connection must end.
  Status feed(std::string& input);
  /// The request without its body; from `head` on. May be moved from.
  [[nodiscard]] Request& head() { return head_; }
  /// The client waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool expects_continue() const;
  /// Body bytes that were announced; 0 when chunked.
  [[nodiscard]] std::uint64_t announced_bytes() const;
  /// More is broken: body_too_large. Set it at `head`; kBodyBytesMax otherwise.
  void limit_body(std::uint64_t bytes_max) { body_bytes_max_ = bytes_max; }
  /// What has come of the body since the last call.
  std::string take_body();
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  [[nodiscard]] ParseError error() const { return error_; }

 private:
  struct Beast;
  Status broken(ParseError error);
  Status finish_head();
  std::unique_ptr<Beast> beast_;
  Request head_;
  std::size_t unread_max_;
  std::uint64_t body_bytes_max_ = kBodyBytesMax;
  std::uint64_t body_bytes_ = 0;
  ParseError error_ = ParseError::bad_request;
  bool head_told_ = false;
};

}  // namespace picket::http
