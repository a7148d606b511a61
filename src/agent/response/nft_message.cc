#include "nft_message.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::uint16_t kNested = NLA_F_NESTED;
constexpr int kAnswerTimeoutMs = 2'000;

template <class T>
void put(Buffer& out, const T& value) {
  append(out, std::as_bytes(std::span(&value, 1)));
}
void align(Buffer& out) { out.resize((out.size() + 3) & ~std::size_t{3}); }

std::size_t open_attribute(Buffer& out, std::uint16_t type) {
  const std::size_t at = out.size();
  put(out, nlattr{.nla_len = 0, .nla_type = type});
  return at;
}
void close_attribute(Buffer& out, std::size_t at) {
  const auto length = static_cast<std::uint16_t>(out.size() - at);
  std::memcpy(out.data() + at, &length, sizeof length);
  align(out);
}
void attribute(Buffer& out, std::uint16_t type, Bytes value) {
  const auto at = open_attribute(out, type);
  append(out, value);
  close_attribute(out, at);
}
void text_attribute(Buffer& out, std::uint16_t type, std::string_view text) {
  const std::string with_end(text);
  attribute(out, type, std::as_bytes(std::span(with_end.c_str(), with_end.size() + 1)));
}
/// Numbers of nf_tables are big-endian.
void number_attribute(Buffer& out, std::uint16_t type, std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  attribute(out, type, std::as_bytes(std::span(&value, 1)));
}

/// One element of a rule's list of expressions; `fill` adds what stands in its data.
template <class Fill>
void expression(Buffer& out, std::string_view name, Fill&& fill) {
  const auto element = open_attribute(out, NFTA_LIST_ELEM | kNested);
  text_attribute(out, NFTA_EXPR_NAME, name);
  const auto data = open_attribute(out, NFTA_EXPR_DATA | kNested);
  fill();
  close_attribute(out, data);
  close_attribute(out, element);
}

void value_attribute(Buffer& out, std::uint16_t type, Bytes value) {
  const auto data = open_attribute(out, type | kNested);
  attribute(out, NFTA_DATA_VALUE, value);
  close_attribute(out, data);
}

void compare(Buffer& out, Bytes value, std::uint32_t operation = NFT_CMP_EQ) {
  expression(out, "cmp", [&] {
    number_attribute(out, NFTA_CMP_SREG, NFT_REG_1);
    number_attribute(out, NFTA_CMP_OP, operation);
    value_attribute(out, NFTA_CMP_DATA, value);
  });
}
void load_meta(Buffer& out, std::uint32_t key) {
  expression(out, "meta", [&] {
    number_attribute(out, NFTA_META_DREG, NFT_REG_1);
    number_attribute(out, NFTA_META_KEY, key);
  });
}
void load_payload(Buffer& out, std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
  expression(out, "payload", [&] {
    number_attribute(out, NFTA_PAYLOAD_DREG, NFT_REG_1);
    number_attribute(out, NFTA_PAYLOAD_BASE, base);
    number_attribute(out, NFTA_PAYLOAD_OFFSET, offset);
    number_attribute(out, NFTA_PAYLOAD_LEN, length);
  });
}
void mask(Buffer& out, Bytes bits) {
  const Buffer zeros(bits.size());
  expression(out, "bitwise", [&] {
    number_attribute(out, NFTA_BITWISE_SREG, NFT_REG_1);
    number_attribute(out, NFTA_BITWISE_DREG, NFT_REG_1);
    number_attribute(out, NFTA_BITWISE_LEN, static_cast<std::uint32_t>(bits.size()));
    value_attribute(out, NFTA_BITWISE_MASK, bits);
    value_attribute(out, NFTA_BITWISE_XOR, zeros);
  });
}

Bytes byte_of(const std::uint8_t& value) { return std::as_bytes(std::span(&value, 1)); }

}  // namespace

// ---- rules ----

NftBatch::Rule& NftBatch::Rule::loopback(bool input) {
  std::array<char, IFNAMSIZ> name{'l', 'o'};
  load_meta(expressions_, input ? NFT_META_IIFNAME : NFT_META_OIFNAME);
  compare(expressions_, std::as_bytes(std::span(name)));
  return *this;
}

NftBatch::Rule& NftBatch::Rule::family(std::uint8_t address_length) {
  load_meta(expressions_, NFT_META_NFPROTO);
  compare(expressions_, byte_of(address_length == 4 ? std::uint8_t{NFPROTO_IPV4} : std::uint8_t{NFPROTO_IPV6}));
  return *this;
}

NftBatch::Rule& NftBatch::Rule::protocol(std::uint8_t l4) {
  load_meta(expressions_, NFT_META_L4PROTO);
  compare(expressions_, byte_of(l4));
  return *this;
}

NftBatch::Rule& NftBatch::Rule::address(const Network& network, bool source) {
  const std::uint8_t length = network.address.length;
  family(length);
  // Offsets in the headers of IPv4 (RFC 791, 3.1) and IPv6 (RFC 8200, 3).
  const std::uint32_t offset = length == 4 ? (source ? 12 : 16) : (source ? 8 : 24);
  load_payload(expressions_, NFT_PAYLOAD_NETWORK_HEADER, offset, length);
  std::array<std::uint8_t, 16> bits{}, value{};
  for (std::size_t i = 0; i < length; ++i) {
    const int left = network.prefix_bits - static_cast<int>(i) * 8;
    bits[i] = left >= 8 ? 0xff : left <= 0 ? 0 : static_cast<std::uint8_t>(0xff << (8 - left));
    value[i] = network.address.bytes[i] & bits[i];
  }
  if (network.prefix_bits < length * 8) mask(expressions_, std::as_bytes(std::span(bits).first(length)));
  compare(expressions_, std::as_bytes(std::span(value).first(length)));
  return *this;
}
NftBatch::Rule& NftBatch::Rule::source(const Network& network) { return address(network, true); }
NftBatch::Rule& NftBatch::Rule::destination(const Network& network) { return address(network, false); }

NftBatch::Rule& NftBatch::Rule::port(std::uint16_t port, std::uint32_t offset) {
  const std::array<std::uint8_t, 2> wire{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
  load_payload(expressions_, NFT_PAYLOAD_TRANSPORT_HEADER, offset, wire.size());
  compare(expressions_, std::as_bytes(std::span(wire)));
  return *this;
}
NftBatch::Rule& NftBatch::Rule::source_port(std::uint16_t value) { return port(value, 0); }
NftBatch::Rule& NftBatch::Rule::destination_port(std::uint16_t value) { return port(value, 2); }

NftBatch::Rule& NftBatch::Rule::icmp_type(std::uint8_t low, std::uint8_t high) {
  load_payload(expressions_, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
  compare(expressions_, byte_of(low), NFT_CMP_GTE);
  compare(expressions_, byte_of(high), NFT_CMP_LTE);
  return *this;
}

// ---- messages ----

NftBatch::NftBatch() { end(begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC)); }

std::size_t NftBatch::begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family) {
  const bool control = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
  const std::size_t at = bytes_.size();
  put(bytes_, nlmsghdr{.nlmsg_len = 0,
                       .nlmsg_type = static_cast<std::uint16_t>(control ? type : NFNL_SUBSYS_NFTABLES << 8 | type),
                       .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | (control ? 0 : NLM_F_ACK) | flags),
                       .nlmsg_seq = sequence_++,
                       .nlmsg_pid = 0});
  const std::uint16_t resource = control ? NFNL_SUBSYS_NFTABLES : 0;
  put(bytes_, nfgenmsg{.nfgen_family = family,
                       .version = NFNETLINK_V0,
                       .res_id = static_cast<__be16>(resource << 8 | resource >> 8)});
  return at;
}

void NftBatch::end(std::size_t at) {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - at);
  std::memcpy(bytes_.data() + at, &length, sizeof length);
}

void NftBatch::add_table(std::string_view table) {
  const auto at = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, NFPROTO_INET);
  text_attribute(bytes_, NFTA_TABLE_NAME, table);
  end(at);
}

void NftBatch::delete_table(std::string_view table) {
  const auto at = begin(NFT_MSG_DELTABLE, 0, NFPROTO_INET);
  text_attribute(bytes_, NFTA_TABLE_NAME, table);
  end(at);
}

void NftBatch::add_dropping_chain(std::string_view table, std::string_view chain, std::uint32_t hook,
                                  std::int32_t priority) {
  const auto at = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_INET);
  text_attribute(bytes_, NFTA_CHAIN_TABLE, table);
  text_attribute(bytes_, NFTA_CHAIN_NAME, chain);
  const auto place = open_attribute(bytes_, NFTA_CHAIN_HOOK | kNested);
  number_attribute(bytes_, NFTA_HOOK_HOOKNUM, hook);
  number_attribute(bytes_, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
  close_attribute(bytes_, place);
  number_attribute(bytes_, NFTA_CHAIN_POLICY, NF_DROP);
  text_attribute(bytes_, NFTA_CHAIN_TYPE, "filter");
  end(at);
}

void NftBatch::add_rule(std::string_view table, std::string_view chain, const Rule& accepts) {
  const auto at = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET);
  text_attribute(bytes_, NFTA_RULE_TABLE, table);
  text_attribute(bytes_, NFTA_RULE_CHAIN, chain);
  const auto list = open_attribute(bytes_, NFTA_RULE_EXPRESSIONS | kNested);
  append(bytes_, accepts.expressions_);
  expression(bytes_, "immediate", [&] {
    number_attribute(bytes_, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const auto data = open_attribute(bytes_, NFTA_IMMEDIATE_DATA | kNested);
    const auto verdict = open_attribute(bytes_, NFTA_DATA_VERDICT | kNested);
    number_attribute(bytes_, NFTA_VERDICT_CODE, NF_ACCEPT);
    close_attribute(bytes_, verdict);
    close_attribute(bytes_, data);
  });
  close_attribute(bytes_, list);
  end(at);
}

const Buffer& NftBatch::finish() {
  end(begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC));
  return bytes_;
}

// ---- to the kernel ----

Result<> send_batch(NftBatch& batch) {
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket.valid()) {
    return errno == EPROTONOSUPPORT ? Result<>(fail(Errc::unsupported, "response.isolation.netlink"))
                                    : Result<>(fail_errno("response.isolation.netlink"));
  }
  const timeval patience{.tv_sec = kAnswerTimeoutMs / 1'000, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof yes);
  const Buffer& bytes = batch.finish();
  // Each change is acknowledged, but only once the kernel has taken all of them. The end of the batch is not.
  const std::uint32_t last = batch.messages() - 2;
  if (::send(socket.get(), bytes.data(), bytes.size(), 0) < 0) return fail_errno("response.isolation.send");
  for (;;) {
    alignas(nlmsghdr) std::array<char, 8'192> answer;
    const ssize_t n = ::recv(socket.get(), answer.data(), answer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("response.isolation.answer");
    for (std::size_t at = 0; at + sizeof(nlmsghdr) + sizeof(int) <= static_cast<std::size_t>(n);) {
      nlmsghdr header;
      std::memcpy(&header, answer.data() + at, sizeof header);
      if (header.nlmsg_len < sizeof header) return fail(Errc::internal, "response.isolation.answer");
      if (header.nlmsg_type == NLMSG_ERROR) {
        int error = 0;
        std::memcpy(&error, answer.data() + at + sizeof header, sizeof error);
        if (error != 0) {
          errno = -error;
          return errno == EOPNOTSUPP || errno == EAFNOSUPPORT
                     ? Result<>(fail(Errc::unsupported, "response.isolation.nf_tables"))
                     : Result<>(fail_errno("response.isolation.nf_tables"));
        }
        if (header.nlmsg_seq == last) return {};
      }
      at += (header.nlmsg_len + 3) & ~std::uint32_t{3};
    }
  }
}

}  // namespace picket::agent
