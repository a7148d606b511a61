// The few messages to nf_tables that isolation needs, as one batch (linux/netfilter/nf_tables.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/record.h"
#include "base/core/bytes.h"

namespace picket::agent {

/// An address range: all addresses whose first `prefix_bits` are those of `address`.
struct Network {
  IpAddress address;
  std::uint8_t prefix_bits = 0;
  friend bool operator==(const Network&, const Network&) = default;
};

/// Appends messages; the kernel takes all of them or none. Names are of our own and short.
class NftBatch {
 public:
  NftBatch();
  void add_table(std::string_view table);
  void delete_table(std::string_view table);
  /// A base chain of family inet that drops what no rule accepts. `hook` is NF_INET_*.
  void add_dropping_chain(std::string_view table, std::string_view chain, std::uint32_t hook, std::int32_t priority);

  /// One rule, made of conditions that must all hold; it accepts.
  class Rule {
   public:
    Rule& loopback(bool input);
    Rule& protocol(std::uint8_t l4);
    Rule& family(std::uint8_t address_length);  ///< 4 or 16
    Rule& source(const Network& network);
    Rule& destination(const Network& network);
    Rule& source_port(std::uint16_t port);
    Rule& destination_port(std::uint16_t port);
    /// First byte of the header of layer 4: the type of ICMP and ICMPv6.
    Rule& icmp_type(std::uint8_t low, std::uint8_t high);

   private:
    friend class NftBatch;
    Rule& address(const Network& network, bool source);
    Rule& port(std::uint16_t port, std::uint32_t offset);
    Buffer expressions_;
  };
  void add_rule(std::string_view table, std::string_view chain, const Rule& accepts);

  /// The whole batch. No more is added after it.
  [[nodiscard]] const Buffer& finish();
  [[nodiscard]] std::uint32_t messages() const { return sequence_; }

 private:
  std::size_t begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family);
  void end(std::size_t at);

  Buffer bytes_;
  std::uint32_t sequence_ = 0;
};

/// Sends the batch to this network namespace and waits for the kernel's word. Errors: unsupported (no nf_tables), io.
Result<> send_batch(NftBatch& batch);

}  // namespace picket::agent
