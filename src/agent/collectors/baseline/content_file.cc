#include "baseline/content_file.h"

#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "baseline/lines.h"

namespace picket::agent::baseline {

ContentFiles& ContentFiles::operator=(ContentFiles&& other) noexcept {
  if (this == &other) return *this;
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
  mapped_ = std::exchange(other.mapped_, nullptr);
  mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  loaded_ = std::move(other.loaded_);  // the texts stay where they are: each is longer than a short string
  contents_ = std::move(other.contents_);
  return *this;
}

ContentFiles::~ContentFiles() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

namespace {

/// A regular file of a size that rules may have; a pipe would keep the agent waiting.
Result<std::pair<UniqueFd, std::size_t>> open_content(const std::string& path) {
  auto file = open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  // Said by name: it is the first thing that is missing on a device that was set up by hand.
  if (!file) return std::unexpected(Error{file.error().code, "agent.baseline.content", 0, file.error().os_error});
  struct stat info{};
  if (fstat(file->get(), &info) != 0) return fail_errno("agent.baseline.content");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size == 0) return fail(Errc::malformed, "agent.baseline.content");
  if (size > Content::kBytesMax) return fail(Errc::limit_exceeded, "agent.baseline.content");
  return std::pair(*std::move(file), size);
}

}  // namespace

Result<> ContentFiles::map(const std::string& path) {
  TRY(const auto file, open_content(path));
  void* const at = mmap(nullptr, file.second, PROT_READ, MAP_PRIVATE, file.first.get(), 0);
  if (at == MAP_FAILED) return fail_errno("agent.baseline.content");
  mapped_ = at;
  mapped_bytes_ = file.second;
  TRY(const Content content, Content::read({static_cast<const std::byte*>(at), mapped_bytes_}));
  contents_.push_back(content);
  return {};
}

Result<> ContentFiles::load_pinned(const std::string& path, std::string_view sha256) {
  TRY(const auto file, open_content(path));
  std::string bytes(file.second, '\0');
  const ssize_t n = pread(file.first.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) return fail_errno("agent.baseline.custom_content");
  bytes.resize(static_cast<std::size_t>(n));
  const Sha256 hash = picket::sha256(as_bytes(bytes));
  if (!equal_ignoring_case(to_hex(hash), sha256)) return fail(Errc::denied, "agent.baseline.custom_sha256");
  loaded_.push_back(std::move(bytes));
  TRY(const Content content, Content::read(as_bytes(loaded_.back())));
  contents_.push_back(content);
  return {};
}

Result<ContentFiles> open_contents(const CollectorSettings& settings) {
  ContentFiles out;
  TRY_VOID(out.map(settings.baseline_content));
  if (settings.baseline_custom && !settings.baseline_custom_content.empty()) {
    TRY_VOID(out.load_pinned(settings.baseline_custom_content, settings.baseline_custom_sha256));
  }
  return out;
}

Choice choice_of(const CollectorSettings& settings) {
  return {.level_max = static_cast<std::uint8_t>(settings.baseline_level),
          .profile = static_cast<std::uint8_t>(settings.baseline_embedded ? 2 : 1),
          .groups_disabled = settings.baseline_groups_disabled,
          .checks_disabled = settings.baseline_checks_disabled,
          .only = {}};
}

}  // namespace picket::agent::baseline
