#include "segments.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/random.h"

namespace picket::journal {
namespace {

Result<std::vector<std::uint64_t>> list_segments(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir) return fail_errno("journal.directory.list");
  std::vector<std::uint64_t> out;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr && errno != 0) return fail_errno("journal.directory.list");
    if (entry == nullptr) break;
    if (const auto first = parse_segment_name(entry->d_name)) out.push_back(*first);
  }
  std::ranges::sort(out);
  return out;
}

Result<std::uint64_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("journal.segment.stat");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<Segment> inspect(const std::string& directory, std::uint64_t first_sequence) {
  Segment segment{.path = directory + "/" + segment_name(first_sequence), .first_sequence = first_sequence};
  TRY(UniqueFd fd, open_file(segment.path, O_RDONLY));
  TRY(segment.bytes, size_of(fd.get()));
  std::array<std::byte, kFileHeaderBytes> bytes{};
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(segment.bytes, bytes.size()));
  const FileSource source(std::move(fd));
  TRY_VOID(source.read_at(0, std::span(bytes).first(wanted)));
  const auto header = parse_file_header(Bytes(bytes).first(wanted));
  if (!header && header.error().code == Errc::unsupported) return std::unexpected(header.error());
  segment.readable = header && header->first_sequence == first_sequence;
  if (segment.readable) {
    segment.created = header->created;
    segment.salt = header->salt;
  }
  return segment;
}

Result<> cut(const Segment& segment, std::uint64_t length) {
  TRY(const UniqueFd fd, open_file(segment.path, O_WRONLY));
  if (::ftruncate(fd.get(), static_cast<off_t>(length)) != 0) return fail_errno("journal.segment.truncate");
  if (::fsync(fd.get()) != 0) return fail_errno("journal.segment.sync");
  return {};
}

/// Nothing but zeros from `begin` to the end of the file.
Result<bool> is_zero(const Segment& segment, std::uint64_t begin) {
  TRY(UniqueFd fd, open_file(segment.path, O_RDONLY));
  const FileSource source(std::move(fd));
  std::array<std::byte, 16U << 10> piece{};
  for (std::uint64_t at = begin; at < segment.bytes; at += piece.size()) {
    const auto part =
        std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), segment.bytes - at)));
    TRY_VOID(source.read_at(at, part));
    if (std::ranges::any_of(part, [](std::byte b) { return b != std::byte{0}; })) return false;
  }
  return true;
}

class Recovery {
 public:
  Recovery(const std::string& directory, std::uint64_t durable_end, const std::function<void(std::string_view)>& log)
      : directory_(directory), durable_end_(durable_end), log_(log) {}

  Result<Recovered> run() {
    TRY(const auto names, list_segments(directory_));
    for (const std::uint64_t first : names) {
      auto segment = inspect(directory_, first);
      if (!segment) {
        say("journal: " + segment_name(first) + " refused: " + describe(segment.error()));
        return std::unexpected(segment.error());
      }
      out_.segments.push_back(*std::move(segment));
    }
    TRY_VOID(drop_unborn());
    if (!out_.segments.empty()) TRY_VOID(read_last(out_.segments.back()));
    // A sequence that was durable once names a row somewhere: it is never given out again.
    if (out_.next_sequence < durable_end_) {
      lost(out_.next_sequence, durable_end_);
      out_.next_sequence = durable_end_;
      out_.needs_new_segment = true;
    }
    return std::move(out_);
  }

 private:
  void say(const std::string& line) const {
    if (log_) log_(line);
  }

  /// A crash while a segment was made leaves a file without a header, and nothing in it was acknowledged.
  Result<> drop_unborn() {
    if (out_.segments.empty()) return {};
    const Segment& last = out_.segments.back();
    if (last.readable || last.bytes > kFileHeaderBytes || last.first_sequence < durable_end_) return {};
    say("journal: " + last.path + " has no header yet, removed");
    out_.report.torn_file = last.path;
    out_.report.torn_bytes = last.bytes;
    if (::unlink(last.path.c_str()) != 0) return fail_errno("journal.segment.remove");
    TRY_VOID(sync_directory(directory_));
    out_.next_sequence = last.first_sequence;
    out_.segments.pop_back();
    return {};
  }

  Result<> read_last(Segment& segment) {
    if (!segment.readable) {
      const std::uint64_t records_max = segment.bytes / kRecordHeaderBytes + 1;
      report({segment.path, 0, segment.bytes, segment.first_sequence, segment.first_sequence + records_max});
      out_.next_sequence = std::max(out_.next_sequence, segment.first_sequence + records_max);
      return {};
    }
    TRY(UniqueFd fd, open_file(segment.path, O_RDONLY));
    const FileSource source(std::move(fd));
    SegmentReader reader(source, segment.salt, kFileHeaderBytes, segment.first_sequence);
    out_.last_enqueued = segment.created;
    for (;;) {
      TRY(const auto item, reader.next(segment.bytes));
      if (item.kind == SegmentItem::Kind::record) {
        ++out_.report.records_scanned;
        out_.last_enqueued = std::max(out_.last_enqueued, item.record.view.enqueued);
        continue;
      }
      if (item.kind == SegmentItem::Kind::corrupt) {
        report({segment.path, item.begin, item.end, reader.sequence(), item.next_sequence});
        reader.skip(item);
        continue;
      }
      out_.next_sequence = std::max(out_.next_sequence, reader.sequence());
      out_.needs_new_segment = false;
      if (item.kind == SegmentItem::Kind::tail) TRY_VOID(cut_tail(segment, item, reader.sequence()));
      return {};
    }
  }

  /// Records that were known to be durable are not a torn tail: they stay for the operator to look at.
  Result<> cut_tail(Segment& segment, const SegmentItem& tail, std::uint64_t sequence) {
    if (sequence < durable_end_) return {};
    TRY(const bool prepared, is_zero(segment, tail.begin));
    TRY_VOID(cut(segment, tail.begin));
    if (prepared) {  // room for records that were never written: nothing is torn
      segment.bytes = tail.begin;
      return {};
    }
    out_.report.torn_file = segment.path;
    out_.report.torn_at = tail.begin;
    out_.report.torn_bytes = segment.bytes - tail.begin;
    say("journal: " + segment.path + ": torn tail of " + std::to_string(out_.report.torn_bytes) + " bytes cut off at " +
        std::to_string(tail.begin));
    segment.bytes = tail.begin;
    return {};
  }

  void lost(std::uint64_t first, std::uint64_t next) {
    Corruption loss{.first_sequence = first, .next_sequence = next};
    if (!out_.segments.empty()) {
      const Segment& last = out_.segments.back();
      loss = {last.path, last.bytes, last.bytes, first, next};
    }
    report(std::move(loss));
  }

  void report(Corruption corruption) {
    say("journal: corrupt: " + corruption.file + " bytes " + std::to_string(corruption.begin) + " to " +
        std::to_string(corruption.end) + ", records " + std::to_string(corruption.first_sequence) + " to " +
        std::to_string(corruption.next_sequence - 1) + " lost");
    out_.report.corrupt.push_back(std::move(corruption));
  }

  const std::string& directory_;
  std::uint64_t durable_end_;
  const std::function<void(std::string_view)>& log_;
  Recovered out_;
};

}  // namespace

Result<> FileSource::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("journal.segment.read");
    if (n == 0) return fail(Errc::truncated, "journal.segment.read", offset + done);
    done += static_cast<std::size_t>(n);
  }
  return {};
}

Result<Recovered> recover_segments(const std::string& directory, std::uint64_t durable_end,
                                   const std::function<void(std::string_view)>& log) {
  return Recovery(directory, durable_end, log).run();
}

Result<NewSegment> create_segment(const std::string& directory, std::uint64_t first_sequence, Timestamp created) {
  const FileHeader header{first_sequence, created, static_cast<std::uint32_t>(random_u64())};
  NewSegment out{.segment = {.path = directory + "/" + segment_name(first_sequence),
                             .first_sequence = first_sequence,
                             .bytes = kFileHeaderBytes,
                             .created = created,
                             .salt = header.salt}};
  // O_TRUNC: a failed attempt to make it may have left a part.
  TRY(out.fd, open_file(out.segment.path, O_RDWR | O_CREAT | O_TRUNC));
  TRY_VOID(write_all_at(out.fd.get(), encode_file_header(header), 0));
  if (::fdatasync(out.fd.get()) != 0) return fail_errno("journal.segment.sync");
  TRY_VOID(sync_directory(directory));
  return out;
}

}  // namespace picket::journal
