// All indicators in force, as one immutable file that is mapped: docs/formats/intelligence-index.md.
//
// A look-up reads one cache line of the file for nearly everything that is not listed; what looks listed is compared
// byte by byte with the stored key, so there are no false hits. Any thread; the file may be replaced while it is open.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/hash.h"
#include "base/core/result.h"
#include "intelligence/indicator.h"

namespace picket::intelligence {

struct FeedLabel {
  std::string name;
  std::string licence;
  std::string reference;
};

/// Reads a mapped file. Every place in it is checked before it is read: a damaged file finds less, and harms nobody.
class Index {
 public:
  /// Errors: io, not_found, unsupported "intelligence.index.format", malformed "intelligence.index.…".
  static Result<std::shared_ptr<const Index>> open(const std::string& path);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  /// Exactly this indicator.
  [[nodiscard]] bool contains(Kind kind, std::string_view key) const {
    return probe(is_network(kind) ? networks_ : exact_, kind, key).has_value();
  }
  /// What feeds say of exactly this indicator, a network too; empty: it is not listed. Views live as long as the index.
  [[nodiscard]] std::vector<Listing> find(Kind kind, std::string_view key) const;
  /// Listed networks that an address (kind ipv4 or ipv6) is in, longest prefix first.
  [[nodiscard]] std::vector<Observable> networks_of(Kind kind, std::string_view address) const;

  /// The warning list that speaks for an indicator or an observed address: what is on it is no sign of anything.
  /// Empty: none does.
  [[nodiscard]] std::string_view warning_of(Kind kind, std::string_view key) const;

  [[nodiscard]] const std::vector<FeedLabel>& feeds() const { return feeds_; }
  [[nodiscard]] std::uint64_t size() const { return exact_.records + networks_.records; }
  [[nodiscard]] std::uint64_t count(Kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t warnings() const { return warnings_.records; }
  [[nodiscard]] std::uint64_t file_bytes() const { return bytes_.size(); }
  [[nodiscard]] std::uint8_t minimum_confidence() const { return minimum_confidence_; }
  [[nodiscard]] Timestamp made() const { return made_; }

  /// Calls each(Observable, listings) for every indicator, in no order that means anything.
  template <class Each>
  void for_each(Each&& each) const {
    for (const Table* table : {&exact_, &networks_}) {
      Place at = begin(*table);
      while (auto record = next(*table, at))
        each(Observable{record->kind, std::string(record->key)}, listings(*record));
    }
  }

 private:
  struct Table {
    std::uint64_t buckets = 0;  ///< 64 bytes each.
    std::uint64_t buckets_at = 0;
    std::uint64_t records_at = 0;
    std::uint64_t records_bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t lengths4 = 0;  ///< Bit n: there is a prefix of n bits.
    std::uint64_t lengths6[3] = {};
  };
  struct Record {
    Kind kind = Kind::ipv4;
    std::string_view key;
    Bytes listings;
    bool is_short = false;  ///< One listing, without reference.
  };
  using Place = std::uint64_t;  ///< From the first record of a table.

  Index() = default;
  Result<> read_header();
  Result<> read_labels();
  [[nodiscard]] std::optional<Record> probe(const Table& table, Kind kind, std::string_view key) const;
  [[nodiscard]] std::optional<Record> walk(const Table& table, Place at, unsigned count, std::uint32_t wanted,
                                           Kind kind, std::string_view key) const;
  [[nodiscard]] static Place begin(const Table&) { return 0; }
  [[nodiscard]] std::optional<Record> next(const Table& table, Place& at) const;
  [[nodiscard]] std::vector<Listing> listings(const Record& record) const;
  [[nodiscard]] std::string_view text_at(std::uint64_t number) const;
  template <class Each>
  bool any_network(const Table& table, Kind kind, std::string_view address, Each&& each) const;

  Bytes bytes_;  ///< The mapping.
  SipKey key_;
  Timestamp made_;
  std::uint8_t minimum_confidence_ = 0;
  Table exact_, networks_, warnings_;
  std::array<std::uint64_t, kKindMax + 1> counts_{};
  std::uint64_t infos_at_ = 0, infos_ = 0;
  std::uint64_t texts_at_ = 0, texts_ = 0, texts_bytes_ = 0;
  std::vector<FeedLabel> feeds_;
};

}  // namespace picket::intelligence
