#include "agent/provisioning.h"

#include <charconv>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kStateBytesMax = 1'024;
constexpr std::string_view kStateVersion = "picket-provisioned 1";
constexpr std::size_t kDepthMax = 16;
constexpr Duration kRetryAfterMax = Duration::minutes(10);

std::string resource_of(const ProvisioningOptions& options) {
  return options.id_scope + "/registrations/" + options.registration_id;
}

/// Every string member of an object in document order, with its depth: 1 for the members of the whole.
class StringMembers {
 public:
  explicit StringMembers(std::string_view json) : rest_(json) {}

  /// Calls `each(depth, key, value)`. Errors: as parse_registration_answer.
  template <class Each>
  Result<> visit(Each&& each) {
    TRY_VOID(expect_object());
    std::string key;
    bool is_value = false;  // of `key`
    std::string closing = "}";
    while (!closing.empty()) {
      skip_space();
      if (rest_.empty()) return fail(Errc::malformed, "registration.end");
      const char c = rest_.front();
      if (c == '"') {
        TRY(std::string text, take_string());
        if (is_value && closing.back() == '}') each(closing.size(), std::string_view(key), text);
        if (!is_value) key = std::move(text);
        continue;
      }
      rest_.remove_prefix(1);
      if (c == ':') is_value = true;
      if (c == ',' || c == '{' || c == '[') is_value = false;
      if (c == '{' || c == '[') closing.push_back(c == '{' ? '}' : ']');
      if (closing.size() > kDepthMax) return fail(Errc::limit_exceeded, "registration.depth");
      if (c != '}' && c != ']') continue;
      if (closing.back() != c) return fail(Errc::malformed, "registration.brackets");
      closing.pop_back();
      is_value = true;
    }
    return {};
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || (rest_.front() >= '\t' && rest_.front() <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }
  Result<> expect_object() {
    skip_space();
    if (!rest_.starts_with('{')) return fail(Errc::malformed, "registration.begin");
    rest_.remove_prefix(1);
    return {};
  }
  /// Escapes of what stands in ids, hosts and messages; others become '?'.
  Result<std::string> take_string() {
    std::string out;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (c == '\\') {
        if (++i == rest_.size()) break;
        c = rest_[i];
        if (c == 'u') {
          unsigned code = '?';
          const char* const from = rest_.data() + i + 1;
          if (rest_.size() - i > 4) std::from_chars(from, from + 4, code, 16);
          i += 4;
          c = code >= ' ' && code < 0x7f ? static_cast<char>(code) : '?';
        } else if (c != '"' && c != '\\' && c != '/') {
          c = ' ';
        }
      }
      out.push_back(c);
    }
    return fail(Errc::malformed, "registration.string");
  }

  std::string_view rest_;
};

}  // namespace

Buffer derive_device_key(Bytes group_key, std::string_view registration_id) {
  const Sha256 key = hmac_sha256(group_key, as_bytes(registration_id));
  return {key.begin(), key.end()};
}

Checked<ConnectionString> identity_of(const Assignment& assignment, const ProvisioningOptions& options) {
  auto endpoint = parse_host_port(assignment.hub);
  if (!endpoint) return std::unexpected("the provisioning service assigned no usable hub: " + endpoint.error());
  if (assignment.device_id.empty() || assignment.device_id.size() > kIdBytesMax) {
    return std::unexpected(std::string("the provisioning service assigned no usable device id"));
  }
  ConnectionString out;
  out.host_name = assignment.hub;
  out.device_id = assignment.device_id;
  out.module_id = options.module_id;
  out.key = options.key;
  out.x509 = options.key.empty();
  out.endpoint = *std::move(endpoint);
  return out;
}

/// Four lines: version, scope and registration, hub, device.
std::optional<Assignment> load_assignment(const ProvisioningOptions& options) {
  if (options.state_file.empty()) return std::nullopt;
  const auto text = read_file(options.state_file, kStateBytesMax);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const auto line = [&] {
    const std::string_view out = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), out.size() + 1));
    return out;
  };
  if (line() != kStateVersion || line() != resource_of(options)) return std::nullopt;
  Assignment out;
  out.hub = line();
  out.device_id = line();
  if (out.hub.empty() || out.device_id.empty()) return std::nullopt;
  return out;
}

Result<> store_assignment(const ProvisioningOptions& options, const Assignment& assignment) {
  if (options.state_file.empty()) return {};
  std::string text;
  for (const std::string& line :
       {std::string(kStateVersion), resource_of(options), assignment.hub, assignment.device_id}) {
    if (line.contains('\n')) return fail(Errc::malformed, "provisioning.store");
    text += line + "\n";
  }
  return replace_file(options.state_file, as_bytes(text), 0600);
}

std::string provisioning_user_name(const ProvisioningOptions& options, std::string_view client_version) {
  return resource_of(options) + "/api-version=2019-03-31&ClientVersion=" + percent_encode(client_version);
}

std::string provisioning_token(const ProvisioningOptions& options, Timestamp expires) {
  const std::string resource = percent_encode(resource_of(options));
  const std::string until = std::to_string(expires.us / 1'000'000);
  const Sha256 signature = hmac_sha256(options.key, as_bytes(resource + "\n" + until));
  return "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(to_base64(signature)) + "&se=" + until +
         "&skn=registration";
}

Result<RegistrationAnswer> parse_registration_answer(std::string_view json) {
  if (json.size() > kRegistrationAnswerBytesMax) return fail(Errc::limit_exceeded, "registration.bytes");
  RegistrationAnswer out;
  TRY_VOID(StringMembers(json).visit([&](std::size_t depth, std::string_view key, const std::string& value) {
    if (depth == 1 && key == "status") out.status = value;
    if (depth == 1 && key == "operationId") out.operation_id = value;
    if (depth == 2 && key == "assignedHub") out.assignment.hub = value;
    if (depth == 2 && key == "deviceId") out.assignment.device_id = value;
    if ((depth == 2 && key == "errorMessage") || (depth == 1 && key == "message")) out.error = value.substr(0, 200);
  }));
  return out;
}

std::optional<RegistrationTopic> parse_registration_topic(std::string_view topic) {
  constexpr std::string_view kStart = "$dps/registrations/res/", kQuery = "/?";
  if (!topic.starts_with(kStart)) return std::nullopt;
  topic.remove_prefix(kStart.size());
  const auto split = topic.find(kQuery);
  if (split == std::string_view::npos) return std::nullopt;
  RegistrationTopic out;
  const auto [end, error] = std::from_chars(topic.data(), topic.data() + split, out.status);
  if (error != std::errc() || end != topic.data() + split) return std::nullopt;
  std::string_view rest = topic.substr(split + kQuery.size());
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals), value = part.substr(equals + 1);
    if (name == "$rid") out.request_id = value;
    std::uint32_t seconds = 0;
    if (name == "retry-after" &&
        std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc()) {
      out.retry_after = std::min(kRetryAfterMax, Duration::seconds(seconds));
    }
  }
  return out;
}

}  // namespace picket::agent
