#include "blob_request.h"

#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"

namespace picket::hub {
namespace {

constexpr std::string_view kVersion = "2021-08-06";  // clients want a version they know
constexpr std::string_view kPermissions = "rw";
constexpr std::size_t kParametersMax = 32;

using Parameters = std::map<std::string, std::string, std::less<>>;

auto invalid(std::string_view text) { return hub_fail(kArgumentInvalid, std::string(text)); }

HubResult<Parameters> parse_query(std::string_view query) {
  Parameters out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals));
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return invalid("The query is not percent-encoded.");
    if (!out.emplace(*name, *value).second) return invalid("A query parameter is there twice.");
    if (out.size() > kParametersMax) return invalid("Too many query parameters.");
  }
  return out;
}

std::string take(Parameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

/// Everything that the signature is about, on lines of its own: none of it may hold a line feed.
std::string signed_text(const BlobSignature& signature, std::string_view hub, std::string_view name) {
  return fmt::format("picket blob 1\n{}\n{}\n{}\n{}\n{}", signature.version, signature.permissions, signature.expiry,
                     hub, name);
}

std::optional<BlobAction> action_of(std::string_view method, std::string_view comp) {
  if (method == "PUT") {
    if (comp.empty()) return BlobAction::put;
    if (comp == "block") return BlobAction::put_block;
    if (comp == "blocklist") return BlobAction::put_list;
  }
  if (method == "GET" && comp.empty()) return BlobAction::read;
  if (method == "HEAD" && comp.empty()) return BlobAction::properties;
  return std::nullopt;
}

}  // namespace

HubResult<> check_blob_name(std::string_view name) {
  if (name.empty() || name.size() > kBlobNameBytesMax) {
    return invalid(fmt::format("A blob name has 1 to {} bytes.", kBlobNameBytesMax));
  }
  if (!is_utf8(name)) return invalid("A blob name is UTF-8.");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F || c == '\\') {
      return invalid("A blob name has no control characters and no backslash.");
    }
  }
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto segment = name.substr(at, end - at);
    if (segment.empty() || segment == "." || segment == "..") {
      return invalid("A segment of a blob name is not empty, '.' or '..'.");
    }
    at = end + 1;
  }
  return {};
}

HubResult<BlobRequest> parse_blob_request(std::string_view method, std::string_view target) {
  if (target.size() > kBlobTargetBytesMax) return invalid("The request target is too long.");
  const auto question = std::min(target.find('?'), target.size());
  auto path = target.substr(0, question);
  if (!path.starts_with('/')) return invalid("The path does not begin with '/'.");
  path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return invalid("The path names no blob.");
  const auto container = percent_decode(path.substr(0, slash));
  const auto name = percent_decode(path.substr(slash + 1));
  if (!container || !name) return invalid("The path is not percent-encoded.");
  if (!container->starts_with(kContainerPrefix)) return invalid("There is no such container.");
  if (auto checked = check_blob_name(*name); !checked) return std::unexpected(std::move(checked).error());
  auto parameters = parse_query(target.substr(std::min(question + 1, target.size())));
  if (!parameters) return std::unexpected(std::move(parameters).error());

  const auto action = action_of(method, take(*parameters, "comp"));
  if (!action) return invalid("The object storage offers no such operation.");
  if (take(*parameters, "sr") != "b") return hub_fail(kUnauthorized, "The signature is not one of a blob.");
  BlobRequest out{.action = *action,
                  .hub = container->substr(kContainerPrefix.size()),
                  .name = *name,
                  .block_id = {},
                  .signature = {.version = take(*parameters, "sv"),
                                .permissions = take(*parameters, "sp"),
                                .expiry = take(*parameters, "se"),
                                .signature = take(*parameters, "sig")}};
  if (*action == BlobAction::put_block) {
    const auto id = from_base64(take(*parameters, "blockid"));
    if (!id || id->empty() || id->size() > kBlockIdBytesMax) {
      return invalid(fmt::format("A block id is base64 of 1 to {} bytes.", kBlockIdBytesMax));
    }
    out.block_id = as_text(*id);
  }
  return out;
}

std::string make_blob_signature(Bytes key, std::string_view hub, std::string_view name, Timestamp expiry) {
  // Whole seconds, as storage clients write them: some read the value and write it anew.
  const auto whole = format_rfc3339({expiry.us - expiry.us % 1'000'000});
  const BlobSignature parts{std::string(kVersion), std::string(kPermissions), whole.substr(0, 19) + "Z", {}};
  const auto mac = hmac_sha256(key, as_bytes(signed_text(parts, hub, name)));
  return fmt::format("?sv={}&sr=b&sp={}&se={}&sig={}", parts.version, parts.permissions, percent_encode(parts.expiry),
                     to_hex(mac));
}

HubResult<> verify_blob_signature(Bytes key, const BlobRequest& request, Timestamp now) {
  const auto refused = [](std::string_view text) { return hub_fail(kUnauthorized, std::string(text)); };
  const auto& parts = request.signature;
  for (const auto* part : {&parts.version, &parts.permissions, &parts.expiry, &request.hub}) {
    if (part->find('\n') != std::string::npos) return refused("The signature is malformed.");
  }
  const auto given = from_hex(parts.signature);
  const auto mac = hmac_sha256(key, as_bytes(signed_text(parts, request.hub, request.name)));
  if (key.empty() || !given || !equal_constant_time(*given, mac)) return refused("The signature does not match.");
  const auto expiry = parse_rfc3339(parts.expiry);
  if (!expiry || *expiry <= now) return refused("The signature has expired.");
  const bool reads = request.action == BlobAction::read || request.action == BlobAction::properties;
  if (!parts.permissions.contains(reads ? 'r' : 'w')) return refused("The signature does not allow this.");
  return {};
}

}  // namespace picket::hub
