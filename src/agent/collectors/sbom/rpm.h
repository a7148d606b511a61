// Packages of rpm's SQLite database, read without SQLite: only its table of headers, and only the front of each header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"
#include "sbom/package.h"

namespace picket::agent {

/// NAME, VERSION, RELEASE, EPOCH, ARCH, VENDOR and SOURCERPM of an rpm header as the database holds it: count of
/// entries and bytes of data (big-endian), entries, data. `header` may be cut: what stands behind the cut is empty.
/// nullopt: no name or version.
std::optional<Package> parse_rpm_header(Bytes header);

/// Walks the B-tree of the table "Packages" in a SQLite 3 file (format of its documentation, sections 1.3 to 2.1). What
/// is still in a write-ahead log is not seen.
class RpmDatabase {
 public:
  static constexpr std::size_t kHeaderBytesMax = 48 << 10;  ///< Of a header; file lists stand behind that.
  static constexpr std::size_t kPagesMax = 200'000;         ///< Of a file; a loop of pages ends there.
  static constexpr std::size_t kWaitingMax = 4096;          ///< Pages that are known and not yet read.

  /// Of the files that rpm uses, the one below `root`. Errors: not_found (no rpm here); unsupported (a Berkeley or ndb
  /// database, `where` says which; a newer form of SQLite); malformed; io.
  static Result<RpmDatabase> open(const std::string& root);
  /// The same of one file.
  static Result<RpmDatabase> open_sqlite(const std::string& path);

  /// Reads one page. False: the end. Errors: malformed, io; the rest is not read.
  Result<bool> step(const PackageSink& sink);

 private:
  RpmDatabase() = default;
  Result<Buffer> page(std::uint32_t number);
  Result<> find_table();
  /// Calls `each(payload)` for the leaf cells of a page; pages below it wait.
  template <class Each>
  Result<> visit(std::uint32_t number, Each each);
  Result<Buffer> payload_of(Bytes page, std::size_t at);

  UniqueFd file_;
  std::size_t page_bytes_ = 0, usable_bytes_ = 0;
  std::uint64_t pages_read_ = 0;
  std::vector<std::uint32_t> waiting_;
};

}  // namespace picket::agent
