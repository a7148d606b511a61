#include "intelligence/index_builder.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/byte_writer.h"
#include "base/core/check.h"
#include "base/core/random.h"
#include "index_format.h"
#include "sorted_parts.h"
#include "varint.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kTextsMax = 1'000'000;
constexpr std::size_t kInfosMax = 1'000'000;  ///< Beyond them times are whole days.
constexpr std::size_t kWriteBytes = 1U << 20;

/// Writes forward from a place in a file.
class Stream {
 public:
  Stream(int file, std::uint64_t at) : file_(file), begin_(at), at_(at) {}
  Result<> write(Bytes bytes) {
    append(buffer_, bytes);
    return buffer_.size() < kWriteBytes ? Result<>{} : flush();
  }
  Result<> flush() {
    TRY_VOID(write_all_at(file_, buffer_, at_));
    at_ += buffer_.size();
    buffer_.clear();
    return {};
  }
  [[nodiscard]] std::uint64_t written() const { return at_ - begin_ + buffer_.size(); }

 private:
  int file_;
  std::uint64_t begin_, at_;
  Buffer buffer_;
};

/// Numbers for texts, in the order in which they first came.
class Texts {
 public:
  /// 0 is the empty text when it was added first; beyond the bound every new text is the empty one.
  std::uint64_t number(std::string_view text) {
    if (const auto found = numbers_.find(std::string(text)); found != numbers_.end()) return found->second;
    if (numbers_.size() >= kTextsMax) return 0;
    return numbers_.emplace(std::string(text), add(text)).first->second;
  }
  /// A number of its own, also when the text is there already.
  std::uint64_t add(std::string_view text) {
    blob_ += text;
    ends_.push_back(blob_.size());
    return ends_.size() - 1;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& ends() const { return ends_; }
  [[nodiscard]] const std::string& blob() const { return blob_; }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::vector<std::uint64_t> ends_;
  std::string blob_;
};

struct Lengths {
  std::uint64_t ipv4 = 0;
  std::array<std::uint64_t, 3> ipv6{};
  void see(const Observable& what) {
    if (!is_network(what.kind)) return;
    const auto length = static_cast<unsigned char>(what.key.back());
    (what.kind == Kind::network4 ? ipv4 : ipv6[length / 64]) |= std::uint64_t{1} << (length % 64);
  }
};

struct TablePlace {
  std::uint64_t buckets = 0, buckets_at = 0, records_at = 0, records_bytes = 0, records = 0;
};

std::uint32_t hours_of(Timestamp time, bool whole_days) {
  const std::int64_t hours = std::clamp<std::int64_t>(time.us / Duration::hours(1).us, 0, 0xFFFF'FFFF);
  return static_cast<std::uint32_t>(whole_days ? hours / 24 * 24 : hours);
}

std::uint64_t round_up(std::uint64_t at) { return (at + kBucketBytes - 1) / kBucketBytes * kBucketBytes; }

}  // namespace

class IndexBuilder::Impl {
 public:
  explicit Impl(IndexOptions options)
      : options_(std::move(options)),
        exact_(options_.path + ".exact"),
        networks_(options_.path + ".networks"),
        warnings_(options_.path + ".warnings") {
    std::array<std::byte, 16> random{};
    random_bytes(random);
    Cursor in{Bytes(random)};
    key_ = {*in.le<std::uint64_t>(), *in.le<std::uint64_t>()};
    for (const FeedLabel& feed : options_.feeds) {
      for (const std::string* text : {&feed.name, &feed.licence, &feed.reference}) texts_.add(*text);
    }
    report_.kept_out.resize(options_.feeds.size());
  }
  ~Impl() {
    ::unlink((options_.path + ".new").c_str());
    ::unlink((options_.path + ".guard").c_str());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<> add_warning(const Observable& what, std::string_view list);
  Result<> add(const Observable& what, const Listing& listing);
  Result<BuildReport> finish();

 private:
  std::uint32_t info_of(const Listing& listing);
  Result<> write_file(const std::string& path, bool warnings_only);
  Result<TablePlace> write_table(int file, std::uint64_t at, const SortedParts& parts, bool count);
  [[nodiscard]] Buffer header(std::uint64_t size, const std::array<TablePlace, 3>& tables,
                              const std::array<std::uint64_t, 5>& labels) const;

  IndexOptions options_;
  SipKey key_;
  SortedParts exact_, networks_, warnings_;
  Lengths network_lengths_, warning_lengths_;
  Texts texts_;
  std::unordered_map<std::string, std::uint32_t> info_numbers_;
  Buffer infos_;
  std::shared_ptr<const Index> guard_;  ///< The warning lists, for add().
  std::array<std::uint64_t, kKindMax + 1> counts_{};
  BuildReport report_;
};

Result<> IndexBuilder::Impl::add_warning(const Observable& what, std::string_view list) {
  CHECK(guard_ == nullptr, "warning lists come before indicators");
  if (warnings_.added() >= kWarningsMax) return fail(Errc::limit_exceeded, "intelligence.warnings", kWarningsMax);
  Buffer payload;
  ByteWriter out(payload);
  put_varint(out, texts_.number(list));
  warning_lengths_.see(what);
  return warnings_.add(key_hash(key_, what.kind, what.key), what.kind, what.key, payload);
}

std::uint32_t IndexBuilder::Impl::info_of(const Listing& listing) {
  const bool days = info_numbers_.size() >= kInfosMax;
  Buffer info;
  ByteWriter out(info);
  out.le(listing.feed).u8(listing.confidence).u8(static_cast<std::uint8_t>(listing.decay));
  out.le(hours_of(listing.from, days));
  // Rounded up, but never to 0, which is for ever.
  const Timestamp until = listing.until + Duration{listing.until.us == 0 ? 0 : Duration::hours(1).us - 1};
  out.le(listing.until.us == 0 ? 0U : std::max(1U, hours_of(until, days))).le(std::uint32_t{0});
  const auto [found, is_new] =
      info_numbers_.emplace(std::string(as_text(info)), static_cast<std::uint32_t>(infos_.size() / kInfoBytes));
  if (is_new) append(infos_, info);
  return found->second;
}

Result<> IndexBuilder::Impl::add(const Observable& what, const Listing& listing) {
  CHECK(listing.feed < options_.feeds.size(), "a listing names its feed");
  CHECK(what.key.size() <= kKeyBytesMax, "keys come from the parsers of observable.h");
  if (exact_.added() + networks_.added() >= kIndicatorsMax) {
    return fail(Errc::limit_exceeded, "intelligence.indicators", kIndicatorsMax);
  }
  if (guard_ == nullptr) {
    const std::string path = options_.path + ".guard";
    TRY_VOID(write_file(path, true));
    TRY(guard_, Index::open(path));
    ::unlink(path.c_str());
  }
  if (!guard_->warning_of(what.kind, what.key).empty()) {
    ++report_.kept_out[listing.feed];
    return {};
  }
  Buffer payload;
  ByteWriter out(payload);
  put_varint(out, info_of(listing));
  put_varint(out, listing.threat.empty() ? 0 : texts_.number(listing.threat.substr(0, kThreatBytesMax)));
  const bool printable =
      std::ranges::all_of(listing.reference, [](char c) { return static_cast<unsigned char>(c) >= ' '; });
  put_text(out, printable ? listing.reference.substr(0, kReferenceBytesMax) : std::string_view());
  ++report_.listings;
  if (is_network(what.kind)) network_lengths_.see(what);
  SortedParts& parts = is_network(what.kind) ? networks_ : exact_;
  return parts.add(key_hash(key_, what.kind, what.key), what.kind, what.key, payload);
}

/// Buckets and records side by side, each written forward.
Result<TablePlace> IndexBuilder::Impl::write_table(int file, std::uint64_t at, const SortedParts& parts, bool count) {
  TablePlace out;
  out.buckets = parts.added() == 0 ? 0 : parts.added() / kBucketLoad + 1;
  out.buckets_at = round_up(at);
  out.records_at = out.buckets_at + out.buckets * kBucketBytes;
  Stream buckets(file, out.buckets_at);
  Stream records(file, out.records_at);
  std::uint64_t bucket = 0;
  std::uint64_t begin = 0;
  std::vector<std::uint16_t> prints;
  const auto close_bucket = [&]() -> Result<> {
    Buffer line;
    ByteWriter writer(line);
    if (prints.size() > kCrowdMax) return fail(Errc::limit_exceeded, "intelligence.index.bucket");
    const bool crowded = prints.size() > kPrintsMax;
    writer.le(static_cast<std::uint32_t>(begin)).u8(static_cast<std::uint8_t>(begin >> 32));
    writer.u8(static_cast<std::uint8_t>(crowded ? kCrowded : prints.size()));
    if (crowded) prints.assign(1, static_cast<std::uint16_t>(prints.size()));
    for (const std::uint16_t print : prints) writer.le(print);
    line.resize(kBucketBytes);
    prints.clear();
    begin = records.written();
    ++bucket;
    return buckets.write(line);
  };
  Buffer record;
  TRY_VOID(parts.for_each(
      [&](std::uint64_t hash, Kind kind, std::string_view key, std::span<const Bytes> payloads) -> Result<> {
        while (bucket < bucket_of(hash, out.buckets)) TRY_VOID(close_bucket());
        record.clear();
        ByteWriter writer(record);
        // A reference's length stands last in a payload: 0 is none.
        const bool is_short = count && payloads.size() == 1 && payloads.front().back() == std::byte{0};
        writer.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) | (is_short ? kShortRecord : 0)));
        put_text(writer, key);
        if (is_short) {
          writer.bytes(payloads.front().first(payloads.front().size() - 1));
        } else {
          std::size_t bytes = 0;
          for (const Bytes payload : payloads) bytes += payload.size();
          put_varint(writer, bytes);
          for (const Bytes payload : payloads) writer.bytes(payload);
        }
        prints.push_back(print_of(hash));
        ++out.records;
        if (count) ++counts_[static_cast<std::size_t>(kind)];
        if (count && (options_.before == nullptr || !options_.before->contains(kind, key))) ++report_.added;
        return records.write(record);
      }));
  while (bucket < out.buckets) TRY_VOID(close_bucket());
  TRY_VOID(buckets.flush());
  TRY_VOID(records.flush());
  out.records_bytes = records.written();
  return out;
}

Buffer IndexBuilder::Impl::header(std::uint64_t size, const std::array<TablePlace, 3>& tables,
                                  const std::array<std::uint64_t, 5>& labels) const {
  Buffer out;
  ByteWriter writer(out);
  writer.text(kIndexMagic).le(kIndexFormat).le(std::uint32_t{options_.minimum_confidence});
  writer.le(key_.k0).le(key_.k1).le(static_cast<std::uint64_t>(options_.made.us)).le(size);
  const std::array<Lengths, 3> lengths{Lengths{}, network_lengths_, warning_lengths_};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const TablePlace& table = tables[i];
    writer.le(table.buckets).le(table.buckets_at).le(table.records_at).le(table.records_bytes).le(table.records);
    writer.le(lengths[i].ipv4);
    for (const std::uint64_t word : lengths[i].ipv6) writer.le(word);
  }
  for (const std::uint64_t label : labels) writer.le(label);
  out.resize(kCountsAt);
  for (const std::uint64_t count : counts_) writer.le(count);
  out.resize(kHeaderBytes - 8);
  writer.le(static_cast<std::uint32_t>(options_.feeds.size()));
  writer.le(crc32c(out));
  return out;
}

Result<> IndexBuilder::Impl::write_file(const std::string& path, bool warnings_only) {
  TRY(const UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC));
  const SortedParts none("");
  std::array<TablePlace, 3> tables;
  TRY(tables[0], write_table(file.get(), kHeaderBytes, warnings_only ? none : exact_, true));
  TRY(tables[1],
      write_table(file.get(), tables[0].records_at + tables[0].records_bytes, warnings_only ? none : networks_, true));
  TRY(tables[2], write_table(file.get(), tables[1].records_at + tables[1].records_bytes, warnings_, false));
  std::array<std::uint64_t, 5> labels{};
  labels[0] = round_up(tables[2].records_at + tables[2].records_bytes);
  labels[1] = infos_.size() / kInfoBytes;
  labels[2] = labels[0] + infos_.size();
  labels[3] = texts_.ends().size();
  labels[4] = texts_.blob().size();
  Stream out(file.get(), labels[0]);
  TRY_VOID(out.write(infos_));
  Buffer ends;
  for (const std::uint64_t end : texts_.ends()) ByteWriter(ends).le(end);
  TRY_VOID(out.write(ends));
  TRY_VOID(out.write(as_bytes(texts_.blob())));
  TRY_VOID(out.flush());
  const std::uint64_t size = labels[0] + out.written();
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return fail_errno("intelligence.index.size");
  TRY_VOID(write_all_at(file.get(), header(size, tables, labels), 0));
  if (warnings_only) {
    report_.added = 0;
    return {};
  }
  if (::fsync(file.get()) != 0) return fail_errno("intelligence.index.sync");
  report_.indicators = tables[0].records + tables[1].records;
  report_.warnings = tables[2].records;
  report_.file_bytes = size;
  return {};
}

Result<BuildReport> IndexBuilder::Impl::finish() {
  const std::string path = options_.path + ".new";
  TRY_VOID(write_file(path, false));
  if (::rename(path.c_str(), options_.path.c_str()) != 0) return fail_errno("intelligence.index.rename");
  const auto slash = options_.path.rfind('/');
  TRY_VOID(sync_directory(slash == std::string::npos ? "." : options_.path.substr(0, slash)));
  return report_;
}

IndexBuilder::IndexBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IndexBuilder::~IndexBuilder() = default;

Result<std::unique_ptr<IndexBuilder>> IndexBuilder::make(IndexOptions options) {
  if (options.feeds.size() > kFeedsMax) return fail(Errc::limit_exceeded, "intelligence.feeds", kFeedsMax);
  return std::unique_ptr<IndexBuilder>(new IndexBuilder(std::make_unique<Impl>(std::move(options))));
}

Result<> IndexBuilder::add_warning(const Observable& what, std::string_view list) {
  return impl_->add_warning(what, list);
}
Result<> IndexBuilder::add(const Observable& what, const Listing& listing) { return impl_->add(what, listing); }
Result<BuildReport> IndexBuilder::finish() { return impl_->finish(); }

}  // namespace picket::intelligence
