#include "firewall/nft_dump.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "firewall/netlink_attribute.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDatagramBytesMax = 64 << 10;
constexpr int kTries = 3;

constexpr std::uint16_t message_type(std::uint16_t message) { return NFNL_SUBSYS_NFTABLES << 8 | message; }

void append_text_attribute(Buffer& out, std::uint16_t type, std::string_view text) {
  const auto length = static_cast<std::uint16_t>(sizeof(nlattr) + text.size() + 1);
  const nlattr head{.nla_len = length, .nla_type = type};
  append(out, std::as_bytes(std::span(&head, 1)));
  append(out, as_bytes(text));
  out.resize((out.size() + 1 + 3) & ~std::size_t{3});
}

struct Header {
  nlmsghdr netlink;
  nfgenmsg netfilter;
};

/// Key of a chain of a table.
std::string place(std::uint8_t family, std::string_view table, std::string_view chain) {
  return std::string(family_name(family)) + ' ' + std::string(table) + ' ' + std::string(chain);
}

FirewallRule policy_of(const NftChain& chain) {
  FirewallRule out;
  out.verdict(chain.policy == NF_DROP ? "drop" : "accept");
  out.detail("Rule", "policy");
  return out;
}

void add_chain_facts(FirewallRule& rule, const NftChain& chain) {
  rule.chain = chain.name;
  rule.detail("Filter", "nftables");
  rule.detail("Family", family_name(chain.family));
  rule.detail("Table", chain.table);
  if (!chain.base) return;
  rule.direction = hook_direction(chain.hook);
  rule.detail("Hook", hook_name(chain.hook));
  rule.detail("HookPriority", std::to_string(chain.hook_priority));
}

}  // namespace

NftDump::NftDump(UniqueFd fd) : fd_(std::move(fd)), buffer_(kDatagramBytesMax) {}

Result<NftDump> NftDump::open() {
  NftDump out{UniqueFd{}};
  TRY_VOID(out.reconnect());
  TRY_VOID(out.dump(NFT_MSG_GETTABLE, NFPROTO_UNSPEC, {}, [](std::uint8_t, Bytes) {}));
  return out;
}

Result<> NftDump::reconnect() {
  fd_.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd_.valid()) return fail_errno("agent.firewall.socket");
  const timeval patience{.tv_sec = 1, .tv_usec = 0};  // a kernel that never answers must not hold the loop
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return fail_errno("agent.firewall.socket");
  }
  return {};
}

Result<> NftDump::dump(std::uint16_t message, std::uint8_t family, Bytes attributes, const Each& each) {
  const Header header{.netlink = {.nlmsg_len = static_cast<std::uint32_t>(sizeof(Header) + attributes.size()),
                                  .nlmsg_type = message_type(message),
                                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                                  .nlmsg_seq = ++sequence_},
                      .netfilter = {.nfgen_family = family, .version = NFNETLINK_V0}};
  Buffer request;
  append(request, std::as_bytes(std::span(&header, 1)));
  append(request, attributes);
  if (send(fd_.get(), request.data(), request.size(), 0) < 0) return fail_errno("agent.firewall.request");
  std::size_t messages = 0;
  for (;;) {
    const ssize_t n = recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno("agent.firewall.dump");
    Bytes rest = Bytes(buffer_).first(static_cast<std::size_t>(n));
    while (rest.size() >= sizeof(nlmsghdr)) {
      nlmsghdr head;
      std::memcpy(&head, rest.data(), sizeof head);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
      const Bytes payload = rest.subspan(sizeof head, head.nlmsg_len - sizeof head);
      rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(std::size_t{head.nlmsg_len}), rest.size()));
      if (head.nlmsg_seq != sequence_) continue;
      interrupted_ = interrupted_ || (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (head.nlmsg_type == NLMSG_DONE) return {};
      if (head.nlmsg_type == NLMSG_ERROR) {
        int error = 0;
        std::memcpy(&error, payload.data(), std::min(payload.size(), sizeof error));
        errno = -error;
        return fail_errno("agent.firewall.dump");
      }
      if (++messages > kMessagesMax) return reconnect();
      if (payload.size() < sizeof(nfgenmsg)) continue;
      each(static_cast<std::uint8_t>(payload[0]), payload.subspan(sizeof(nfgenmsg)));
    }
  }
}

Result<> NftDump::read(FirewallPicture& out) {
  const std::size_t before = out.rules.size();
  const std::uint64_t past_before = out.past_bounds;
  for (int i = 0; i < kTries; ++i) {
    interrupted_ = false;
    out.rules.resize(before);
    out.past_bounds = past_before;
    if (auto done = read_once(out); !done) {
      (void)reconnect();  // what is left of the answer must not be taken for the next one
      return done;
    }
    if (!interrupted_) return {};
  }
  return fail(Errc::unavailable, "agent.firewall.changing");
}

Result<> NftDump::read_once(FirewallPicture& out) {
  std::vector<NftTable> tables;
  TRY_VOID(dump(NFT_MSG_GETTABLE, NFPROTO_UNSPEC, {}, [&](std::uint8_t family, Bytes attributes) {
    if (auto table = parse_nft_table(family, attributes); table && tables.size() < kTablesMax) tables.push_back(*table);
  }));
  if (tables.empty()) return {};
  std::vector<NftChain> chains;
  TRY_VOID(dump(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, {}, [&](std::uint8_t family, Bytes attributes) {
    if (auto chain = parse_nft_chain(family, attributes); chain && chains.size() < kChainsMax) chains.push_back(*chain);
  }));
  const auto enabled = [&](std::uint8_t family, std::string_view table) {
    return std::ranges::none_of(tables,
                                [&](const NftTable& t) { return t.family == family && t.name == table && t.dormant; });
  };
  const auto take = [&](std::string identity, FirewallRule rule) {
    if (out.rules.size() < kFirewallRulesMax) {
      out.rules.push_back({std::move(identity), std::move(rule)});
    } else {
      ++out.past_bounds;
    }
  };
  std::map<std::string, int> places;
  struct Open {
    std::size_t rule;
    std::uint8_t family;
    std::string table;
    NftLookup lookup;
  };
  std::vector<Open> lookups;
  TRY_VOID(dump(NFT_MSG_GETRULE, NFPROTO_UNSPEC, {}, [&](std::uint8_t family, Bytes attributes) {
    if (out.rules.size() >= kFirewallRulesMax) {
      ++out.past_bounds;
      return;
    }
    auto found = parse_nft_rule(family, attributes);
    if (!found) return;
    NftChain chain{.family = family, .table = found->table, .name = found->chain};
    for (const NftChain& each : chains) {
      if (each.family == family && each.table == chain.table && each.name == chain.name) chain = each;
    }
    const std::string where = place(family, chain.table, chain.name);
    FirewallRule& rule = found->rule;
    add_chain_facts(rule, chain);
    rule.priority = ++places[where];
    rule.enabled = enabled(family, chain.table);
    for (NftLookup& lookup : found->lookups) {
      if (lookups.size() < kSetsMax) lookups.push_back({out.rules.size(), family, chain.table, std::move(lookup)});
    }
    take("nft " + where + ' ' + std::to_string(found->handle), std::move(rule));
  }));
  for (const Open& open : lookups) {
    const std::string text = elements_of(open.family, open.table, open.lookup);
    if (text.empty()) continue;
    FirewallRule& rule = out.rules[open.rule].rule;
    for (std::string* const field :
         {&rule.source_address, &rule.destination_address, &rule.source_port, &rule.destination_port, &rule.protocol}) {
      const auto at = field->find("@" + open.lookup.set);
      if (at != std::string::npos) field->replace(at, open.lookup.set.size() + 1, text);
    }
  }
  for (const NftChain& chain : chains) {
    if (!chain.base) continue;
    FirewallRule rule = policy_of(chain);
    add_chain_facts(rule, chain);
    const std::string where = place(chain.family, chain.table, chain.name);
    rule.priority = ++places[where];
    rule.enabled = enabled(chain.family, chain.table);
    take("nft " + where + " policy", std::move(rule));
  }
  return {};
}

std::string NftDump::elements_of(std::uint8_t family, const std::string& table, const NftLookup& lookup) {
  Buffer request;
  append_text_attribute(request, NFTA_SET_ELEM_LIST_TABLE, table);
  append_text_attribute(request, NFTA_SET_ELEM_LIST_SET, lookup.set);
  std::vector<NftElement> elements;
  const auto done = dump(NFT_MSG_GETSETELEM, family, request, [&](std::uint8_t, Bytes attributes) {
    parse_nft_elements(attributes, 2 * kElementsMax + 1, elements);  // an interval is two
  });
  if (!done) {
    (void)reconnect();
    return {};
  }
  return elements.size() > 2 * kElementsMax ? std::string() : elements_text(lookup.field, std::move(elements));
}

Result<UniqueFd> open_nft_monitor() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!fd.valid()) return fail_errno("agent.firewall.monitor");
  // bind() before the membership, or nothing arrives.
  const sockaddr_nl address{.nl_family = AF_NETLINK};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("agent.firewall.monitor");
  }
  const int group = NFNLGRP_NFTABLES;
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return fail_errno("agent.firewall.monitor");
  }
  return fd;
}

bool drain_nft_monitor(int fd) {
  bool news = false;
  std::array<std::byte, 512> head;  // that something changed is enough
  for (int i = 0; i < 256; ++i) {
    const ssize_t n = recv(fd, head.data(), head.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno != ENOBUFS && errno != EINTR) break;
    news = true;
    if (n == 0) break;
  }
  return news;
}

}  // namespace picket::agent
