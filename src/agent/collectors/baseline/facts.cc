#include "baseline/facts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/hash.h"
#include "baseline/lines.h"
#include "firewall/xtables.h"
#include "sbom/rpm.h"
#include "sbom/scan.h"
#include "sbom/stanzas.h"

namespace picket::agent::baseline {

void NameSet::add(std::string_view name) { add_id(fnv1a64(as_bytes(name))); }
void NameSet::add_id(std::uint64_t id) {
  if (names_.size() < kMax) names_.push_back(id);
}
void NameSet::sort() { std::ranges::sort(names_); }
bool NameSet::has(std::string_view name) const { return has_id(fnv1a64(as_bytes(name))); }
bool NameSet::has_id(std::uint64_t id) const { return std::ranges::binary_search(names_, id); }

// ---- texts ----

Text Facts::text(std::string_view path) {
  for (const auto& kept : texts_) {
    if (kept->path == path) return {kept->found, kept->text};
  }
  auto kept = std::make_unique<Kept>();
  kept->path = path;
  kept->found = texts_bytes_ >= kRuleTextsMax ? Found::too_large : root_.read(path, kTextMax, kept->text);
  texts_bytes_ += kept->text.size() + path.size();
  texts_.push_back(std::move(kept));
  return {texts_.back()->found, texts_.back()->text};
}

void Facts::forget_texts(bool all) {
  if (!all && texts_bytes_ <= kTextsMax && texts_.size() <= kTextCountMax) return;
  for (const auto& kept : texts_) explicit_bzero(kept->text.data(), kept->text.size());
  texts_.clear();
  texts_bytes_ = 0;
}

// ---- packages ----

struct Facts::PackageReader {
  std::vector<std::pair<StanzaForm, std::string>> files;  ///< Last one first; status files end with "/status".
  std::string path;                                       ///< Of what is read now.
  UniqueFd file;
  std::size_t bytes = 0;  ///< Read of it.
  std::unique_ptr<StanzaParser> parser;
  std::unique_ptr<RpmDatabase> rpm;
  bool rpm_tried = false;
  std::string buffer;
};

Facts::Facts(const Root& root) : root_(root) {}
Facts::~Facts() { forget_texts(true); }

bool Facts::step_packages() {
  if (!reader_) {
    reader_ = std::make_unique<PackageReader>();
    reader_->buffer.resize(16 << 10);
    for (const PackageDatabase& database : package_databases()) {
      if (!database.folder) {
        reader_->files.emplace_back(database.form, std::string(database.path));
        continue;
      }
      for (const std::string& name : root_.list(database.path)) {
        if (!name.ends_with(".md5sums")) reader_->files.emplace_back(database.form, join({database.path, "/", name}));
      }
    }
  }
  PackageReader& reader = *reader_;
  const PackageSink sink = [this](const Package& package) { packages_.add(package.name); };
  if (reader.parser) {
    const ssize_t n = read(reader.file.get(), reader.buffer.data(), reader.buffer.size());
    reader.bytes += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    if (n > 0 && reader.bytes <= kPackageBytesMax) {
      reader.parser->feed(std::string_view(reader.buffer).substr(0, static_cast<std::size_t>(n)));
    } else {
      if (n != 0) unread_packages_ = reader.path;
      reader.parser->finish();
      reader.parser.reset();
    }
    return true;
  }
  if (!reader.files.empty()) {
    const auto [form, path] = std::move(reader.files.back());
    reader.files.pop_back();
    open_packages(path, reader.file);
    if (reader.file.valid()) {
      reader.path = path;
      reader.bytes = 0;
      reader.parser = std::make_unique<StanzaParser>(form, !path.contains("/status.d/"), sink);
    }
    return true;
  }
  if (!reader.rpm_tried) {
    reader.rpm_tried = true;
    for (const char* const path : {"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite"}) {
      open_packages(path, reader.file);
      if (!reader.file.valid()) continue;
      reader.path = path;
      // Through the descriptor: the path may be one of an image, whose links lead within it.
      auto rpm = RpmDatabase::open_sqlite(join({"/proc/self/fd/", std::to_string(reader.file.get())}));
      if (rpm) {
        reader.rpm = std::make_unique<RpmDatabase>(*std::move(rpm));
      } else {
        unread_packages_ = path;
      }
      break;
    }
    return true;
  }
  if (reader.rpm) {
    const auto more = reader.rpm->step(sink);
    if (more && *more) return true;
    if (!more) unread_packages_ = reader.path;
  }
  reader_.reset();
  packages_.sort();
  return false;
}

/// A pipe would wait for its writer, and a device for its driver: databases are files.
void Facts::open_packages(const std::string& path, UniqueFd& file) {
  struct stat info{};
  file = root_.open_file(path, O_RDONLY | O_NONBLOCK);
  const bool missing = !file.valid() && (errno == ENOENT || errno == ENOTDIR);
  if (file.valid() && (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))) file = UniqueFd();
  if (!file.valid() && !missing) unread_packages_ = path;
}

// ---- mounts ----

namespace {

/// Blanks stand as "\040" in fstab and in procfs.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (const auto value = number_of(text.substr(i + 1, 3), 8)) {
        out += static_cast<char>(*value);
        i += 3;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

const std::vector<Mount>* Facts::mounts() {
  if (mounts_read_) return mounts_ ? &*mounts_ : nullptr;
  mounts_read_ = true;
  // The device's, not ours: the agent sees everything read-only, in a mount namespace of its own.
  Text table = text("/proc/1/mounts");
  if (table.found != Found::yes) table = text("/proc/self/mounts");
  if (table.found != Found::yes) table = text("/etc/fstab");
  if (table.found != Found::yes) return nullptr;
  mounts_.emplace();
  for_each_line(table.text, "#", [this](std::string_view line) {
    Mount mount;
    mount.device = unescape(take_word(line));
    mount.path = unescape(take_word(line));
    mount.type = take_word(line);
    mount.options = take_word(line);
    if (!mount.options.empty()) mounts_->push_back(std::move(mount));
    return mounts_->size() < kMountsMax;
  });
  return &*mounts_;
}

// ---- units ----

void Facts::add_links(const std::string& folder, std::string_view prefix) {
  for (std::string name : root_.list(folder)) {
    if (prefix == "S") {  // S20name
      if (name.size() < 4 || name[0] != 'S' || name[1] < '0' || name[1] > '9') continue;
      name.erase(0, name.find_first_not_of("0123456789", 1));
      // A native unit stands for a script of the same name.
      if (root_.exists(join({"/lib/systemd/system/", name, ".service"})) ||
          root_.exists(join({"/etc/systemd/system/", name, ".service"}))) {
        continue;
      }
      units_enabled_.add(join({name, ".service"}));
    } else {
      units_enabled_.add(join({name, prefix}));
    }
  }
}

void Facts::read_units() {
  units_read_ = true;
  for (const std::string_view system : {"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system",
                                        "/lib/systemd/system", "/usr/local/lib/systemd/system"}) {
    for (const std::string& name : root_.list(system)) {
      const std::string path = join({system, "/", name});
      if (name.ends_with(".wants") || name.ends_with(".requires")) {
        add_links(path, "");
      } else if (system.starts_with("/etc") && !name.ends_with(".d")) {
        const std::string target = root_.link_target(path);
        if (target == "/dev/null") {
          units_masked_.add(name);
        } else if (!target.empty()) {
          units_enabled_.add(name);  // an alias that was made when a unit was enabled, and the unit itself
          units_enabled_.add(target.substr(target.rfind('/') + 1));
        }
      }
    }
  }
  // init's own ways: System V, OpenRC, Buildroot, OpenWrt.
  for (const char* const folder :
       {"/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d", "/etc/rcS.d", "/etc/rc.d", "/etc/init.d"}) {
    add_links(folder, "S");
  }
  for (const char* const folder : {"/etc/runlevels/default", "/etc/runlevels/boot"}) add_links(folder, ".service");
  units_enabled_.sort();
  units_masked_.sort();
}

UnitState Facts::unit(std::string_view name) {
  if (!units_read_) read_units();
  if (units_masked_.has(name)) return UnitState::masked;
  if (units_enabled_.has(name)) return UnitState::enabled;
  for (const char* const folder : {"/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"}) {
    if (root_.exists(join({folder, name}))) return UnitState::disabled;
  }
  const std::string_view script = name.substr(0, name.rfind('.'));
  return root_.exists(join({"/etc/init.d/", script})) ? UnitState::disabled : UnitState::absent;
}

// ---- kernel ----

std::optional<std::string> Facts::sysctl_written(std::string_view key) {
  if (!sysctl_) {
    sysctl_.emplace();
    // Names are sorted over all folders; of equal ones the first folder's is taken. sysctl.conf is read last.
    constexpr std::string_view folders[] = {"/etc/sysctl.d/", "/run/sysctl.d/", "/usr/local/lib/sysctl.d/",
                                            "/usr/lib/sysctl.d/", "/lib/sysctl.d/"};
    std::vector<std::string> names;  // each ends with the number of its folder
    for (std::size_t i = 0; i < std::size(folders); ++i) {
      for (std::string& name : root_.list(folders[i])) {
        if (!name.ends_with(".conf")) continue;
        name += static_cast<char>('0' + i);
        names.push_back(std::move(name));
      }
    }
    std::ranges::sort(names);
    std::vector<std::string> paths;
    std::string_view before;
    for (const std::string& name : names) {
      const std::string_view bare = std::string_view(name).substr(0, name.size() - 1);
      if (bare != before) paths.push_back(join({folders[static_cast<std::size_t>(name.back() - '0')], bare}));
      before = bare;
    }
    paths.emplace_back("/etc/sysctl.conf");
    if (text("/etc/ufw/ufw.conf").text.contains("ENABLED=yes")) paths.emplace_back("/etc/ufw/sysctl.conf");
    for (const std::string& path : paths) {
      for_each_line(text(path).text, "#;", [this](std::string_view line) {
        const auto equals = line.find('=');
        if (equals == std::string_view::npos || sysctl_->size() >= 1'024) return true;
        std::string name(trim(line.substr(0, equals)));
        if (name.starts_with('-')) name.erase(0, 1);
        // With slashes first, dots are part of a name ("net/ipv4/conf/eth0.1/…"); otherwise dots separate.
        if (name.find('/') < name.find('.')) std::ranges::replace(name, '/', '.');
        std::string value;
        for (std::string_view rest = trim(line.substr(equals + 1)); !rest.empty();) {
          if (!value.empty()) value += ' ';
          value += take_word(rest);
        }
        sysctl_->push_back({std::move(name), std::move(value)});
        return true;
      });
    }
  }
  std::optional<std::string> exact, by_pattern;
  for (const auto& [name, value] : *sysctl_) {
    if (name == key) {
      exact = value;
    } else if (name.contains('*') && matches_glob(name, key)) {
      by_pattern = value;
    }
  }
  return exact ? exact : by_pattern;
}

namespace {

/// "kernel/fs/cramfs/cramfs.ko.zst: …" is cramfs; "-" and "_" are one.
std::string module_name(std::string_view line) {
  line = line.substr(0, line.find(':'));
  line.remove_prefix(line.rfind('/') + 1);  // npos + 1 == 0
  std::string out(line.substr(0, line.find(".ko")));
  std::ranges::replace(out, '-', '_');
  return out;
}

}  // namespace

void Facts::read_modules() {
  modules_read_ = true;
  std::vector<std::string> kernels;
  std::string release;
  if (root_.read("/proc/sys/kernel/osrelease", 256, release) == Found::yes) {
    kernels.emplace_back(trim(release.substr(0, release.find('\n'))));
  } else {
    kernels = root_.list("/lib/modules");
  }
  std::string list;
  for (const std::string& kernel : kernels) {
    for (const bool built_in : {false, true}) {
      const std::string path = join({"/lib/modules/", kernel, built_in ? "/modules.builtin" : "/modules.dep"});
      if (root_.read(path, 4 << 20, list) != Found::yes) continue;
      for_each_line(list, "#", [&](std::string_view line) {
        (built_in ? modules_built_in_ : modules_).add(module_name(line));
        return true;
      });
    }
  }
  // File systems that the running kernel has without a module.
  for_each_line(text("/proc/filesystems").text, "", [this](std::string_view line) {
    line.remove_prefix(std::min(line.find_last_of(" \t") + 1, line.size()));
    modules_built_in_.add(line);
    return true;
  });
  modules_.sort();
  modules_built_in_.sort();
}

const NameSet& Facts::modules() {
  if (!modules_read_) read_modules();
  return modules_;
}
const NameSet& Facts::modules_built_in() {
  if (!modules_read_) read_modules();
  return modules_built_in_;
}

Machine Facts::machine() {
  for (const char* const path : {"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu", "/lib/ld-musl-x86_64.so.1"}) {
    if (root_.exists(path)) return Machine::x86_64;
  }
  for (const char* const path : {"/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1", "/lib/aarch64-linux-gnu",
                                 "/lib/riscv64-linux-gnu", "/lib/ld-linux-riscv64-lp64d.so.1"}) {
    if (root_.exists(path)) return Machine::bits64;
  }
  return Machine::bits32;
}

// ---- accounts ----

std::optional<std::uint32_t> Facts::id_of(std::string_view path, std::string_view name) {
  if (const auto number = number_of(name)) return static_cast<std::uint32_t>(*number);
  if (name == "root") return 0;
  std::optional<std::uint32_t> out;
  for_each_line(text(path).text, "#", [&](std::string_view line) {
    if (!line.starts_with(name) || line.size() == name.size() || line[name.size()] != ':') return true;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    if (const auto id = number_of(line.substr(0, line.find(':')))) out = static_cast<std::uint32_t>(*id);
    return false;
  });
  return out;
}
std::optional<std::uint32_t> Facts::user_id(std::string_view name) { return id_of("/etc/passwd", name); }
std::optional<std::uint32_t> Facts::group_id(std::string_view name) { return id_of("/etc/group", name); }

// ---- firewall ----

const FirewallPicture* Facts::firewall() {
  if (!firewall_read_ && root_.live()) {
    firewall_read_ = true;
    FirewallPicture picture;
    auto dump = NftDump::open();
    const bool nft = dump && dump->read(picture);
    const bool xt = XtDump("/proc").read(picture).has_value();
    if (nft || xt) firewall_ = std::move(picture);
  }
  return firewall_ ? &*firewall_ : nullptr;
}

}  // namespace picket::agent::baseline
