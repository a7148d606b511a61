#include "sbom/scan.h"

#include <algorithm>
#include <array>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "sbom/metadata.h"
#include "sbom/rpm.h"
#include "support/os_release.h"

namespace picket::agent {
namespace {

constexpr std::array<PackageDatabase, 6> kDatabases{{{StanzaForm::deb, "/var/lib/dpkg/status"},
                                                     {StanzaForm::deb, "/var/lib/dpkg/status.d", true},
                                                     {StanzaForm::apk, "/lib/apk/db/installed"},
                                                     {StanzaForm::apk, "/usr/lib/apk/db/installed"},
                                                     {StanzaForm::opkg, "/usr/lib/opkg/status"},
                                                     {StanzaForm::opkg, "/var/lib/opkg/status"}}};
constexpr std::size_t kFilesMax = 4096;  // of a folder of files

/// Programs that say their version in a text of theirs, where no package manager does.
struct Program {
  std::string_view name, path, mark;
};
constexpr std::array<Program, 12> kPrograms{{{"busybox", "/bin/busybox", "BusyBox v"},
                                             {"busybox", "/usr/bin/busybox", "BusyBox v"},
                                             {"openssl", "/usr/lib/libcrypto.so.3", "OpenSSL "},
                                             {"openssl", "/usr/lib/libcrypto.so.1.1", "OpenSSL "},
                                             {"openssl", "/usr/lib64/libcrypto.so.3", "OpenSSL "},
                                             {"openssl", "/lib/libcrypto.so.3", "OpenSSL "},
                                             {"openssl", "/lib/libcrypto.so.1.1", "OpenSSL "},
                                             {"openssl", "/usr/lib/libcrypto.so.1.0.0", "OpenSSL "},
                                             {"dropbear", "/usr/sbin/dropbear", "SSH-2.0-dropbear_"},
                                             {"dropbear", "/usr/sbin/dropbearmulti", "SSH-2.0-dropbear_"},
                                             {"dropbear", "/sbin/dropbear", "SSH-2.0-dropbear_"},
                                             {"dropbear", "/usr/bin/dropbearmulti", "SSH-2.0-dropbear_"}}};
constexpr std::size_t kOverlap = 96;  // a text of theirs is never longer

/// Where languages keep what is installed; a walk of everything is the baseline's.
std::vector<std::string> walk_starts() {
  return {"/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/nodejs", "/opt", "/srv", "/app", "/home", "/root"};
}

std::string first_name_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open{opendir(folder.c_str()), closedir};
  std::string last;
  while (const dirent* entry = open ? readdir(open.get()) : nullptr) {
    if (entry->d_name[0] != '.' && last < entry->d_name) last = entry->d_name;
  }
  return last;
}

}  // namespace

std::span<const PackageDatabase> package_databases() { return kDatabases; }

SoftwareScan::SoftwareScan(std::string root, std::string kernel_release, PackageSink sink)
    : root_(std::move(root)),
      kernel_release_(std::move(kernel_release)),
      sink_(std::move(sink)),
      walk_(root_, walk_starts()) {
  const OsRelease release = read_os_release(root_);
  distribution_ = {.id = release.id, .version = release.version_id};
}

void SoftwareScan::found(const Package& package) {
  if (++packages_ > kPackagesMax) {
    ++past_bounds_;
    return;
  }
  has_busybox_ = has_busybox_ || package.name.starts_with("busybox");
  has_openssl_ = has_openssl_ || package.name.starts_with("libssl") || package.name.starts_with("libopenssl") ||
                 package.name.starts_with("openssl");
  has_dropbear_ = has_dropbear_ || package.name.starts_with("dropbear");
  sink_(package);
}

bool SoftwareScan::step() {
  switch (phase_) {
    case Phase::databases:
      if (!step_databases()) phase_ = Phase::rpm;
      break;
    case Phase::rpm:
      if (step_rpm()) break;
      rpm_.reset();
      find_kernel();
      phase_ = Phase::walk;
      break;
    case Phase::walk:
      if (!walk_.step(kWalkEntries, [this](const FileWalk::Entry& entry) { return visit(entry); })) {
        phase_ = Phase::programs;
      }
      break;
    case Phase::programs:
      step_program();
      break;
    case Phase::done:
      break;
  }
  return phase_ != Phase::done;
}

// ---- databases ----

bool SoftwareScan::open_database() {
  while (database_ < kDatabases.size() || !files_.empty()) {
    std::string path;
    StanzaForm form = StanzaForm::deb;
    bool status_needed = true;
    if (!files_.empty()) {
      path = std::move(files_.back());
      files_.pop_back();
      status_needed = false;
    } else {
      const PackageDatabase& database = kDatabases[database_++];
      path = root_ + std::string(database.path);
      form = database.form;
      if (database.folder) {
        const std::unique_ptr<DIR, int (*)(DIR*)> open{opendir(path.c_str()), closedir};
        while (const dirent* entry = open ? readdir(open.get()) : nullptr) {
          const std::string_view name(entry->d_name);
          if (name.starts_with('.') || name.ends_with(".md5sums")) continue;
          if (files_.size() < kFilesMax) files_.push_back(path + "/" + entry->d_name);
        }
        continue;
      }
    }
    auto file = open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (!file) continue;
    file_ = *std::move(file);
    file_bytes_ = 0;
    parser_ = std::make_unique<StanzaParser>(form, status_needed, [this](const Package& package) { found(package); });
    return true;
  }
  return false;
}

bool SoftwareScan::step_databases() {
  if (!file_.valid() && !open_database()) {
    buffer_ = {};
    return false;
  }
  buffer_.resize(kReadBytes);
  const bool too_long = file_bytes_ >= kDatabaseBytesMax;
  const ssize_t n = too_long ? -1 : read(file_.get(), buffer_.data(), buffer_.size());
  if (n > 0) {
    file_bytes_ += static_cast<std::uint64_t>(n);
    parser_->feed(std::string_view(buffer_).substr(0, static_cast<std::size_t>(n)));
    return true;
  }
  if (n < 0) ++unreadable_;
  parser_->finish();
  parser_.reset();
  file_.reset();
  return true;
}

bool SoftwareScan::step_rpm() {
  if (!rpm_) {
    auto opened = RpmDatabase::open(root_);
    if (!opened) {
      if (opened.error().code != Errc::not_found) ++unreadable_;
      return false;
    }
    rpm_ = std::make_unique<RpmDatabase>(*std::move(opened));
  }
  const auto more = rpm_->step([this](const Package& package) { found(package); });
  if (!more) ++unreadable_;
  return more.value_or(false);
}

void SoftwareScan::find_kernel() {
  if (kernel_release_.empty()) kernel_release_ = first_name_in(root_ + "/lib/modules");
  if (kernel_release_.empty()) kernel_release_ = first_name_in(root_ + "/usr/lib/modules");
  if (kernel_release_.empty()) return;
  found({.type = "binary",
         .name = "linux",
         .version = kernel_release_,
         .evidence = root_.empty() ? "uname" : "/lib/modules"});
}

// ---- languages ----

bool SoftwareScan::visit(const FileWalk::Entry& entry) {
  const std::string name(entry.name);
  if (entry.kind == FileWalk::Kind::folder) {
    if (name.ends_with(".dist-info")) {
      read_python(entry.folder, std::string(entry.path), name + "/METADATA");
      return false;
    }
    if (name.ends_with(".egg-info")) {
      read_python(entry.folder, std::string(entry.path), name + "/PKG-INFO");
      return false;
    }
    return name != "__pycache__" && name != ".git" && name != ".cache";
  }
  if (entry.kind != FileWalk::Kind::file) return false;
  if (name.ends_with(".egg-info")) read_python(entry.folder, std::string(entry.path), name);
  if (name == "package.json") read_node(entry);
  return false;
}

std::optional<std::string> SoftwareScan::read_front(int folder, const std::string& name) {
  const UniqueFd file(openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string out(kMetadataBytesMax, '\0');
  const ssize_t n = file.valid() ? read(file.get(), out.data(), out.size()) : -1;
  if (n < 0) {
    ++unreadable_;
    return std::nullopt;
  }
  out.resize(static_cast<std::size_t>(n));
  return out;
}

void SoftwareScan::read_python(int folder, const std::string& path, const std::string& name) {
  const auto text = read_front(folder, name);
  auto package = text ? parse_python_metadata(*text) : std::nullopt;
  if (!package) return;
  package->evidence = path.substr(root_.size());
  found(*package);
}

void SoftwareScan::read_node(const FileWalk::Entry& entry) {
  // Installed is what stands right in node_modules, or in a scope there: .../node_modules/[@scope/]name/package.json
  const std::string path(entry.path);
  const auto at = path.rfind("/node_modules/");
  if (at == std::string::npos) return;
  const std::string_view rest = std::string_view(path).substr(at + 14);
  const auto slashes = std::ranges::count(rest, '/');
  if (slashes != (rest.starts_with('@') ? 2 : 1)) return;
  const auto text = read_front(entry.folder, std::string(entry.name));
  auto package = text ? parse_package_json(*text) : std::nullopt;
  if (!package) return;
  package->evidence = path.substr(root_.size(), path.rfind('/') - root_.size());
  found(*package);
}

// ---- programs ----

void SoftwareScan::step_program() {
  if (!file_.valid()) {
    for (; program_ < kPrograms.size(); ++program_) {
      const Program& program = kPrograms[program_];
      bool& known = program.name == "busybox" ? has_busybox_ : program.name == "openssl" ? has_openssl_ : has_dropbear_;
      if (known) continue;
      auto file = open_file(root_ + std::string(program.path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
      if (!file) continue;
      file_ = *std::move(file);
      buffer_.clear();
      return;
    }
    phase_ = Phase::done;
    return;
  }
  // The end of the last piece stays in front, so that a text across two pieces is found.
  const Program& program = kPrograms[program_];
  std::string piece(kReadBytes, '\0');
  const ssize_t n = read(file_.get(), piece.data(), piece.size());
  const auto offset = lseek(file_.get(), 0, SEEK_CUR);
  if (n > 0) buffer_.append(piece, 0, static_cast<std::size_t>(n));
  const std::string_view version = version_behind(buffer_, program.mark);
  // A version at the very end of a piece may go on in the next one.
  const bool whole = n <= 0 || (!version.empty() && version.data() + version.size() != buffer_.data() + buffer_.size());
  if (!version.empty() && whole) {
    found({.type = "binary",
           .name = std::string(program.name),
           .version = std::string(version),
           .evidence = std::string(program.path)});
  } else if (n > 0 && offset < static_cast<off_t>(kProgramBytesMax)) {
    if (buffer_.size() > kOverlap) buffer_.erase(0, buffer_.size() - kOverlap);
    return;
  }
  buffer_ = {};
  file_.reset();
  ++program_;
}

}  // namespace picket::agent
