#include "request_parser.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace picket::api {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t kTargetBytesMax = 8192;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string_view code_of(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return "header_too_large";
  if (error == http::error::body_limit) return "too_large";
  if (error == http::error::bad_version) return "http_version";
  return "bad_request";
}

// Where a request ends must not be a matter of opinion between this server and a proxy before it: one plain
// Content-Length, or "chunked" in HTTP/1.1, and no other coding.
bool has_plain_framing(const Request& request, unsigned version) {
  const std::size_t codings = request.count("transfer-encoding");
  if (codings > 0 &&
      (codings > 1 || version != 11 || !equal_ignoring_case(request.header("transfer-encoding"), "chunked"))) {
    return false;
  }
  return request.count("content-length") <= 1 && !request.header("content-length").contains(',');
}

// Visible ASCII only: a target is percent-encoded.
bool is_target(std::string_view target) {
  if (!target.starts_with('/')) return false;
  for (const char c : target) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

}  // namespace

struct RequestParser::Beast {
  http::request_parser<http::string_body> parser;
};

RequestParser::RequestParser(const ParserLimits& limits)
    : beast_(std::make_unique<Beast>()), unread_max_(2 * limits.header_bytes_max) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  beast_->parser.body_limit(limits.body_bytes_max);
  beast_->parser.eager(true);
}

RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::feed(std::string& input) {
  std::size_t eaten = 0;
  boost::beast::error_code error;
  while (eaten < input.size() && !beast_->parser.is_done()) {
    const std::size_t used = beast_->parser.put(boost::asio::buffer(input.data() + eaten, input.size() - eaten), error);
    eaten += used;
    if (error == http::error::need_more) {
      error = {};
      if (used == 0) break;
    }
    if (error) break;
  }
  input.erase(0, eaten);
  if (error) {
    error_ = {.code = std::string(code_of(error))};
    return Status::broken;
  }
  // Beast bounds header and body, but not the extensions of a chunk nor the trailers: it asks for more until they end.
  if (!beast_->parser.is_done() && input.size() > unread_max_) {
    error_ = {.code = "header_too_large"};
    return Status::broken;
  }
  return beast_->parser.is_done() ? Status::complete : Status::need_more;
}

bool RequestParser::header_done() const { return beast_->parser.is_header_done(); }

bool RequestParser::take_expects_continue() {
  if (continue_told_ || !header_done()) return false;
  continue_told_ = true;
  return equal_ignoring_case(view(beast_->parser.get()[http::field::expect]), "100-continue");
}

RequestParser::Status RequestParser::take(Request& out) {
  auto message = beast_->parser.release();
  const auto broken = [this](std::string_view code) {
    error_ = {.code = std::string(code)};
    return Status::broken;
  };
  if (message.version() != 11 && message.version() != 10) return broken("http_version");
  const std::string_view target = view(message.target());
  if (target.size() > kTargetBytesMax) return broken("address_too_long");
  if (!is_target(target)) return broken("bad_request");
  out.method = view(message.method_string());
  const std::size_t question = std::min(target.find('?'), target.size());
  out.path = target.substr(0, question);
  out.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message) out.headers.emplace_back(view(field.name_string()), view(field.value()));
  if (message.version() == 11 && out.count("host") != 1) return broken("bad_request");
  if (!has_plain_framing(out, message.version()) || out.count("authorization") > 1) return broken("bad_request");
  out.keep_alive = message.keep_alive();
  out.body = std::move(message.body());
  return Status::complete;
}

}  // namespace picket::api
