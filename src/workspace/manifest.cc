#include "manifest.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/core/hash.h"
#include "workspace/files.h"
#include "workspace/schema.h"

namespace picket::workspace {
namespace {

constexpr std::string_view kMagic = "picket-segments";

/// Words of one line, and where it began.
class Line {
 public:
  Line(std::string_view text, std::uint64_t offset) : rest_(text), offset_(offset) {}

  Result<std::string_view> word() {
    if (rest_.empty()) return fail(Errc::malformed, "workspace.manifest.line", offset_);
    const auto space = rest_.find(' ');
    const auto out = rest_.substr(0, space);
    rest_ = space == std::string_view::npos ? std::string_view{} : rest_.substr(space + 1);
    if (out.empty()) return fail(Errc::malformed, "workspace.manifest.word", offset_);
    return out;
  }
  Result<> expect(std::string_view keyword) {
    TRY(const auto found, word());
    if (found != keyword) return fail(Errc::malformed, "workspace.manifest.keyword", offset_);
    return {};
  }
  template <class T>
  Result<T> number(int base = 10) {
    TRY(const auto found, word());
    T value{};
    const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), value, base);
    if (error != std::errc{} || end != found.data() + found.size()) {
      return fail(Errc::malformed, "workspace.manifest.number", offset_);
    }
    return value;
  }
  Result<> end() const {
    if (!rest_.empty()) return fail(Errc::malformed, "workspace.manifest.line_end", offset_);
    return {};
  }

 private:
  std::string_view rest_;
  std::uint64_t offset_;
};

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  Result<Line> next() {
    const auto end = text_.find('\n', at_);
    if (end == std::string_view::npos) return fail(Errc::truncated, "workspace.manifest", at_);
    Line line(text_.substr(at_, end - at_), at_);
    at_ = end + 1;
    return line;
  }
  [[nodiscard]] bool next_begins_with(std::string_view keyword) const { return text_.substr(at_).starts_with(keyword); }
  [[nodiscard]] std::uint64_t offset() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

template <class T>
Result<T> read_field(Lines& lines, std::string_view keyword) {
  TRY(Line line, lines.next());
  TRY_VOID(line.expect(keyword));
  TRY(const T value, line.number<T>());
  TRY_VOID(line.end());
  return value;
}

Result<TableExtent> read_extent(Lines& lines, bool archived) {
  TRY(Line line, lines.next());
  TableExtent extent;
  extent.archived = archived;
  TRY_VOID(line.expect(archived ? "archived" : "table"));
  TRY(extent.table, line.word());
  TRY(extent.rows, line.number<std::uint64_t>());
  TRY(extent.time_min.us, line.number<std::int64_t>());
  TRY(extent.time_max.us, line.number<std::int64_t>());
  if (archived) {
    TRY(extent.bytes, line.number<std::uint64_t>());
    TRY(extent.crc, line.number<std::uint32_t>(16));
  }
  TRY_VOID(line.end());
  return extent;
}

Result<SegmentInfo> read_segment(Lines& lines, std::uint32_t format) {
  const auto begin = lines.offset();
  TRY(Line line, lines.next());
  SegmentInfo segment;
  TRY_VOID(line.expect("segment"));
  TRY(segment.first, line.number<std::uint64_t>());
  TRY(segment.last, line.number<std::uint64_t>());
  TRY(segment.bytes, line.number<std::uint64_t>());
  TRY(segment.sealed.us, line.number<std::int64_t>());
  if (format > 1) {
    TRY(segment.revision, line.number<std::uint32_t>());
  }
  TRY_VOID(line.end());
  if (segment.first == 0 || segment.first > segment.last)
    return fail(Errc::malformed, "workspace.manifest.range", begin);
  for (;;) {
    const bool archived = format > 1 && lines.next_begins_with("archived ");
    if (!archived && !lines.next_begins_with("table ")) break;
    if (segment.tables.size() == kTablesMax) return fail(Errc::malformed, "workspace.manifest.tables", begin);
    TRY(TableExtent extent, read_extent(lines, archived));
    segment.tables.push_back(std::move(extent));
  }
  return segment;
}

/// The last line is "end <crc32c of everything before it, 8 hex digits>".
Result<std::string_view> check_sum(std::string_view text) {
  constexpr std::size_t kEndBytes = 13;
  if (text.size() < kEndBytes) return fail(Errc::truncated, "workspace.manifest", text.size());
  const auto body = text.substr(0, text.size() - kEndBytes);
  if (text.substr(body.size()) != fmt::format("end {:08x}\n", crc32c(as_bytes(body)))) {
    return fail(Errc::malformed, "workspace.manifest.crc", body.size());
  }
  return body;
}

}  // namespace

std::uint64_t SegmentInfo::rows() const {
  std::uint64_t sum = 0;
  for (const TableExtent& extent : tables) sum += extent.rows;
  return sum;
}

std::uint64_t SegmentInfo::bytes_total() const {
  std::uint64_t sum = bytes;
  for (const TableExtent& extent : tables) sum += extent.bytes;
  return sum;
}

bool SegmentInfo::has_archived() const { return std::ranges::any_of(tables, &TableExtent::archived); }

std::vector<std::string> SegmentInfo::files() const {
  std::vector<std::string> out;
  if (bytes != 0) out.push_back(segment_file_name(*this));
  for (const TableExtent& extent : tables) {
    if (extent.archived) out.push_back(archive_file_name(*this, extent.table));
  }
  return out;
}

const TableExtent* SegmentInfo::find(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &TableExtent::table);
  return found == tables.end() ? nullptr : &*found;
}

Timestamp SegmentInfo::age_reference() const {
  std::optional<Timestamp> newest;
  for (const TableExtent& extent : tables) {
    if (extent.time_min <= extent.time_max && (!newest || *newest < extent.time_max)) newest = extent.time_max;
  }
  return newest ? std::min(*newest, sealed) : sealed;
}

Timestamp age_reference(const TableExtent& extent, Timestamp sealed) {
  return extent.time_min <= extent.time_max ? std::min(extent.time_max, sealed) : sealed;
}

std::string segment_file_name(std::uint64_t first, std::uint64_t last, std::uint32_t revision) {
  const std::string range = fmt::format("{:020}-{:020}", first, last);
  return revision == 0 ? range + ".duckdb" : fmt::format("{}.{}.duckdb", range, revision);
}

std::string segment_file_name(const SegmentInfo& segment) {
  return segment_file_name(segment.first, segment.last, segment.revision);
}

std::string archive_file_name(const SegmentInfo& segment, std::string_view table) {
  return fmt::format("{}/{}/{:020}-{:020}.parquet", kArchiveFolder, table, segment.first, segment.last);
}

std::string encode_manifest(const Manifest& manifest) {
  std::string out = fmt::format("{} {}\nstream {}\nversion {}\nlast {}\ndropped {}\n", kMagic, kManifestFormat,
                                manifest.stream, manifest.version, manifest.last, manifest.dropped_through);
  for (const SegmentInfo& segment : manifest.segments) {
    out += fmt::format("segment {} {} {} {} {}\n", segment.first, segment.last, segment.bytes, segment.sealed.us,
                       segment.revision);
    for (const TableExtent& extent : segment.tables) {
      out += fmt::format("{} {} {} {} {}", extent.archived ? "archived" : "table", extent.table, extent.rows,
                         extent.time_min.us, extent.time_max.us);
      out += extent.archived ? fmt::format(" {} {:08x}\n", extent.bytes, extent.crc) : "\n";
    }
  }
  return out + fmt::format("end {:08x}\n", crc32c(as_bytes(out)));
}

Result<Manifest> decode_manifest(std::string_view text) {
  // The format line comes before the sum: a newer format may end otherwise.
  Lines head(text);
  TRY(const auto format, read_field<std::uint32_t>(head, kMagic));
  if (format == 0 || format > kManifestFormat) return fail(Errc::unsupported, "workspace.manifest.format");
  TRY(const auto body, check_sum(text));

  Lines lines(body);
  TRY_VOID(lines.next());
  Manifest manifest;
  TRY(Line stream, lines.next());
  TRY_VOID(stream.expect("stream"));
  TRY(manifest.stream, stream.word());
  TRY_VOID(stream.end());
  TRY(manifest.version, read_field<std::uint64_t>(lines, "version"));
  TRY(manifest.last, read_field<std::uint64_t>(lines, "last"));
  TRY(manifest.dropped_through, read_field<std::uint64_t>(lines, "dropped"));
  std::uint64_t after = manifest.dropped_through;
  while (!lines.at_end()) {
    const auto begin = lines.offset();
    TRY(SegmentInfo segment, read_segment(lines, format));
    if (segment.first <= after || segment.last > manifest.last || manifest.segments.size() == kSegmentsMax) {
      return fail(Errc::malformed, "workspace.manifest.order", begin);
    }
    after = segment.last;
    manifest.segments.push_back(std::move(segment));
  }
  return manifest;
}

Result<std::vector<std::string>> files_of_manifest(std::string_view text) {
  TRY(const Manifest manifest, decode_manifest(text));
  std::vector<std::string> out;
  for (const SegmentInfo& segment : manifest.segments) {
    for (std::string& file : segment.files()) out.push_back(std::move(file));
  }
  return out;
}

}  // namespace picket::workspace
