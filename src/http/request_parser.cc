#include "http/request_parser.h"

#include <algorithm>
#include <array>

#include <boost/beast/http/parser.hpp>

namespace picket::http {

namespace beast = boost::beast;

namespace {

constexpr std::array kStatuses = {400, 431, 413, 414, 505};  // index: ParseError

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// A body that grows with the bytes received, never with the length announced; Beast's own reserves.
struct GrowingBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(beast::http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, beast::error_code& error) { error = {}; }
    template <class ConstBufferSequence>
    std::size_t put(const ConstBufferSequence& buffers, beast::error_code& error) {
      std::size_t size = 0;
      const auto end = boost::asio::buffer_sequence_end(buffers);
      for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
        const boost::asio::const_buffer part = *at;
        body_.append(static_cast<const char*>(part.data()), part.size());
        size += part.size();
      }
      error = {};
      return size;
    }
    void finish(beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

bool has_plain_framing(const Request& request, unsigned version) {
  const std::size_t codings = request.count("transfer-encoding");
  if (codings > 0 &&
      (codings > 1 || version != 11 || !equal_ignoring_case(request.header("transfer-encoding"), "chunked"))) {
    return false;
  }
  if (codings > 0 && request.count("content-length") > 0) return false;
  return request.count("content-length") <= 1 && !request.header("content-length").contains(',');
}

/// RFC 9112, 3.2.2: a server also takes the absolute form. The Java SDK opens its WebSocket so ("GET https://hub/path").
std::string_view origin_form(std::string_view target) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t path = target.find('/', scheme.size());
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return target;
}

// Visible ASCII only: a target is percent-encoded.
bool is_target(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f; });
}

/// A folded line becomes part of the value before it: in a host name nobody means that.
bool is_host(std::string_view host) {
  return std::ranges::all_of(host, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != ','; });
}

}  // namespace

int status_of(ParseError error) { return kStatuses.at(static_cast<std::size_t>(error)); }

struct RequestParser::Beast {
  beast::http::request_parser<GrowingBody> parser;
};

RequestParser::RequestParser(std::size_t header_bytes_max)
    : beast_(std::make_unique<Beast>()), unread_max_(2 * header_bytes_max) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(header_bytes_max));
  beast_->parser.body_limit(boost::none);  // limit_body() is checked here, once the head says what it is for
  beast_->parser.eager(false);
}

RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::broken(ParseError error) {
  error_ = error;
  return Status::broken;
}

RequestParser::Status RequestParser::feed(std::string& input) {
  auto& parser = beast_->parser;
  std::size_t eaten = 0;
  beast::error_code error;
  while (!parser.is_done() && !(parser.is_header_done() && !head_told_) && eaten < input.size()) {
    const std::size_t used = parser.put(boost::asio::buffer(input.data() + eaten, input.size() - eaten), error);
    eaten += used;
    if (error == beast::http::error::need_more) {
      error = {};
      if (used == 0) break;
    }
    if (error) break;
  }
  input.erase(0, eaten);
  if (error == beast::http::error::header_limit) return broken(ParseError::header_too_large);
  if (error == beast::http::error::bad_version) return broken(ParseError::http_version);
  if (error) return broken(ParseError::bad_request);
  if (parser.is_header_done() && !head_told_) {
    head_told_ = true;
    parser.eager(true);
    return finish_head();
  }
  if (body_bytes_ + parser.get().body().size() > body_bytes_max_) return broken(ParseError::body_too_large);
  // Beast bounds the header, but not the extensions of a chunk nor the trailers: it asks for more until they end.
  if (!parser.is_done() && input.size() > unread_max_) return broken(ParseError::header_too_large);
  return parser.is_done() ? Status::complete : Status::need_more;
}

RequestParser::Status RequestParser::finish_head() {
  const auto& message = beast_->parser.get();
  if (message.version() != 11 && message.version() != 10) return broken(ParseError::http_version);
  const std::string_view target = origin_form(view(message.target()));
  if (target.size() > kTargetBytesMax) return broken(ParseError::address_too_long);
  if (!is_target(target)) return broken(ParseError::bad_request);
  head_.method = view(message.method_string());
  const std::size_t question = std::min(target.find('?'), target.size());
  head_.path = target.substr(0, question);
  head_.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message) head_.headers.emplace_back(view(field.name_string()), view(field.value()));
  if (message.version() == 11 && head_.count("host") != 1) return broken(ParseError::bad_request);
  if (!is_host(head_.header("host"))) return broken(ParseError::bad_request);
  if (!has_plain_framing(head_, message.version()) || head_.count("authorization") > 1)
    return broken(ParseError::bad_request);
  head_.keep_alive = message.keep_alive();
  return Status::head;
}

bool RequestParser::expects_continue() const {
  return equal_ignoring_case(view(beast_->parser.get()[beast::http::field::expect]), "100-continue");
}

std::uint64_t RequestParser::announced_bytes() const { return beast_->parser.content_length().value_or(0); }

std::string RequestParser::take_body() {
  std::string out = std::exchange(beast_->parser.get().body(), {});
  body_bytes_ += out.size();
  return out;
}

}  // namespace picket::http
