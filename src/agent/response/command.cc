#include "command.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "base/core/json_reader.h"

namespace picket::agent {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kSignatureBytesMax = 128;

Result<std::string> text_member(const Json& object, std::string_view name, std::string_view where) {
  const auto found = object.find(name);
  auto text = found ? found->text() : std::nullopt;
  if (!text || text->size() > kNameBytesMax) return fail(Errc::malformed, where);
  return *std::move(text);
}

Result<Timestamp> time_member(const Json& object, std::string_view name, std::string_view where) {
  TRY(const std::string text, text_member(object, name, where));
  const auto time = parse_rfc3339(text);
  if (!time) return fail(Errc::malformed, where);
  return *time;
}

Result<Buffer> bytes_of(const Json& value, std::size_t size_max, std::string_view where) {
  const auto text = value.text();
  if (!text) return fail(Errc::malformed, where);
  if (text->size() / 4 * 3 > size_max + 3) return fail(Errc::limit_exceeded, where);
  auto bytes = from_base64(*text);
  if (!bytes || bytes->empty()) return fail(Errc::malformed, where);
  return *std::move(bytes);
}

bool is_command_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  return !text.empty() && text.size() <= kCommandIdBytesMax && std::ranges::all_of(text, allowed);
}

std::string both_clocks(const ResponseCommand& command, Timestamp now) {
  return "issued " + format_rfc3339(command.issued) + ", expires " + format_rfc3339(command.expires) +
         " by the hub's clock; this device's clock says " + format_rfc3339(now);
}

}  // namespace

Result<SignedCommand> parse_signed_command(std::string_view payload) {
  const auto json = parse_json(payload, 4);
  if (!json || json->kind() != Json::Kind::object) return fail(Errc::malformed, "response.request");
  const auto command = json->find("command");
  const auto signatures = json->find("signatures");
  if (!command) return fail(Errc::malformed, "response.request.command");
  if (!signatures || signatures->kind() != Json::Kind::array)
    return fail(Errc::malformed, "response.request.signatures");
  SignedCommand out;
  TRY(out.command, bytes_of(*command, kCommandBytesMax, "response.request.command"));
  Result<> each_is_good;
  signatures->for_items([&](Json item) {
    if (!each_is_good) return;
    if (out.signatures.size() == kSignaturesMax) {
      each_is_good = fail(Errc::limit_exceeded, "response.request.signatures");
      return;
    }
    auto bytes = bytes_of(item, kSignatureBytesMax, "response.request.signatures");
    if (bytes) {
      out.signatures.push_back(*std::move(bytes));
    } else {
      each_is_good = std::unexpected(bytes.error());
    }
  });
  TRY_VOID(each_is_good);
  return out;
}

Result<ResponseCommand> parse_command(std::string_view text) {
  const auto json = parse_json(text, 8);
  if (!json || json->kind() != Json::Kind::object) return fail(Errc::malformed, "response.command");
  ResponseCommand out;
  TRY(out.id, text_member(*json, "id", "response.command.id"));
  if (!is_command_id(out.id)) return fail(Errc::malformed, "response.command.id");
  TRY(out.hub, text_member(*json, "hub", "response.command.hub"));
  TRY(out.device, text_member(*json, "device", "response.command.device"));
  TRY(out.module, text_member(*json, "module", "response.command.module"));
  TRY(out.generation, text_member(*json, "generation", "response.command.generation"));
  TRY(out.issued, time_member(*json, "issued", "response.command.issued"));
  TRY(out.expires, time_member(*json, "expires", "response.command.expires"));
  TRY(out.action, text_member(*json, "action", "response.command.action"));
  const auto arguments = json->find("arguments");
  if (!arguments || arguments->kind() != Json::Kind::object) return fail(Errc::malformed, "response.command.arguments");
  out.arguments = arguments->raw();
  return out;
}

std::optional<Refusal> check_command(const ResponseCommand& command, const CommandTarget& target, Timestamp now) {
  if (command.device != target.device || command.module != target.module) {
    return Refusal{403, "the command is for another device or module"};
  }
  if (!target.hub.empty() && command.hub != target.hub) return Refusal{403, "the command comes from another hub"};
  if (!target.generation.empty() && command.generation != target.generation) {
    return Refusal{403, "the command is for another device of this name (its generation is not this one's)"};
  }
  if (command.expires <= command.issued || command.expires - command.issued > kCommandLifetimeMax) {
    return Refusal{400, "a command lives at most an hour: " + both_clocks(command, now)};
  }
  if (now >= command.expires) return Refusal{410, "the command has expired: " + both_clocks(command, now)};
  if (command.issued > now + kClockTolerance) {
    return Refusal{425, "the command comes from the future: " + both_clocks(command, now)};
  }
  return std::nullopt;
}

}  // namespace picket::agent
