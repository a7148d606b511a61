#include "firewall/nft_rule.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "base/core/encoding.h"
#include "firewall/netlink_attribute.h"

namespace picket::agent {
namespace {

constexpr std::size_t kExpressionsMax = 128;  // The kernel's own limit of one rule.
constexpr std::size_t kNameMax = 255;

std::string name_of(Bytes value) { return clean_text(value.first(std::min(value.size(), kNameMax))); }

/// What an expression put into a register.
struct Loaded {
  enum class What : std::uint8_t { nothing, network, transport, meta, ct, other };
  What what = What::nothing;
  std::uint32_t offset = 0, length = 0;  ///< Of payloads; `offset` is the key of meta and ct.
  std::vector<std::byte> mask;           ///< Of a bitwise expression; empty: all bits.
};

/// Follows the expressions of one rule in order, as the kernel runs them.
class Reader {
 public:
  Reader(std::uint8_t family, NftRule& out) : out_(out), rule_(out.rule) {
    if (family == NFPROTO_IPV4 || family == NFPROTO_IPV6) network_ = family;
  }
  void read(std::string_view name, Bytes data);
  void finish() {
    if (!decided_) rule_.verdict("continue");
  }

 private:
  Loaded& reg(std::uint32_t number) {
    // Registers 1..4 are those of 16 bytes; 8..23 the same memory in words of 4.
    const std::uint32_t index = number >= 1 && number <= 4    ? (number - 1) * 4
                                : number >= 8 && number <= 23 ? number - 8
                                                              : 16;
    return registers_[index];
  }
  Loaded& source(Bytes data, std::uint16_t attribute) { return reg(attribute_u32(data, attribute, 0)); }
  void load(Bytes data, std::uint16_t attribute, Loaded what) {
    reg(attribute_u32(data, attribute, 0)) = std::move(what);
  }

  void read_payload(Bytes data);
  void read_bitwise(Bytes data);
  void read_compare(Bytes data);
  void read_range(Bytes data);
  void read_lookup(Bytes data);
  void read_immediate(Bytes data);
  bool read_action(std::string_view name, Bytes data);

  [[nodiscard]] NftField field_of(const Loaded& loaded) const;
  std::string* text_of(NftField field);
  [[nodiscard]] std::string value_text(NftField field, const Loaded& loaded, Bytes value) const;
  void compare_meta(const Loaded& loaded, std::string_view sign, Bytes value);
  void decide(std::string_view verdict) {
    decided_ = true;
    rule_.verdict(verdict);
  }

  NftRule& out_;
  FirewallRule& rule_;
  std::uint8_t network_ = 0;  ///< NFPROTO_IPV4, NFPROTO_IPV6, or 0: not known yet
  std::array<Loaded, 17> registers_;
  bool decided_ = false;
};

NftField Reader::field_of(const Loaded& loaded) const {
  using enum NftField;
  if (loaded.what == Loaded::What::transport && loaded.length == 2) {
    return loaded.offset == 0 ? source_port : loaded.offset == 2 ? destination_port : other;
  }
  if (loaded.what == Loaded::What::meta && loaded.offset == NFT_META_L4PROTO) return protocol;
  if (loaded.what != Loaded::What::network) return other;
  // Header fields by offset; a prefix of whole bytes is loaded shorter than the address.
  const bool six = network_ == NFPROTO_IPV6 || (network_ == 0 && loaded.length > 4);
  if (six && loaded.length <= 16) {
    if (loaded.offset == 8) return source_address;
    if (loaded.offset == 24) return destination_address;
    if (loaded.offset == 6 && loaded.length == 1) return protocol;
  } else if (!six && loaded.length <= 4) {
    if (loaded.offset == 12) return source_address;
    if (loaded.offset == 16) return destination_address;
    if (loaded.offset == 9 && loaded.length == 1) return protocol;
  }
  return other;
}

std::string* Reader::text_of(NftField field) {
  switch (field) {
    case NftField::source_address:
      return &rule_.source_address;
    case NftField::destination_address:
      return &rule_.destination_address;
    case NftField::source_port:
      return &rule_.source_port;
    case NftField::destination_port:
      return &rule_.destination_port;
    case NftField::protocol:
      return &rule_.protocol;
    default:
      return nullptr;
  }
}

/// An address that was loaded in part stands for a prefix.
std::string address_value(const Loaded& loaded, bool six, Bytes value) {
  const std::size_t whole = six ? 16 : 4;
  std::vector<std::byte> address(value.begin(), value.end()), mask(loaded.mask);
  if (mask.empty()) mask.assign(value.size(), std::byte{0xff});
  if (address.size() > whole || mask.size() > whole) return {};
  address.resize(whole);
  mask.resize(whole);
  return prefix_text(address, mask);
}

std::string Reader::value_text(NftField field, const Loaded& loaded, Bytes value) const {
  switch (field) {
    case NftField::source_address:
    case NftField::destination_address:
      return address_value(loaded, network_ == NFPROTO_IPV6 || loaded.length > 4, value);
    case NftField::source_port:
    case NftField::destination_port: {
      const auto port = Cursor{value}.be<std::uint16_t>();
      return port ? std::to_string(*port) : std::string();
    }
    case NftField::protocol:
      return value.empty() ? std::string() : protocol_text(static_cast<std::uint8_t>(value[0]));
    default:
      return "0x" + to_hex(value.first(std::min<std::size_t>(value.size(), 32)));
  }
}

void Reader::read(std::string_view name, Bytes data) {
  if (name == "payload") return read_payload(data);
  if (name == "bitwise") return read_bitwise(data);
  if (name == "cmp") return read_compare(data);
  if (name == "range") return read_range(data);
  if (name == "lookup") return read_lookup(data);
  if (name == "immediate") return read_immediate(data);
  if (name == "meta" || name == "ct") {
    const bool meta = name == "meta";
    const std::uint32_t key =
        attribute_u32(data, meta ? std::uint16_t{NFTA_META_KEY} : std::uint16_t{NFTA_CT_KEY}, 0xffff);
    const std::uint16_t target = meta ? std::uint16_t{NFTA_META_DREG} : std::uint16_t{NFTA_CT_DREG};
    const auto what = meta ? Loaded::What::meta : Loaded::What::ct;
    if (attribute(data, target).empty()) return rule_.detail("Set", name);
    return load(data, target, {.what = what, .offset = key});
  }
  if (name == "counter") return;
  if (!read_action(name, data)) rule_.detail("Match", name);
}

bool Reader::read_action(std::string_view name, Bytes data) {
  if (name == "reject" || name == "masq" || name == "redir" || name == "queue" || name == "tproxy" ||
      name == "synproxy") {
    decide(name == "masq" ? "masquerade" : name == "redir" ? "redirect" : name);
  } else if (name == "nat") {
    decide(attribute_u32(data, NFTA_NAT_TYPE, 0) == NFT_NAT_DNAT ? "dnat" : "snat");
  } else if (name == "match") {
    read_xt_match(name_of(attribute(data, NFTA_MATCH_NAME)),
                  static_cast<std::uint8_t>(attribute_u32(data, NFTA_MATCH_REV, 0)), attribute(data, NFTA_MATCH_INFO),
                  rule_);
  } else if (name == "target") {
    std::string target = name_of(attribute(data, NFTA_TARGET_NAME));
    if (target == "LOG" || target == "NFLOG") {
      rule_.detail("Log", target);
    } else {
      decide(target == "REJECT" ? "reject" : target);
    }
  } else if (name == "log") {
    rule_.detail("Log", name_of(attribute(data, NFTA_LOG_PREFIX)));
  } else {
    return false;
  }
  return true;
}

void Reader::read_payload(Bytes data) {
  if (attribute(data, NFTA_PAYLOAD_DREG).empty()) return rule_.detail("Set", "payload");
  const std::uint32_t base = attribute_u32(data, NFTA_PAYLOAD_BASE, 0xffff);
  load(data, NFTA_PAYLOAD_DREG,
       {.what = base == NFT_PAYLOAD_NETWORK_HEADER     ? Loaded::What::network
                : base == NFT_PAYLOAD_TRANSPORT_HEADER ? Loaded::What::transport
                                                       : Loaded::What::other,
        .offset = attribute_u32(data, NFTA_PAYLOAD_OFFSET, 0xffff),
        .length = attribute_u32(data, NFTA_PAYLOAD_LEN, 0)});
}

void Reader::read_bitwise(Bytes data) {
  Loaded loaded = source(data, NFTA_BITWISE_SREG);
  const Bytes mask = attribute(attribute(data, NFTA_BITWISE_MASK), NFTA_DATA_VALUE);
  loaded.mask.assign(mask.begin(), mask.end());
  load(data, NFTA_BITWISE_DREG, std::move(loaded));
}

void Reader::read_compare(Bytes data) {
  const Loaded& loaded = source(data, NFTA_CMP_SREG);
  const Bytes value = attribute(attribute(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
  const std::uint32_t op = attribute_u32(data, NFTA_CMP_OP, 0);
  constexpr std::string_view signs[] = {"", "!", "<", "<=", ">", ">="};
  const std::string_view sign = op < std::size(signs) ? signs[op] : "?";
  const NftField field = field_of(loaded);
  std::string* const text = text_of(field);
  if (text == nullptr) return compare_meta(loaded, sign, value);
  const std::string one = value_text(field, loaded, value);
  if (op == NFT_CMP_LTE && text->starts_with(">=") && !text->contains(' ')) {  // a range is two comparisons
    *text = text->substr(2) + "-" + one;
  } else {
    add_text(*text, std::string(sign) + one);
  }
}

void Reader::compare_meta(const Loaded& loaded, std::string_view sign, Bytes value) {
  const std::string before(sign);
  if (loaded.what == Loaded::What::meta) {
    if (loaded.offset == NFT_META_NFPROTO && !value.empty()) {
      network_ = static_cast<std::uint8_t>(value[0]);
      return;
    }
    if (loaded.offset == NFT_META_PROTOCOL && value.size() == 2) {
      const auto ether = Cursor{value}.be<std::uint16_t>().value_or(0);
      network_ = ether == 0x0800 ? NFPROTO_IPV4 : ether == 0x86dd ? NFPROTO_IPV6 : 0;
      return;
    }
    if (loaded.offset == NFT_META_IIFNAME) return rule_.detail("InInterface", before + clean_text(value));
    if (loaded.offset == NFT_META_OIFNAME) return rule_.detail("OutInterface", before + clean_text(value));
    if ((loaded.offset == NFT_META_IIF || loaded.offset == NFT_META_OIF) && value.size() == 4) {
      std::uint32_t index = 0;
      std::memcpy(&index, value.data(), 4);
      return rule_.detail(loaded.offset == NFT_META_IIF ? "InInterface" : "OutInterface",
                          before + std::to_string(index));
    }
    return rule_.detail("Match", "meta " + std::to_string(loaded.offset) + " " + before + "0x" +
                                     to_hex(value.first(std::min<std::size_t>(value.size(), 32))));
  }
  if (loaded.what == Loaded::What::ct && loaded.offset == NFT_CT_STATE) {
    // "ct state a,b" is: state masked with a and b differs from zero.
    std::uint32_t bits = 0;
    const Bytes from = loaded.mask.empty() ? value : Bytes(loaded.mask);
    if (from.size() == 4) std::memcpy(&bits, from.data(), 4);
    const bool inverted = loaded.mask.empty() ? sign == "!" : sign.empty();
    return rule_.detail("CtState", (inverted ? "!" : "") + ct_state_text(bits));
  }
  constexpr std::string_view names[] = {"", "network", "transport", "meta", "ct", "other"};
  rule_.detail("Match", std::string(names[static_cast<std::size_t>(loaded.what)]) + " " +
                            std::to_string(loaded.offset) + " " + before + "0x" +
                            to_hex(value.first(std::min<std::size_t>(value.size(), 32))));
}

void Reader::read_range(Bytes data) {
  const Loaded& loaded = source(data, NFTA_RANGE_SREG);
  const NftField field = field_of(loaded);
  const std::string text =
      (attribute_u32(data, NFTA_RANGE_OP, 0) == NFT_RANGE_NEQ ? "!" : "") +
      value_text(field, loaded, attribute(attribute(data, NFTA_RANGE_FROM_DATA), NFTA_DATA_VALUE)) + "-" +
      value_text(field, loaded, attribute(attribute(data, NFTA_RANGE_TO_DATA), NFTA_DATA_VALUE));
  if (std::string* const target = text_of(field)) return add_text(*target, text);
  rule_.detail("Match", text);
}

void Reader::read_lookup(Bytes data) {
  const std::string set = name_of(attribute(data, NFTA_LOOKUP_SET));
  const Loaded& loaded = source(data, NFTA_LOOKUP_SREG);
  const bool inverted = (attribute_u32(data, NFTA_LOOKUP_FLAGS, 0) & NFT_LOOKUP_F_INV) != 0;
  if (!attribute(data, NFTA_LOOKUP_DREG).empty()) return decide("vmap @" + set);
  NftField field = field_of(loaded);
  const std::string text = (inverted ? "!@" : "@") + set;
  if (std::string* const target = text_of(field)) {
    add_text(*target, text);
    out_.lookups.push_back({field, set});
  } else if (loaded.what == Loaded::What::ct && loaded.offset == NFT_CT_STATE) {
    rule_.detail("CtState", text);
  } else {
    rule_.detail("Match", text);
  }
}

void Reader::read_immediate(Bytes data) {
  if (attribute_u32(data, NFTA_IMMEDIATE_DREG, 0xffff) != NFT_REG_VERDICT) {
    return load(data, NFTA_IMMEDIATE_DREG, {.what = Loaded::What::other});
  }
  const Bytes verdict = attribute(attribute(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
  const auto code = static_cast<std::int32_t>(attribute_u32(verdict, NFTA_VERDICT_CODE, 0));
  const std::string chain = name_of(attribute(verdict, NFTA_VERDICT_CHAIN));
  switch (code) {
    case NF_ACCEPT:
      return decide("accept");
    case NF_DROP:
      return decide("drop");
    case NFT_JUMP:
      return decide("jump " + chain);
    case NFT_GOTO:
      return decide("goto " + chain);
    case NFT_RETURN:
      return decide("return");
    case NFT_CONTINUE:
      return decide("continue");
    default:
      return decide((code & NF_VERDICT_MASK) == NF_QUEUE ? "queue" : "verdict " + std::to_string(code));
  }
}

}  // namespace

std::optional<NftTable> parse_nft_table(std::uint8_t family, Bytes attributes) {
  NftTable out{.family = family, .name = name_of(attribute(attributes, NFTA_TABLE_NAME))};
  out.dormant = (attribute_u32(attributes, NFTA_TABLE_FLAGS, 0) & NFT_TABLE_F_DORMANT) != 0;
  if (out.name.empty()) return std::nullopt;
  return out;
}

std::optional<NftChain> parse_nft_chain(std::uint8_t family, Bytes attributes) {
  NftChain out{.family = family,
               .table = name_of(attribute(attributes, NFTA_CHAIN_TABLE)),
               .name = name_of(attribute(attributes, NFTA_CHAIN_NAME))};
  if (out.table.empty() || out.name.empty()) return std::nullopt;
  if (const Bytes hook = attribute(attributes, NFTA_CHAIN_HOOK); !hook.empty()) {
    out.base = true;
    out.hook = attribute_u32(hook, NFTA_HOOK_HOOKNUM, 0);
    if (family == NFPROTO_NETDEV) out.hook = out.hook == 0 ? 5 : 4;
    out.hook_priority = static_cast<std::int32_t>(attribute_u32(hook, NFTA_HOOK_PRIORITY, 0));
  }
  out.policy = attribute_u32(attributes, NFTA_CHAIN_POLICY, NF_ACCEPT);
  return out;
}

std::optional<NftRule> parse_nft_rule(std::uint8_t family, Bytes attributes) {
  NftRule out{.table = name_of(attribute(attributes, NFTA_RULE_TABLE)),
              .chain = name_of(attribute(attributes, NFTA_RULE_CHAIN)),
              .handle = attribute_u64(attributes, NFTA_RULE_HANDLE, 0)};
  if (out.table.empty() || out.chain.empty()) return std::nullopt;
  Reader reader(family, out);
  std::size_t expressions = 0;
  for_each_attribute(attribute(attributes, NFTA_RULE_EXPRESSIONS), [&](std::uint16_t type, Bytes element) {
    if (type != NFTA_LIST_ELEM || ++expressions > kExpressionsMax) return;
    reader.read(name_of(attribute(element, NFTA_EXPR_NAME)), attribute(element, NFTA_EXPR_DATA));
  });
  reader.finish();
  // User data of nft(8): type, length, value; type 0 is the comment.
  Cursor user{attribute(attributes, NFTA_RULE_USERDATA)};
  while (user.remaining() >= 2) {
    const auto type = user.u8(), length = user.u8();
    const auto value = user.take(length.value_or(0));
    if (!value) break;
    if (type.value_or(255) == 0) out.rule.detail("Comment", clean_text(*value));
  }
  return out;
}

void parse_nft_elements(Bytes attributes, std::size_t elements_max, std::vector<NftElement>& out) {
  for_each_attribute(attribute(attributes, NFTA_SET_ELEM_LIST_ELEMENTS), [&](std::uint16_t type, Bytes element) {
    if (type != NFTA_LIST_ELEM || out.size() >= elements_max) return;
    const Bytes key = attribute(attribute(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
    const Bytes end = attribute(attribute(element, NFTA_SET_ELEM_KEY_END), NFTA_DATA_VALUE);
    out.push_back({.key = {key.begin(), key.end()},
                   .key_end = {end.begin(), end.end()},
                   .interval_end = (attribute_u32(element, NFTA_SET_ELEM_FLAGS, 0) & NFT_SET_ELEM_INTERVAL_END) != 0});
  });
}

std::string elements_text(NftField field, std::vector<NftElement> elements) {
  const auto text_of = [field](const std::vector<std::byte>& key) -> std::string {
    switch (field) {
      case NftField::source_port:
      case NftField::destination_port:
        return key.size() == 2 ? std::to_string(Cursor{Bytes(key)}.be<std::uint16_t>().value_or(0)) : "";
      case NftField::protocol:
        return key.empty() ? "" : protocol_text(static_cast<std::uint8_t>(key[0]));
      default:
        return prefix_text(key, {});
    }
  };
  std::ranges::sort(elements, [](const NftElement& a, const NftElement& b) {
    return std::tie(a.key, b.interval_end) < std::tie(b.key, a.interval_end);  // an end before the next begin
  });
  const bool intervals = std::ranges::any_of(elements, &NftElement::interval_end);
  std::string out;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].interval_end) continue;
    std::string one = text_of(elements[i].key);
    if (one.empty() || !elements[i].key_end.empty()) return {};
    if (i + 1 < elements.size() && elements[i + 1].interval_end) {
      std::vector<std::byte> last = elements[i + 1].key;  // exclusive: one less
      for (std::size_t at = last.size(); at > 0; --at) {
        last[at - 1] = static_cast<std::byte>(static_cast<unsigned>(last[at - 1]) - 1);
        if (last[at - 1] != std::byte{0xff}) break;
      }
      if (last != elements[i].key) one += "-" + text_of(last);
    } else if (intervals) {
      one += '-';  // without an end it goes to the last value there is
    }
    if (!out.empty()) out += ',';
    out += one;
  }
  return out.size() <= FirewallRule::kTextMax ? out : std::string();
}

std::string_view family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_NETDEV:
      return "netdev";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_IPV6:
      return "ip6";
    default:
      return "other";
  }
}

}  // namespace picket::agent
