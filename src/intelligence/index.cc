#include "intelligence/index.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/core/cursor.h"
#include "base/core/file.h"
#include "index_format.h"
#include "varint.h"

namespace picket::intelligence {
namespace {

constexpr Duration kHour = Duration::hours(1);
constexpr std::size_t kListingsMax = 4096;  ///< Of one indicator, that anybody reads.

std::uint64_t load_le(const std::byte* at, unsigned bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, bytes);
  return value;
}

/// Hours, as the file has them. A later one than a timestamp can hold is the last that it can.
Timestamp time_at(const std::byte* at) {
  constexpr auto kHoursMax = std::numeric_limits<std::int64_t>::max() / kHour.us;
  return {std::min(static_cast<std::int64_t>(load_le(at, 4)), kHoursMax) * kHour.us};
}

std::string masked(std::string_view address, unsigned length) {
  std::string out(address);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned kept = length <= i * 8 ? 0 : std::min<unsigned>(8, length - static_cast<unsigned>(i) * 8);
    out[i] = static_cast<char>(static_cast<unsigned char>(out[i]) & (0xFF00U >> kept));
  }
  out += static_cast<char>(length);
  return out;
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "the file is read as it stands");

Result<std::shared_ptr<const Index>> Index::open(const std::string& path) {
  TRY(const UniqueFd file, open_file(path, O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return fail_errno("intelligence.index.stat");
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size < kHeaderBytes) return fail(Errc::malformed, "intelligence.index.size");
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return fail_errno("intelligence.index.map");
  std::shared_ptr<Index> out(new Index);
  out->bytes_ = Bytes(static_cast<const std::byte*>(mapped), size);
  // Look-ups go anywhere: what lies beside a place is not wanted next. Buckets are, all of them, in large pages if
  // there are such.
  static_cast<void>(::madvise(mapped, size, MADV_RANDOM));
  TRY_VOID(out->read_header());
  TRY_VOID(out->read_labels());
  return std::shared_ptr<const Index>(std::move(out));
}

Index::~Index() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<> Index::read_header() {
  const Bytes header = bytes_.first(kHeaderBytes);
  if (as_text(header.first(kIndexMagic.size())) != kIndexMagic)
    return fail(Errc::malformed, "intelligence.index.magic");
  Cursor in(header.subspan(kIndexMagic.size()));
  TRY(const auto format, in.le<std::uint32_t>());
  if (format != kIndexFormat) return fail(Errc::unsupported, "intelligence.index.format", format);
  if (crc32c(header.first(kHeaderBytes - 4)) != load_le(header.data() + kHeaderBytes - 4, 4)) {
    return fail(Errc::malformed, "intelligence.index.header");
  }
  TRY(const auto minimum, in.le<std::uint32_t>());
  minimum_confidence_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(minimum, 255));
  TRY(key_.k0, in.le<std::uint64_t>());
  TRY(key_.k1, in.le<std::uint64_t>());
  TRY(const auto made, in.le<std::uint64_t>());
  made_ = {static_cast<std::int64_t>(made)};
  TRY(const auto size, in.le<std::uint64_t>());
  if (size != bytes_.size()) return fail(Errc::truncated, "intelligence.index.size", size);
  const auto inside = [size](std::uint64_t at, std::uint64_t length) { return at <= size && length <= size - at; };
  for (Table* table : {&exact_, &networks_, &warnings_}) {
    for (std::uint64_t* field :
         {&table->buckets, &table->buckets_at, &table->records_at, &table->records_bytes, &table->records,
          &table->lengths4, &table->lengths6[0], &table->lengths6[1], &table->lengths6[2]}) {
      TRY(*field, in.le<std::uint64_t>());
    }
    if (table->buckets > size / kBucketBytes || !inside(table->buckets_at, table->buckets * kBucketBytes) ||
        table->buckets_at % kBucketBytes != 0 || !inside(table->records_at, table->records_bytes)) {
      return fail(Errc::malformed, "intelligence.index.table");
    }
  }
  for (std::uint64_t* field : {&infos_at_, &infos_, &texts_at_, &texts_, &texts_bytes_}) {
    TRY(*field, in.le<std::uint64_t>());
  }
  for (std::size_t kind = 0; kind < counts_.size(); ++kind) counts_[kind] = load_le(&header[kCountsAt + kind * 8], 8);
  if (infos_ > size / kInfoBytes || !inside(infos_at_, infos_ * kInfoBytes) || texts_ > size / 8 ||
      !inside(texts_at_, texts_ * 8) || !inside(texts_at_ + texts_ * 8, texts_bytes_)) {
    return fail(Errc::malformed, "intelligence.index.labels");
  }
  return {};
}

/// Texts 0, 1, 2 are those of the first feed, and so on; then come threats and the names of warning lists.
Result<> Index::read_labels() {
  TRY(const auto count, Cursor(bytes_.subspan(kHeaderBytes - 8, 4)).le<std::uint32_t>());
  if (std::uint64_t{count} * 3 > texts_) return fail(Errc::malformed, "intelligence.index.feeds");
  for (std::uint64_t i = 0; i < count; ++i) {
    feeds_.push_back({std::string(text_at(i * 3)), std::string(text_at(i * 3 + 1)), std::string(text_at(i * 3 + 2))});
  }
  return {};
}

std::string_view Index::text_at(std::uint64_t number) const {
  if (number >= texts_) return {};
  const std::byte* ends = bytes_.data() + texts_at_;
  const std::uint64_t begin = number == 0 ? 0 : load_le(ends + (number - 1) * 8, 8);
  const std::uint64_t end = load_le(ends + number * 8, 8);
  if (begin > end || end > texts_bytes_) return {};
  return as_text(bytes_.subspan(texts_at_ + texts_ * 8 + begin, end - begin));
}

std::optional<Index::Record> Index::next(const Table& table, Place& at) const {
  if (at >= table.records_bytes) return std::nullopt;
  Cursor in(bytes_.subspan(table.records_at + at, table.records_bytes - at));
  const auto damaged = [&] {
    at = table.records_bytes;  // there is no way on from here
    return std::nullopt;
  };
  const auto head = in.u8();
  if (!head) return damaged();
  const auto kind = static_cast<std::uint8_t>(*head & ~kShortRecord);
  const auto key = get_text(in);
  if (kind == 0 || kind > kKindMax || !key) return damaged();
  const bool is_short = (*head & kShortRecord) != 0;
  std::uint64_t size = 0;
  if (is_short) {
    Cursor inside = in;
    if (!get_varint(inside) || !get_varint(inside)) return damaged();
    size = inside.offset() - in.offset();
  } else {
    const auto said = get_varint(in);
    if (!said || *said > in.remaining()) return damaged();
    size = *said;
  }
  const Bytes listings = *in.take(static_cast<std::size_t>(size));
  at += in.offset();
  return Record{static_cast<Kind>(kind), *key, listings, is_short};
}

/// The records of one bucket, from `at` on; `wanted` has a bit for each that may be it.
std::optional<Index::Record> Index::walk(const Table& table, Place at, unsigned count, std::uint32_t wanted, Kind kind,
                                         std::string_view key) const {
  for (unsigned i = 0; i < count; ++i) {
    const auto record = next(table, at);
    if (!record) return std::nullopt;
    if (i < 32 && (wanted >> i & 1U) == 0) continue;
    if (record->kind == kind && record->key == key) return record;
  }
  return std::nullopt;
}

std::optional<Index::Record> Index::probe(const Table& table, Kind kind, std::string_view key) const {
  if (table.buckets == 0) return std::nullopt;
  const std::uint64_t hash = key_hash(key_, kind, key);
  const std::byte* bucket = bytes_.data() + table.buckets_at + bucket_of(hash, table.buckets) * kBucketBytes;
  const auto count = static_cast<unsigned>(bucket[5]);
  const Place at = load_le(bucket, 5);
  if (count == kCrowded) {
    return walk(table, at, static_cast<unsigned>(load_le(bucket + 6, 2)), ~0U, kind, key);
  }
  std::array<std::uint16_t, kPrintsMax> prints;  // NOLINT: filled by the next line
  std::memcpy(prints.data(), bucket + 6, sizeof(prints));
  const std::uint16_t print = print_of(hash);
  std::uint32_t wanted = 0;
  for (unsigned i = 0; i < kPrintsMax; ++i) wanted |= static_cast<std::uint32_t>(prints[i] == print) << i;
  wanted &= count >= kPrintsMax ? ~0U >> (32 - kPrintsMax) : (1U << count) - 1;
  if (wanted == 0) [[likely]] {
    return std::nullopt;
  }
  return walk(table, at, std::min(count, kPrintsMax), wanted, kind, key);
}

std::vector<Listing> Index::listings(const Record& record) const {
  std::vector<Listing> out;
  Cursor in(record.listings);
  while (!in.empty() && out.size() < kListingsMax) {
    const auto info = get_varint(in);
    const auto threat = get_varint(in);
    const auto reference = record.is_short ? Result<std::string_view>(std::string_view()) : get_text(in);
    if (!info || !threat || !reference || *info >= infos_) break;
    const std::byte* at = bytes_.data() + infos_at_ + *info * kInfoBytes;
    Listing listing;
    listing.feed = static_cast<std::uint16_t>(load_le(at, 2));
    listing.confidence = static_cast<std::uint8_t>(at[2]);
    listing.decay = static_cast<Decay>(std::min<unsigned>(static_cast<unsigned>(at[3]), 2));
    listing.from = time_at(at + 4);
    listing.until = time_at(at + 8);
    listing.threat = *threat == 0 ? std::string_view() : text_at(*threat);
    listing.reference = *reference;
    if (listing.feed >= feeds_.size()) break;
    out.push_back(listing);
  }
  return out;
}

std::vector<Listing> Index::find(Kind kind, std::string_view key) const {
  const auto record = probe(is_network(kind) ? networks_ : exact_, kind, key);
  return record ? listings(*record) : std::vector<Listing>();
}

template <class Each>
bool Index::any_network(const Table& table, Kind kind, std::string_view address, Each&& each) const {
  const bool ipv4 = kind == Kind::ipv4;
  if (table.records == 0 || address.size() != (ipv4 ? 4U : 16U)) return false;
  for (int length = ipv4 ? 31 : 127; length >= 0; --length) {
    const auto bit = static_cast<unsigned>(length);
    const std::uint64_t word = ipv4 ? table.lengths4 : table.lengths6[bit / 64];
    if ((word >> (bit % 64) & 1U) == 0) continue;
    if (each(Observable{ipv4 ? Kind::network4 : Kind::network6, masked(address, bit)})) return true;
  }
  return false;
}

std::vector<Observable> Index::networks_of(Kind kind, std::string_view address) const {
  std::vector<Observable> out;
  any_network(networks_, kind, address, [&](Observable network) {
    if (probe(networks_, network.kind, network.key)) out.push_back(std::move(network));
    return false;
  });
  return out;
}

std::string_view Index::warning_of(Kind kind, std::string_view key) const {
  if (warnings_.records == 0) return {};
  std::string_view list;
  const auto named = [&](Kind of, std::string_view what) {
    const auto record = probe(warnings_, of, what);
    if (!record) return false;
    Cursor in(record->listings);
    const auto number = get_varint(in);
    list = number ? text_at(*number) : std::string_view();
    return true;
  };
  if (named(kind, key)) return list;
  switch (kind) {
    case Kind::ipv4:
    case Kind::ipv6:
      any_network(warnings_, kind, key, [&](const Observable& network) { return named(network.kind, network.key); });
      break;
    case Kind::endpoint4:
    case Kind::endpoint6:
      return warning_of(kind == Kind::endpoint4 ? Kind::ipv4 : Kind::ipv6, key.substr(0, key.size() - 2));
    case Kind::network4:
    case Kind::network6:
      // The whole network is inside a listed one.
      if (key.empty()) break;
      any_network(warnings_, kind == Kind::network4 ? Kind::ipv4 : Kind::ipv6, key.substr(0, key.size() - 1),
                  [&](const Observable& network) {
                    return network.key.back() <= key.back() && named(network.kind, network.key);
                  });
      break;
    case Kind::domain:
      if (named(Kind::exact_domain, key)) break;
      for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1)) {
        if (named(Kind::domain, key.substr(dot + 1))) break;
      }
      break;
    default:
      break;
  }
  return list;
}

}  // namespace picket::intelligence
