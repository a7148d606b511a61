#include "firewall/xtables.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

namespace picket::agent {
namespace {

constexpr std::size_t kMatchesMax = 64;

template <class T>
T copy_prefix(Bytes bytes) {
  T out{};
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof(T)));
  return out;
}

/// What both families' entries have in common.
struct Entry {
  std::size_t matches_at = 0, target_at = 0, end = 0;
  FirewallRule rule;
};

std::string with_sign(bool inverted, const std::string& text) {
  return text.empty() ? text : (inverted ? "!" : "") + text;
}

template <class Address>
Bytes raw(const Address& address) {
  return std::as_bytes(std::span(&address, 1));
}

void add_interfaces(FirewallRule& rule, Bytes in, bool in_inverted, Bytes out, bool out_inverted) {
  if (const std::string name = clean_text(in); !name.empty()) rule.detail("InInterface", with_sign(in_inverted, name));
  if (const std::string name = clean_text(out); !name.empty())
    rule.detail("OutInterface", with_sign(out_inverted, name));
}

Entry read_ipv4(Bytes bytes) {
  const auto entry = copy_prefix<ipt_entry>(bytes);
  const ipt_ip& ip = entry.ip;
  Entry out{.matches_at = sizeof(ipt_entry), .target_at = entry.target_offset, .end = entry.next_offset};
  out.rule.source_address = with_sign((ip.invflags & IPT_INV_SRCIP) != 0, prefix_text(raw(ip.src), raw(ip.smsk)));
  out.rule.destination_address = with_sign((ip.invflags & IPT_INV_DSTIP) != 0, prefix_text(raw(ip.dst), raw(ip.dmsk)));
  if (ip.proto != 0) {
    out.rule.protocol =
        with_sign((ip.invflags & IPT_INV_PROTO) != 0, protocol_text(static_cast<std::uint8_t>(ip.proto)));
  }
  add_interfaces(out.rule, std::as_bytes(std::span(ip.iniface)), (ip.invflags & IPT_INV_VIA_IN) != 0,
                 std::as_bytes(std::span(ip.outiface)), (ip.invflags & IPT_INV_VIA_OUT) != 0);
  if ((ip.flags & IPT_F_FRAG) != 0) out.rule.detail("Match", "fragment");
  return out;
}

Entry read_ipv6(Bytes bytes) {
  const auto entry = copy_prefix<ip6t_entry>(bytes);
  const ip6t_ip6& ip = entry.ipv6;
  Entry out{.matches_at = sizeof(ip6t_entry), .target_at = entry.target_offset, .end = entry.next_offset};
  out.rule.source_address = with_sign((ip.invflags & IP6T_INV_SRCIP) != 0, prefix_text(raw(ip.src), raw(ip.smsk)));
  out.rule.destination_address = with_sign((ip.invflags & IP6T_INV_DSTIP) != 0, prefix_text(raw(ip.dst), raw(ip.dmsk)));
  if ((ip.flags & IP6T_F_PROTO) != 0 && ip.proto != 0) {
    out.rule.protocol =
        with_sign((ip.invflags & IP6T_INV_PROTO) != 0, protocol_text(static_cast<std::uint8_t>(ip.proto)));
  }
  add_interfaces(out.rule, std::as_bytes(std::span(ip.iniface)), (ip.invflags & IP6T_INV_VIA_IN) != 0,
                 std::as_bytes(std::span(ip.outiface)), (ip.invflags & IP6T_INV_VIA_OUT) != 0);
  return out;
}

bool read_matches(Bytes matches, FirewallRule& rule) {
  for (std::size_t i = 0; i < kMatchesMax && matches.size() >= sizeof(xt_entry_match); ++i) {
    const auto head = copy_prefix<xt_entry_match>(matches);
    const std::size_t size = head.u.match_size;
    if (size < sizeof(xt_entry_match) || size > matches.size()) return false;
    const std::string name = clean_text(std::as_bytes(std::span(head.u.user.name)));
    read_xt_match(name, head.u.user.revision, matches.subspan(sizeof(xt_entry_match), size - sizeof(xt_entry_match)),
                  rule);
    matches = matches.subspan(size);
  }
  return matches.empty();
}

struct Target {
  std::string name;  ///< Empty: standard
  std::int32_t verdict = 0;
  std::string chain;  ///< Of an ERROR target: the chain that begins after it.
};
std::optional<Target> read_target(Bytes bytes) {
  if (bytes.size() < sizeof(xt_entry_target)) return std::nullopt;
  const auto head = copy_prefix<xt_entry_target>(bytes);
  if (head.u.target_size < sizeof(xt_entry_target) || head.u.target_size > bytes.size()) return std::nullopt;
  const Bytes data = bytes.subspan(sizeof(xt_entry_target), head.u.target_size - sizeof(xt_entry_target));
  Target out{.name = clean_text(std::as_bytes(std::span(head.u.user.name)))};
  if (out.name.empty()) out.verdict = copy_prefix<std::int32_t>(data);
  if (out.name == XT_ERROR_TARGET)
    out.chain = clean_text(data.first(std::min<std::size_t>(data.size(), XT_FUNCTION_MAXNAMELEN)));
  return out;
}

constexpr std::array<std::string_view, XtInfo::kHooks> kChains{"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                               "POSTROUTING"};

/// Walks the entries of one table twice: names of chains first, since jumps go forward too.
class TableReader {
 public:
  TableReader(XtFamily family, std::string_view table, const XtInfo& info, Bytes entries, FirewallPicture& out)
      : family_(family), table_(table), info_(info), entries_(entries), out_(out) {}

  Result<> read() {
    TRY_VOID(walk(&TableReader::note_chain));
    chain_.clear();
    hook_.reset();
    return walk(&TableReader::take);
  }

 private:
  Result<> walk(void (TableReader::*visit)(std::size_t at, Entry& entry, const Target& target)) {
    const std::size_t head = family_ == XtFamily::ipv4 ? sizeof(ipt_entry) : sizeof(ip6t_entry);
    for (std::size_t at = 0; at < entries_.size();) {
      const Bytes rest = entries_.subspan(at);
      if (rest.size() < head) return fail(Errc::malformed, "agent.xtables.entry", at);
      Entry entry = family_ == XtFamily::ipv4 ? read_ipv4(rest) : read_ipv6(rest);
      if (entry.target_at < head || entry.end < entry.target_at || entry.end > rest.size() || entry.end < head) {
        return fail(Errc::malformed, "agent.xtables.offset", at);
      }
      const auto target = read_target(rest.subspan(entry.target_at, entry.end - entry.target_at));
      if (!target) return fail(Errc::malformed, "agent.xtables.target", at);
      if (!read_matches(rest.subspan(head, entry.target_at - head), entry.rule))
        entry.rule.detail("Match", "unreadable");
      for (std::size_t hook = 0; hook < XtInfo::kHooks; ++hook) {
        if ((info_.valid_hooks >> hook & 1U) == 0 || info_.begin[hook] != at) continue;
        chain_ = kChains[hook];
        hook_ = static_cast<std::uint32_t>(hook);
      }
      (this->*visit)(at, entry, *target);
      at += entry.end;
    }
    return {};
  }

  void note_chain(std::size_t at, Entry& entry, const Target& target) {
    if (target.name == XT_ERROR_TARGET) names_[at + entry.end] = target.chain;
  }

  void take(std::size_t at, Entry& entry, const Target& target) {
    if (target.name == XT_ERROR_TARGET) {  // no rule: the head of a chain, or the end of the table
      chain_ = target.chain;
      hook_.reset();
      return;
    }
    const bool policy = hook_ && info_.policy[*hook_] == at;
    const std::size_t following = at + entry.end;
    // Every chain of the user ends with a RETURN that nobody wrote: the next chain or the end of the table follows it.
    if (!hook_ && target.name.empty() && target.verdict == XT_RETURN && ends_chain(following) &&
        entry.rule.details.empty() && entry.rule.protocol.empty() && entry.rule.source_address.empty() &&
        entry.rule.destination_address.empty()) {
      return;
    }
    FirewallRule& rule = entry.rule;
    set_verdict(rule, target);
    if (policy) rule.detail("Rule", "policy");
    rule.chain = chain_;
    if (hook_) {
      rule.direction = hook_direction(*hook_);
      rule.detail("Hook", hook_name(*hook_));
    }
    const std::string family(family_ == XtFamily::ipv4 ? "ip" : "ip6");
    rule.detail("Filter", "iptables");
    rule.detail("Family", family);
    rule.detail("Table", table_);
    rule.priority = ++places_[chain_];
    if (out_.rules.size() >= kFirewallRulesMax) {
      ++out_.past_bounds;
      return;
    }
    // Rules have no handle here: alike ones of a chain are told apart by how many came before.
    std::string identity = "xt " + family + ' ' + table_ + ' ' + chain_ + (policy ? " policy" : "");
    if (!policy) {
      for (const std::string* const field : {&rule.protocol, &rule.source_address, &rule.source_port,
                                             &rule.destination_address, &rule.destination_port}) {
        identity += ' ' + *field;
      }
      identity += ' ' + std::to_string(static_cast<int>(rule.action));
      for (const auto& [key, text] : rule.details) identity += ' ' + text;
      identity += " #" + std::to_string(++alike_[identity]);
    }
    out_.rules.push_back({std::move(identity), std::move(rule)});
  }

  [[nodiscard]] bool ends_chain(std::size_t at) const {
    if (at >= entries_.size()) return true;
    const std::size_t head = family_ == XtFamily::ipv4 ? sizeof(ipt_entry) : sizeof(ip6t_entry);
    const Bytes rest = entries_.subspan(at);
    if (rest.size() < head) return true;
    const Entry next = family_ == XtFamily::ipv4 ? read_ipv4(rest) : read_ipv6(rest);
    if (next.target_at > rest.size()) return true;
    const auto target = read_target(rest.subspan(next.target_at));
    return target && target->name == XT_ERROR_TARGET;
  }

  void set_verdict(FirewallRule& rule, const Target& target) const {
    if (target.name == "LOG" || target.name == "NFLOG") {
      rule.detail("Log", target.name);
      return rule.verdict("continue");
    }
    if (!target.name.empty()) return rule.verdict(target.name == "REJECT" ? "reject" : target.name);
    switch (target.verdict) {
      case -NF_ACCEPT - 1:
        return rule.verdict("accept");
      case -NF_DROP - 1:
        return rule.verdict("drop");
      case XT_RETURN:
        return rule.verdict("return");
      case -NF_QUEUE - 1:
        return rule.verdict("queue");
      default:
        break;
    }
    const auto chain = target.verdict < 0 ? names_.end() : names_.find(static_cast<std::size_t>(target.verdict));
    rule.verdict(chain == names_.end() ? std::string("continue") : "jump " + chain->second);
  }

  XtFamily family_;
  std::string table_;
  const XtInfo& info_;
  Bytes entries_;
  FirewallPicture& out_;
  std::map<std::size_t, std::string> names_;  ///< Offset of a chain's first rule -> its name; at most one an entry.
  std::map<std::string, int> places_, alike_;
  std::string chain_;
  std::optional<std::uint32_t> hook_;
};

}  // namespace

Result<> parse_xt_entries(XtFamily family, std::string_view table, const XtInfo& info, Bytes entries,
                          FirewallPicture& out) {
  return TableReader(family, table, info, entries, out).read();
}

std::vector<std::string> xt_tables(const std::string& procfs, XtFamily family) {
  const auto text =
      read_file(procfs + (family == XtFamily::ipv4 ? "/net/ip_tables_names" : "/net/ip6_tables_names"), 4096);
  std::vector<std::string> out;
  std::string_view rest = text ? std::string_view(*text) : std::string_view{};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.empty() && line.size() < XT_TABLE_MAXNAMELEN) out.emplace_back(line);
  }
  return out;
}

Result<> XtDump::read(FirewallPicture& out) {
  for (const XtFamily family : {XtFamily::ipv4, XtFamily::ipv6}) {
    for (const std::string& table : xt_tables(procfs_, family)) TRY_VOID(read_table(family, table, out));
  }
  return {};
}

Result<> XtDump::read_table(XtFamily family, const std::string& table, FirewallPicture& out) {
  static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo) && int{IPT_SO_GET_INFO} == int{IP6T_SO_GET_INFO});
  const bool four = family == XtFamily::ipv4;
  const int level = four ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
  const UniqueFd fd(socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno("agent.xtables.socket");
  ipt_getinfo info{};
  table.copy(info.name, sizeof(info.name) - 1);
  socklen_t length = sizeof info;
  if (getsockopt(fd.get(), level, IPT_SO_GET_INFO, &info, &length) != 0) return fail_errno("agent.xtables.info");
  if (info.size > kTableBytesMax) {
    out.past_bounds += info.num_entries;
    return {};
  }
  constexpr std::size_t kHead = offsetof(ipt_get_entries, entrytable);
  Buffer answer(kHead + info.size);
  std::memcpy(answer.data(), info.name, sizeof info.name);
  std::memcpy(answer.data() + offsetof(ipt_get_entries, size), &info.size, sizeof info.size);
  length = static_cast<socklen_t>(answer.size());
  if (getsockopt(fd.get(), level, IPT_SO_GET_ENTRIES, answer.data(), &length) != 0) {
    return fail_errno("agent.xtables.entries");  // EAGAIN: the table changed; the next look will do
  }
  XtInfo places{.valid_hooks = info.valid_hooks, .entries = info.num_entries};
  std::copy_n(info.hook_entry, XtInfo::kHooks, places.begin.begin());
  std::copy_n(info.underflow, XtInfo::kHooks, places.policy.begin());
  return parse_xt_entries(family, table, places, Bytes(answer).subspan(kHead), out);
}

}  // namespace picket::agent
