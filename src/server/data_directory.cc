#include "data_directory.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/random.h"

namespace picket::server {
namespace {

Result<UniqueFd> take_lock(const std::string& path) {
  TRY(UniqueFd lock, open_file(path + "/lock", O_RDWR | O_CREAT));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return fail(Errc::unavailable, "data.lock");
  return lock;
}

// VERSION: "<number>\n<installation id>\n".
struct Version {
  int number = 0;
  std::string installation_id;
};

Result<Version> parse_version(std::string_view text) {
  Version out;
  const std::size_t line = text.find('\n');
  const auto [stop, error] = std::from_chars(text.data(), text.data() + std::min(line, text.size()), out.number);
  if (line == std::string_view::npos || error != std::errc{} || stop != text.data() + line) {
    return fail(Errc::malformed, "data.version");
  }
  if (out.number > kDataVersion) return fail(Errc::unsupported, "data.version", static_cast<std::uint64_t>(out.number));
  const std::string_view id = text.substr(line + 1);
  if (id.size() != 37 || id.back() != '\n') return fail(Errc::malformed, "data.installation_id");
  out.installation_id = id.substr(0, 36);
  return out;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  DataDirectory out;
  out.path_ = path;
  TRY_VOID(make_directories(path));
  TRY(out.lock_, take_lock(path));
  for (const std::string& folder :
       {out.secrets(), out.journal(), out.derived(), out.checkpoints(), out.segments(), path + "/state"}) {
    TRY_VOID(make_directories(folder));
  }
  const std::string version_file = path + "/VERSION";
  auto text = read_file(version_file, 4096);
  if (!text && text.error().code == Errc::not_found) {
    out.installation_id_ = random_uuid();
    TRY_VOID(
        replace_file(version_file, as_bytes(std::to_string(kDataVersion) + "\n" + out.installation_id_ + "\n"), 0644));
    return out;
  }
  if (!text) return std::unexpected(text.error());
  TRY(Version version, parse_version(*text));
  out.installation_id_ = std::move(version.installation_id);
  return out;
}

}  // namespace picket::server
