#include "http_head.h"

#include <algorithm>
#include <charconv>

namespace picket::agent {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kVersion = "HTTP/1.";

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view HttpHead::field(std::string_view name) const {
  std::string_view rest = fields;
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) {
      return trim(line.substr(colon + 1));
    }
  }
  return {};
}

Result<std::optional<HttpHead>> parse_http_head(std::string_view received) {
  const std::string_view start = received.substr(0, kVersion.size());
  if (start != kVersion.substr(0, start.size())) return fail(Errc::malformed, "http.version");
  const auto end = received.substr(0, kHttpHeadBytesMax).find(kEnd);
  if (end == std::string_view::npos) {
    if (received.size() >= kHttpHeadBytesMax) return fail(Errc::limit_exceeded, "http.head", kHttpHeadBytesMax);
    return std::nullopt;
  }
  HttpHead out{.bytes = end + kEnd.size()};
  const std::string_view head = received.substr(0, end);
  const std::string_view line = head.substr(0, head.find("\r\n"));
  out.fields = head.substr(std::min(head.size(), line.size() + 2));
  // "HTTP/1.x SSS reason"; the reason may be missing (RFC 9112, section 4).
  constexpr std::size_t kStatusAt = kVersion.size() + 2, kStatusEnd = kStatusAt + 3;
  if (line.size() < kStatusEnd || line[kStatusAt - 1] != ' ') return fail(Errc::malformed, "http.status_line");
  const auto [stop, error] = std::from_chars(line.data() + kStatusAt, line.data() + kStatusEnd, out.status);
  if (error != std::errc() || stop != line.data() + kStatusEnd || out.status < 100) {
    return fail(Errc::malformed, "http.status", kStatusAt);
  }
  if (line.size() > kStatusEnd && line[kStatusEnd] != ' ') return fail(Errc::malformed, "http.status_line", kStatusEnd);
  out.reason = trim(line.substr(kStatusEnd));
  return out;
}

}  // namespace picket::agent
