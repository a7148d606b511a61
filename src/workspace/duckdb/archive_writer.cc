#include "duckdb/archive_writer.h"

#include <array>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/hash.h"
#include "duckdb/segment_store.h"

namespace picket::workspace {
namespace {

constexpr std::string_view kSource = "archive_source";
constexpr auto kSlice = std::chrono::milliseconds(200);
// Row groups as large as DuckDB's own: their least and greatest times prune a query as the segments' do.
constexpr int kRowGroupRows = 122'880;
constexpr std::size_t kReadBytes = 1U << 20;

Result<std::uint64_t> sync_file(const std::string& path) {
  TRY(const UniqueFd file, open_file(path, O_RDONLY));
  struct stat status{};
  if (::fsync(file.get()) != 0 || ::fstat(file.get(), &status) != 0) return fail_errno("workspace.archive.sync");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Result<std::uint32_t> file_crc(const std::string& path, std::uint64_t bytes) {
  TRY(const UniqueFd file, open_file(path, O_RDONLY));
  std::vector<std::byte> buffer(kReadBytes);
  std::uint32_t crc = 0;
  std::uint64_t sum = 0;
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("workspace.archive.read");
    if (n == 0) break;
    crc = crc32c(Bytes(buffer).first(static_cast<std::size_t>(n)), crc);
    sum += static_cast<std::uint64_t>(n);
  }
  if (sum != bytes) return fail(Errc::malformed, "workspace.archive.size", sum);
  return crc;
}

Outcome<std::unique_ptr<ArchiveWriter>> ArchiveWriter::begin(const Database& store, std::string directory,
                                                             const SegmentInfo& source,
                                                             std::vector<std::string> tables) {
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(std::move(directory), source, std::move(tables)));
  TRY_VOID(writer->start(store));
  return writer;
}

Outcome<> ArchiveWriter::start(const Database& store) {
  TRY(connection_, connect(store));
  const std::string path = directory_ + "/" + segment_file_name(source_);
  return run(connection_, fmt::format("ATTACH {} AS {} (READ_ONLY)", quote_text(path), kSource),
             "workspace.archive.attach");
}

ArchiveWriter::~ArchiveWriter() {
  if (finished_) return;
  detach();
  for (const std::string& table : tables_) ::unlink((path_of(table) + std::string(kTemporarySuffix)).c_str());
}

std::string ArchiveWriter::path_of(const std::string& table) const {
  return directory_ + "/" + archive_file_name(source_, table);
}

void ArchiveWriter::detach() {
  statement_.reset();
  if (connection_.get() != nullptr)
    (void)run(connection_, fmt::format("DETACH {}", kSource), "workspace.archive.detach");
  connection_.reset();
}

Outcome<bool> ArchiveWriter::step() {
  if (next_ == tables_.size()) return true;
  const std::string& table = tables_[next_];
  const std::string path = path_of(table) + std::string(kTemporarySuffix);
  if (!statement_) {
    TRY_VOID(make_directories(path.substr(0, path.rfind('/'))));
    TRY(statement_, SlicedStatement::start(
                        connection_,
                        fmt::format("COPY (FROM {}.{}) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {})",
                                    kSource, quote_identifier(table), quote_text(path), kRowGroupRows),
                        "workspace.archive.copy"));
  }
  TRY(const bool done, statement_->run_for(kSlice));
  if (!done) return false;
  statement_.reset();
  // The manifest's counts must be the file's: it is asked, not believed.
  TRY(const auto count,
      texts_of(connection_, fmt::format("SELECT count(*)::VARCHAR FROM read_parquet({})", quote_text(path)),
               "workspace.archive.count"));
  TableExtent extent = *source_.find(table);
  if (count.size() != 1 || count.front() != std::to_string(extent.rows)) {
    return engine_fail("workspace.archive.count", table);
  }
  extent.archived = true;
  TRY(extent.bytes, sync_file(path));
  TRY(extent.crc, file_crc(path, extent.bytes));
  made_.push_back(std::move(extent));
  return ++next_ == tables_.size();
}

Outcome<std::vector<TableExtent>> ArchiveWriter::finish() {
  detach();
  for (const std::string& table : tables_) {
    const std::string path = path_of(table);
    if (::rename((path + std::string(kTemporarySuffix)).c_str(), path.c_str()) != 0) {
      return fail_errno("workspace.archive.rename");
    }
    TRY_VOID(sync_directory(path.substr(0, path.rfind('/'))));
  }
  TRY_VOID(sync_directory(directory_ + "/" + std::string(kArchiveFolder)));
  finished_ = true;
  return std::move(made_);
}

}  // namespace picket::workspace
