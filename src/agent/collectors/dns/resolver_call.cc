#include "dns/resolver_call.h"

#include <algorithm>

#include <netdb.h>
#include <sys/socket.h>

#include "support/address_text.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::uint8_t kNoError = 0, kServerFailure = 2, kNoSuchName = 3;
constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28;
// Named so by glibc only with its extensions.
constexpr int kNoData = -5;

bool is_address(std::string_view text) {
  return text.find(':') != std::string_view::npos ||  // in no name; IPv6, also with a zone
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

void set_code(int result, LookUp& look_up) {
  switch (result) {
    case 0:
    case kNoData:
      look_up.code = kNoError;
      break;
    case EAI_NONAME:
      look_up.code = kNoSuchName;
      break;
    case EAI_FAIL:
      look_up.code = kServerFailure;
      break;
    case EAI_AGAIN:
      look_up.timed_out = true;
      break;
    default:  // no look-up failed, but the call: memory, arguments
      break;
  }
}

}  // namespace

std::optional<std::string> asked_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kNameBytesMax || is_address(text)) return std::nullopt;
  std::string out;
  for (bool more = true; more;) {
    const auto label = text.substr(0, text.find('.'));
    append_dns_label(out, label);
    more = label.size() < text.size();
    if (more) out += '.';
    text.remove_prefix(label.size() + (more ? 1 : 0));
  }
  return out;
}

std::vector<LookUp> look_ups_of(const picket_names_event& event, const Moment& time) {
  const std::string_view raw(event.name, std::min<std::size_t>(event.name_bytes, sizeof(event.name)));
  const auto name = asked_name(raw.substr(0, raw.find('\0')));
  if (!name) return {};
  LookUp common{.time = time, .name = *name, .pid = event.pid};
  set_code(event.result, common);
  std::vector<LookUp> out;
  for (const auto& [family, type] : {std::pair{AF_INET, kTypeA}, std::pair{AF_INET6, kTypeAaaa}}) {
    LookUp look_up = common;
    look_up.type = type;
    for (std::size_t i = 0; i < std::min<std::size_t>(event.answered, PICKET_NAMES_ANSWERS_MAX); ++i) {
      const picket_names_answer& answer = event.answers[i];
      if (answer.family != family) continue;
      const IpAddress address = address_of(answer.family, answer.address);
      if (std::ranges::find(look_up.addresses, address) != look_up.addresses.end()) continue;  // for a datagram, too
      look_up.addresses.push_back(address);
      look_up.answers.push_back(address_text(address));
    }
    if (!look_up.addresses.empty()) out.push_back(std::move(look_up));
  }
  if (out.empty()) out.push_back(std::move(common));
  return out;
}

}  // namespace picket::agent
