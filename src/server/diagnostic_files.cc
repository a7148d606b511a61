#include "diagnostic_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::server {
namespace {

constexpr std::string_view kFileName = "/PT1H.json";
constexpr std::string_view kRecordMember = "\"recordId\":";
constexpr std::size_t kHourBytes = std::string_view("y=2026/m=11/d=22/h=04/m=00").size();

/// "y=2026/m=11/d=22/h=04/m=00": sorts by time.
std::string hour_of(Timestamp time) {
  const std::string text = format_rfc3339(time);
  return fmt::format("y={}/m={}/d={}/h={}/m=00", text.substr(0, 4), text.substr(5, 2), text.substr(8, 2),
                     text.substr(11, 2));
}

char plain(char c, bool upper) {
  if (c >= 'a' && c <= 'z') return upper ? static_cast<char>(c - 32) : c;
  if (c >= 'A' && c <= 'Z') return upper ? c : static_cast<char>(c + 32);
  return (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : '_';
}

/// The parts come from names that operators choose: only harmless characters reach the file system.
std::string folder_of(const DiagnosticEntry& entry) {
  std::string out = "insights-logs-";
  for (const char c : entry.category) out += plain(c, false);
  out += "/resourceId=";
  for (const char c : entry.resource_id) out += c == '/' ? '/' : c == '.' ? '.' : plain(c, true);
  for (auto at = out.find("/.", 0); at != std::string::npos; at = out.find("/.", at)) out[at + 1] = '_';
  return out;
}

/// Number of the record that `line` was made from; 0: it does not say.
std::uint64_t record_of(std::string_view line) {
  const auto at = line.rfind(kRecordMember);
  if (at == std::string_view::npos) return 0;
  std::uint64_t out = 0;
  std::from_chars(line.data() + at + kRecordMember.size(), line.data() + line.size(), out);
  return out;
}

struct Tail {
  std::uint64_t bytes = 0;  ///< Whole lines.
  std::uint64_t last = 0;
};

/// Finds the end of the last whole line and what it was made from.
Result<Tail> read_tail(int fd, std::uint64_t size) {
  const std::uint64_t look = std::min<std::uint64_t>(size, 2 * DiagnosticFiles::kLineBytesMax + 2);
  std::string text(look, '\0');
  std::size_t got = 0;
  while (got < look) {
    const auto n = ::pread(fd, text.data() + got, look - got, static_cast<off_t>(size - look + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno("diagnostics.file.read");
    got += static_cast<std::size_t>(n);
  }
  const auto end = text.rfind('\n');
  if (end == std::string::npos) return Tail{};  // not one whole line
  const auto before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return Tail{size - look + end + 1, record_of(std::string_view(text).substr(begin, end - begin))};
}

Result<> write_line(int fd, std::string_view json, std::uint64_t at) {
  const std::string line = std::string(json) + '\n';
  if (auto done = write_all(fd, as_bytes(line)); !done) {
    // Half a line is cut off here, or when the file is opened next.
    static_cast<void>(::ftruncate(fd, static_cast<off_t>(at)) == 0);
    return done;
  }
  return {};
}

}  // namespace

Result<> DiagnosticFiles::recover() {
  TRY_VOID(make_directories(directory_));
  std::error_code failed;
  for (auto at = std::filesystem::recursive_directory_iterator(directory_, failed);
       !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    const std::string path = at->path();
    if (!path.ends_with(kFileName) || path.size() < kHourBytes + kFileName.size() || !at->is_regular_file(failed)) {
      continue;
    }
    const auto size = at->file_size(failed);
    if (failed) break;
    sizes_[{path.substr(path.size() - kFileName.size() - kHourBytes, kHourBytes), path}] = size;
    bytes_ += size;
  }
  if (failed) return fail(Errc::io, "diagnostics.recover");
  return {};
}

Result<DiagnosticFiles::Open> DiagnosticFiles::open(const DiagnosticEntry& entry, const std::string& hour) const {
  const std::string folder = fmt::format("{}/{}/{}", directory_, folder_of(entry), hour);
  TRY_VOID(make_directories(folder));
  Open out{.path = folder + std::string(kFileName), .hour = hour};
  TRY(out.fd, open_file(out.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  TRY_VOID(sync_directory(folder));
  struct stat facts{};
  if (::fstat(out.fd.get(), &facts) != 0) return fail_errno("diagnostics.file.stat");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size == 0) return out;
  TRY(const Tail tail, read_tail(out.fd.get(), size));
  if (tail.bytes < size && ::ftruncate(out.fd.get(), static_cast<off_t>(tail.bytes)) != 0) {
    return fail_errno("diagnostics.file.cut");
  }
  out.bytes = tail.bytes;
  out.last = tail.last;
  return out;
}

Result<DiagnosticFiles::Open*> DiagnosticFiles::file_for(const DiagnosticEntry& entry) {
  const std::string hour = hour_of(entry.enqueued);
  const Key key{std::string(entry.category), std::string(entry.resource_id)};
  auto found = open_.find(key);
  if (found != open_.end() && found->second.hour == hour) return &found->second;
  const bool crowded = found == open_.end() && open_.size() >= kOpenMax;
  if (found != open_.end() || crowded) TRY_VOID(sync());
  if (found != open_.end()) open_.erase(found);
  if (crowded) open_.clear();
  TRY(auto file, open(entry, hour));
  std::uint64_t& known = sizes_[{hour, file.path}];
  bytes_ = bytes_ - known + file.bytes;
  known = file.bytes;
  return &open_.emplace(key, std::move(file)).first->second;
}

/// Removes the oldest hours before `hour`. False: not enough could go.
bool DiagnosticFiles::make_room(std::uint64_t more, std::string_view hour) {
  while (bytes_ + more > bytes_max_ && !sizes_.empty()) {
    const auto oldest = sizes_.begin();
    if (oldest->first.first >= hour || ::unlink(oldest->first.second.c_str()) != 0) break;
    std::erase_if(open_, [&](const auto& one) { return one.second.path == oldest->first.second; });
    bytes_ -= oldest->second;
    ++removed_;
    sizes_.erase(oldest);
  }
  return bytes_ + more <= bytes_max_;
}

Result<DiagnosticFiles::Kept> DiagnosticFiles::append(const DiagnosticEntry& entry) {
  if (entry.json.size() > kLineBytesMax) return Kept::no_room;
  TRY(Open * file, file_for(entry));
  if (entry.record <= file->last) return Kept::repeated;
  const std::uint64_t more = entry.json.size() + 1;
  if (!make_room(more, file->hour)) return Kept::no_room;
  TRY_VOID(write_line(file->fd.get(), entry.json, file->bytes));
  file->bytes += more;
  file->last = entry.record;
  file->dirty = true;
  bytes_ += more;
  sizes_[{file->hour, file->path}] = file->bytes;
  return Kept::written;
}

Result<> DiagnosticFiles::sync() {
  for (auto& [key, file] : open_) {
    if (!file.dirty) continue;
    if (::fdatasync(file.fd.get()) != 0) return fail_errno("diagnostics.sync");
    file.dirty = false;
  }
  return {};
}

void DiagnosticFiles::close_before(Timestamp now) {
  const std::string hour = hour_of(now);
  std::erase_if(open_, [&](const auto& one) { return !one.second.dirty && one.second.hour < hour; });
}

}  // namespace picket::server
