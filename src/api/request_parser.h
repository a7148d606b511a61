// HTTP/1.1 requests from bytes. Boost.Beast reads them, behind this face and in one translation unit only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http.h"

namespace picket::api {

struct ParserLimits {
  std::size_t header_bytes_max = 16U << 10;
  std::size_t body_bytes_max = 1U << 20;
};

/// Reads one request; make a new one for the next.
class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();

  enum class Status { need_more, complete, broken };
  /// Eats what it can of `input` and removes that from it; what is left belongs to the next call, or, once complete, to
  /// the next request. After broken, error() says why and the connection must end.
  Status feed(std::string& input);
  [[nodiscard]] bool header_done() const;
  /// The client waits for "100 Continue" before it sends the body. True once.
  bool take_expects_continue();
  /// The request, once complete. Errors beyond HTTP syntax are found here: then broken and error().
  Status take(Request& out);
  [[nodiscard]] const ApiError& error() const { return error_; }

 private:
  struct Beast;
  std::unique_ptr<Beast> beast_;
  std::size_t unread_max_;
  ApiError error_{};
  bool continue_told_ = false;
};

}  // namespace picket::api
