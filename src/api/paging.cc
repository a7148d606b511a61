#include "paging.h"

#include <algorithm>
#include <charconv>

#include "base/core/encoding.h"
#include "base/core/hash.h"
#include "json_body.h"

namespace picket::api {
namespace {

constexpr std::size_t kLimitDefault = 100;
constexpr std::size_t kLimitMax = 500;
constexpr std::size_t kCursorBytesMax = 512;

// What a cursor is bound to: every parameter that decides what the list holds and how it is sorted.
std::string filter_hash(const Call& call) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [name, value] : call.query) {
    if (name != "cursor" && name != "limit" && !value.empty()) members.emplace_back(name, value);
  }
  std::ranges::sort(members);
  std::uint64_t hash = fnv1a64(as_bytes(call.request.path));
  for (const auto& [name, value] : members) hash = fnv1a64(as_bytes(name + "\n" + value + "\n"), hash);
  return to_hex(std::as_bytes(std::span(&hash, 1))).substr(0, 8);
}

bool contains(std::initializer_list<std::string_view> allowed, std::string_view value) {
  return std::ranges::find(allowed, value) != allowed.end();
}

std::string list_of(std::initializer_list<std::string_view> allowed) {
  std::string out;
  for (const std::string_view value : allowed) out.append(out.empty() ? "" : ", ").append(value);
  return out;
}

}  // namespace

std::expected<std::size_t, ApiError> page_limit(const Call& call) {
  const auto text = call.parameter("limit");
  if (!text) return kLimitDefault;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc{} || end != text->data() + text->size() || limit < 1 || limit > kLimitMax) {
    return std::unexpected(invalid("limit", "This must be a whole number from 1 to 500."));
  }
  return limit;
}

std::string seal_cursor(const Call& call, std::string_view inner) {
  return filter_hash(call) + to_hex(as_bytes(inner));
}

std::expected<std::string, ApiError> open_cursor(const Call& call) {
  const auto text = call.parameter("cursor");
  if (!text) return std::string{};
  const std::string hash = filter_hash(call);
  const auto inner = text->size() <= kCursorBytesMax && text->starts_with(hash)
                         ? from_hex(std::string_view(*text).substr(hash.size()))
                         : Result<Buffer>(fail(Errc::malformed, "api.cursor"));
  if (!inner || inner->empty())
    return std::unexpected(invalid("cursor", "This is not a cursor of this list with these filters."));
  return std::string(as_text(*inner));
}

std::expected<std::optional<std::string>, ApiError> one_of(const Call& call, std::string_view name,
                                                           std::initializer_list<std::string_view> allowed) {
  auto value = call.parameter(name);
  if (value && !contains(allowed, *value))
    return std::unexpected(invalid(name, "This must be one of: " + list_of(allowed) + "."));
  return value;
}

std::expected<std::vector<std::string>, ApiError> some_of(const Call& call, std::string_view name,
                                                          std::initializer_list<std::string_view> allowed) {
  std::vector<std::string> out;
  const auto text = call.parameter(name);
  std::string_view rest = text ? std::string_view(*text) : std::string_view{};
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!contains(allowed, value))
      return std::unexpected(invalid(name, "These must be some of: " + list_of(allowed) + "."));
    out.emplace_back(value);
  }
  return out;
}

std::expected<std::optional<Timestamp>, ApiError> time_parameter(const Call& call, std::string_view name) {
  const auto text = call.parameter(name);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) return std::unexpected(invalid(name, "This must be a time such as 2026-11-21T21:56:29Z."));
  return *time;
}

std::expected<std::string, ApiError> text_parameter(const Call& call, std::string_view name, std::size_t bytes_max) {
  auto text = call.parameter(name).value_or("");
  if (text.size() > bytes_max)
    return std::unexpected(invalid(name, "This is longer than " + std::to_string(bytes_max) + " bytes."));
  return text;
}

}  // namespace picket::api
