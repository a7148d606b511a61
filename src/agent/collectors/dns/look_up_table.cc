#include "dns/look_up_table.h"

#include <algorithm>

namespace picket::agent {
namespace {

bool is_loopback(const IpAddress& address) {
  if (address.length == 4) return address.bytes[0] == 127;
  return address.length == 16 && address.bytes[15] == 1 &&
         std::all_of(address.bytes.begin(), address.bytes.begin() + 15, [](std::uint8_t b) { return b == 0; });
}

}  // namespace

LookUpTable::Entries::iterator LookUpTable::find(std::uint16_t id, std::string_view name, std::uint16_t type,
                                                 std::uint8_t protocol, const Endpoint& client,
                                                 const Endpoint& server) {
  return std::ranges::find_if(entries_, [&](const Entry& each) {
    const LookUp& known = each.look_up;
    return each.id == id && known.type == type && known.protocol == protocol && known.client == client &&
           known.server == server && known.name == name;
  });
}

bool LookUpTable::somebody_waits_for(std::string_view name, std::uint16_t type) const {
  return std::ranges::any_of(entries_, [&](const Entry& each) {
    return each.waits && is_loopback(each.look_up.server.address) && each.look_up.type == type &&
           each.look_up.name == name;
  });
}

void LookUpTable::forget_cut_off(const LookUp& again) {
  std::erase_if(entries_, [&](const Entry& each) {
    return each.waits && each.look_up.code && each.look_up.server == again.server && each.look_up.type == again.type &&
           each.look_up.name == again.name;
  });
}

LookUp* LookUpTable::ask(const DnsMessage& question, std::uint8_t protocol, const Endpoint& client,
                         const Endpoint& server, std::size_t bytes, Moment now) {
  const auto known = find(question.id, question.name, question.type, protocol, client, server);
  if (known != entries_.end()) {
    known->look_up.bytes_out += bytes;
    return nullptr;
  }
  const bool passed_on = !is_loopback(server.address) && somebody_waits_for(question.name, question.type);
  if (entries_.size() == kEntriesMax) {
    end(entries_.front());
    entries_.pop_front();
  }
  Entry entry{.id = question.id, .due = now.monotonic + timeout_, .silent = passed_on};
  entry.look_up = {.time = now,
                   .protocol = protocol,
                   .client = client,
                   .server = server,
                   .name = question.name,
                   .type = question.type};
  entry.look_up.bytes_out = bytes;
  if (protocol == 6) forget_cut_off(entry.look_up);
  entries_.push_back(std::move(entry));
  return passed_on ? nullptr : &entries_.back().look_up;
}

bool LookUpTable::answer(DnsMessage& answer, std::uint8_t protocol, const Endpoint& client, const Endpoint& server,
                         std::size_t bytes, Moment now) {
  const auto at = find(answer.id, answer.name, answer.type, protocol, client, server);
  if (at == entries_.end()) return false;
  if (!at->waits) return true;  // a copy
  at->look_up.code = answer.code;
  at->look_up.answers = std::move(answer.answers);
  at->look_up.addresses = std::move(answer.addresses);
  at->look_up.bytes_in += bytes;
  if (answer.truncated && protocol == 17) return true;  // reported when its time is over, unless TCP is asked
  end(*at);
  at->waits = false;
  at->due = now.monotonic + kCopies;
  return true;
}

void LookUpTable::end(Entry& entry) {
  if (!entry.silent) report_(entry.look_up);
  entry.silent = true;
}

Duration LookUpTable::on_time(Moment now) {
  Duration next = Duration::hours(1);
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (at->due > now.monotonic) {
      next = std::min(next, at->due - now.monotonic);
      ++at;
      continue;
    }
    at->look_up.timed_out = !at->look_up.code;
    end(*at);
    at = entries_.erase(at);
  }
  return next;
}

}  // namespace picket::agent
