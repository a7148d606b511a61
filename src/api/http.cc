#include "http.h"

#include <algorithm>

#include "api/errors.h"
#include "base/core/json_writer.h"

namespace picket::api {
namespace {

// On every response. Scripts come from here only; styles may be inline since the portal's components make them at run
// time. Nobody may frame it, and nothing is sniffed.
constexpr std::string_view kSecurityHeaders =
    "Strict-Transport-Security: max-age=31536000\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n";

}  // namespace

std::string_view security_headers() { return kSecurityHeaders; }

std::string_view cookie(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (!equal_ignoring_case(key, "cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
    }
  }
  return {};
}

Response Response::json(std::string body, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

Response Response::error(const ApiError& error) {
  const ErrorInfo* known = find_error(error.code);
  if (known == nullptr) known = find_error("internal");
  JsonWriter out;
  out.begin_object().key("error").begin_object().key("code").value(known->code);
  out.key("message").value(error.message.empty() ? known->text : std::string_view(error.message));
  if (!error.target.empty()) out.key("target").value(error.target);
  if (error.span) {
    out.key("span").begin_object().key("start").value(std::uint64_t{error.span->start});
    out.key("length").value(std::uint64_t{error.span->length}).key("line").value(std::uint64_t{error.span->line});
    out.key("column").value(std::uint64_t{error.span->column}).end_object();
  }
  out.end_object().end_object();
  Response response = json(out.take(), known->status);
  if (error.retry_after_s > 0) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  if (known->status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"picket\"");
  return response;
}

}  // namespace picket::api
