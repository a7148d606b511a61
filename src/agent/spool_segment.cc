#include "spool_segment.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace picket::agent {

namespace format = spool_format;

namespace {

// A segment takes entries until it is full, then one more; whatever is larger was not written by us.
constexpr std::size_t kSegmentFileMax = 4U << 20;

/// Where the next whole entry begins after damage at `at`: only where the damaged entry's own length says, since a
/// search byte by byte could take an entry out of somebody's payload.
bool entry_follows(Bytes bytes, std::size_t at) {
  Cursor header(bytes.subspan(at));
  const auto damaged = format::read_entry_header(header);
  if (!damaged || header.remaining() < damaged->payload_bytes) return false;
  Cursor next(bytes.subspan(at + format::kEntryHeaderBytes + damaged->payload_bytes));
  return format::read_entry(next).has_value();
}

}  // namespace

Result<std::unique_ptr<SpoolSegment>> SpoolSegment::create(const std::string& path,
                                                           const format::SegmentHeader& header) {
  auto segment = std::make_unique<SpoolSegment>();
  segment->header_ = header;
  segment->path_ = path;
  Buffer bytes;
  format::write_segment_header(bytes, header);
  if (path.empty()) {
    segment->memory_ = std::move(bytes);
  } else {
    TRY(segment->fd_, open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    if (auto written = write_all_at(segment->fd_.get(), bytes, 0); !written) {
      ::unlink(path.c_str());
      return std::unexpected(written.error());
    }
    segment->dirty_ = true;
  }
  segment->size_ = format::kSegmentHeaderBytes;
  return segment;
}

Result<std::unique_ptr<SpoolSegment>> SpoolSegment::load_file(const std::string& path, std::vector<Found>& found) {
  auto segment = std::make_unique<SpoolSegment>();
  segment->path_ = path;
  TRY(const std::string content, read_file(path, kSegmentFileMax));
  const Bytes bytes = as_bytes(content);
  Cursor in(bytes);
  TRY(segment->header_, format::read_segment_header(in));
  while (!in.empty()) {
    const std::uint64_t at = in.offset();
    if (const auto entry = format::read_entry(in)) {
      found.push_back({entry->header, at});
      continue;
    }
    if (!entry_follows(bytes, static_cast<std::size_t>(at))) break;
    ++segment->damaged_;
    TRY(const auto header, format::read_entry_header(in));
    TRY_VOID(in.take(header.payload_bytes));
  }
  segment->size_ = in.offset();
  segment->cut_bytes_ = in.remaining();
  TRY(segment->fd_, open_file(path, O_RDWR));
  if (segment->cut_bytes_ > 0 && ::ftruncate(segment->fd_.get(), static_cast<off_t>(segment->size_)) != 0) {
    return fail_errno("spool.segment.cut");
  }
  return segment;
}

Result<> SpoolSegment::append(Bytes entry) {
  if (in_memory()) {
    picket::append(memory_, entry);
  } else if (auto written = write_all_at(fd_.get(), entry, size_); !written) {
    // Half an entry may stand there; the next append overwrites it, and a crash before that leaves a torn tail.
    const int why = written.error().os_error;
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) errno = why;
    return written;
  }
  size_ += entry.size();
  dirty_ = true;
  return {};
}

Result<std::size_t> SpoolSegment::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_) return std::size_t{0};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  if (in_memory()) {
    std::ranges::copy(Bytes(memory_).subspan(static_cast<std::size_t>(offset), length), out.begin());
    return length;
  }
  std::size_t done = 0;
  while (done < length) {
    const ssize_t n = ::pread(fd_.get(), out.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("spool.segment.read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::optional<format::EntryHeader>> SpoolSegment::header_at(std::uint64_t offset) const {
  if (offset >= size_) return std::nullopt;
  std::array<std::byte, format::kEntryHeaderBytes> bytes{};
  TRY(const std::size_t length, read_at(offset, bytes));
  Cursor in(Bytes(bytes).first(length));
  TRY(const auto header, format::read_entry_header(in));
  return header;
}

Result<Buffer> SpoolSegment::payload_at(std::uint64_t offset, const format::EntryHeader& header) const {
  Buffer bytes(format::kEntryHeaderBytes + header.payload_bytes);
  TRY(const std::size_t length, read_at(offset, bytes));
  Cursor in(Bytes(bytes).first(length));
  TRY_VOID(format::read_entry(in));
  bytes.erase(bytes.begin(), bytes.begin() + format::kEntryHeaderBytes);
  return bytes;
}

Result<> SpoolSegment::sync() {
  if (in_memory() || !dirty_) return {};
  if (::fdatasync(fd_.get()) != 0) return fail_errno("spool.segment.sync");
  dirty_ = false;
  return {};
}

void SpoolSegment::remove() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace picket::agent
