#include "kql/location_file.h"

#include <fstream>

#include <sys/stat.h>

#include "native_call.h"

namespace picket::kql {

namespace {

constexpr std::uint64_t kAbsent = 2;  ///< No stamp of a file: those are odd.

using Shared = std::shared_ptr<LocationFile>;

void run_location(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  try {
    const auto& file = *static_cast<Shared*>(duckdb_scalar_function_get_extra_info(info));
    const auto database = file->current();
    const native::Reader<std::string_view> addresses(input, 0);
    native::Writer writer(output);
    const idx_t rows = duckdb_data_chunk_get_size(input);
    for (idx_t row = 0; row < rows; ++row) {
      if (database && addresses.valid(row)) {
        writer.put(row, database->find(addresses.get(row)));
      } else {
        writer.null(row);
      }
    }
  } catch (const std::exception& error) {
    duckdb_scalar_function_set_error(info, error.what());
  }
}

Result<std::string> read_whole(const std::string& path, std::uint64_t size) {
  if (size > kLocationBytesMax) return fail(Errc::limit_exceeded, "kql.location.size");
  std::ifstream in(path, std::ios::binary);
  std::string out(size, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (!in) return fail(Errc::io, "kql.location.read");
  return out;
}

}  // namespace

Result<> LocationFile::refresh() {
  const std::lock_guard lock(mutex_);
  struct stat found{};
  if (::stat(path_.c_str(), &found) != 0) {
    if (seen_ == kAbsent) return {};
    seen_ = kAbsent;
    return fail_errno("kql.location.stat");
  }
  if (!S_ISREG(found.st_mode)) return fail(Errc::malformed, "kql.location.stat");
  auto now = static_cast<std::uint64_t>(found.st_mtim.tv_sec) * 1'000'000'000ULL;
  now += static_cast<std::uint64_t>(found.st_mtim.tv_nsec);
  now = (now ^ static_cast<std::uint64_t>(found.st_size) << 40U ^ static_cast<std::uint64_t>(found.st_ino)) | 1U;
  if (now == seen_) return {};
  seen_ = now;
  TRY(auto bytes, read_whole(path_, static_cast<std::uint64_t>(found.st_size)));
  TRY(auto database, LocationDatabase::open(std::move(bytes)));
  current_ = std::make_shared<const LocationDatabase>(std::move(database));
  return {};
}

std::shared_ptr<const LocationDatabase> LocationFile::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<> register_location_function(duckdb_connection connection, std::shared_ptr<LocationFile> file) {
  auto function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, "kql_location");
  auto text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_set_return_type(function, text);
  duckdb_destroy_logical_type(&text);
  duckdb_scalar_function_set_extra_info(function, new Shared(std::move(file)),
                                        [](void* held) { delete static_cast<Shared*>(held); });
  duckdb_scalar_function_set_function(function, run_location);
  const auto state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  if (state != DuckDBSuccess) return fail(Errc::internal, "kql.location.register");
  return {};
}

}  // namespace picket::kql
