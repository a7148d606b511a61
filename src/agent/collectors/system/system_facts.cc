#include "system/system_facts.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/json_reader.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;

// First line of a small file, without what firmware vendors put where nothing was to say.
std::string fact(const std::string& path) {
  auto text = read_file(path, kFileBytesMax);
  if (!text) return {};
  std::string out = text->substr(0, text->find_first_of(std::string_view("\n\0", 2)));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Empty for what firmware vendors write where they had nothing to say.
std::string said(std::string text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const std::string_view nothing :
       {"to be filled by o.e.m.", "default string", "not specified", "system manufacturer", "system product name",
        "system serial number", "none", "n/a", "0123456789"}) {
    if (lower == nothing) return {};
  }
  return text;
}

std::string_view kind_of_nic(const std::string& name, unsigned hardware, bool wireless) {
  if (wireless) return "WIFI";
  if (name.starts_with("wwan") || name.starts_with("rmnet")) return "MOBILE";
  return hardware == ARPHRD_ETHER ? "ETH" : "UNKNOWN";
}

}  // namespace

std::string cpuinfo_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !line.starts_with(name)) continue;
    if (line.substr(name.size(), colon - name.size()).find_first_not_of(" \t") != std::string_view::npos) continue;
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    return std::string(value);
  }
  return {};
}

std::uint64_t meminfo_kib(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos || (at > 0 && text[at - 1] != '\n')) return 0;
  auto rest = text.substr(at + name.size());
  if (!rest.starts_with(':')) return 0;
  rest.remove_prefix(std::min(rest.find_first_not_of(": \t"), rest.size()));
  std::uint64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

void SystemFacts::read(const std::string& procfs, const std::string& root) {
  texts_.clear();
  overrides_.clear();
  overrides_.reserve(10);  // the same
  texts_.reserve(48);      // views into short strings must not move
  const auto keep = [&](std::string text) -> std::string_view { return texts_.emplace_back(std::move(text)); };
  record_ = {};

  utsname names{};
  if (uname(&names) == 0) {
    record_.host_name = keep(names.nodename);
    record_.kernel_release = keep(names.release);
    record_.kernel_version = keep(names.version);
    record_.os_architecture = keep(names.machine);
  }
  const OsRelease release = read_os_release(root);
  record_.os_name = keep(release.name);
  record_.os_version = keep(release.version_id);
  record_.os_vendor = keep(release.id);
  if (record_.os_name.empty()) record_.os_name = keep(names.sysname);

  read_hardware(procfs, root, keep);

  const auto memory = read_file(procfs + "/meminfo", kFileBytesMax);
  const std::string_view meminfo = memory ? std::string_view(*memory) : std::string_view{};
  record_.memory_total_kib = meminfo_kib(meminfo, "MemTotal");
  record_.memory_free_kib = meminfo_kib(meminfo, "MemAvailable");
  record_.virtual_total_kib = record_.memory_total_kib + meminfo_kib(meminfo, "SwapTotal");
  record_.virtual_free_kib = record_.memory_free_kib + meminfo_kib(meminfo, "SwapFree");
  record_.processors = static_cast<std::uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));

  // The device of the root file system, from the line of mounts whose place is "/".
  const auto mounts = read_file(procfs + "/mounts", 1 << 20);
  std::string_view rest = mounts ? std::string_view(*mounts) : std::string_view{};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto space = line.find(' ');
    if (space != std::string_view::npos && line.substr(space).starts_with(" / ")) {
      record_.boot_device = keep(std::string(line.substr(0, space)));
      break;
    }
  }
  read_nics(root);
}

void SystemFacts::read_hardware(const std::string& procfs, const std::string& root,
                                const std::function<std::string_view(std::string)>& keep) {
  const std::string dmi = root + "/sys/class/dmi/id/";
  // Boards of whitebox makers fill in the board and leave the product.
  const auto first_said = [&](const char* name, const char* otherwise) {
    std::string text = said(fact(dmi + name));
    return keep(text.empty() ? said(fact(dmi + otherwise)) : std::move(text));
  };
  record_.hardware_vendor = first_said("sys_vendor", "board_vendor");
  record_.hardware_model = first_said("product_name", "board_name");
  record_.hardware_serial = first_said("product_serial", "board_serial");
  record_.firmware_vendor = keep(said(fact(dmi + "bios_vendor")));
  record_.firmware_version = keep(said(fact(dmi + "bios_version")));
  if (!record_.hardware_model.empty()) return;
  for (const std::string& tree : {root + procfs + "/device-tree/", root + "/sys/firmware/devicetree/base/"}) {
    const std::string model = fact(tree + "model");
    if (model.empty()) continue;
    record_.hardware_model = keep(model);
    record_.hardware_serial = keep(fact(tree + "serial-number"));
    const std::string compatible = fact(tree + "compatible");  // the most exact one first: "vendor,board"
    const auto comma = compatible.find(',');
    if (comma != std::string::npos) record_.hardware_vendor = keep(compatible.substr(0, comma));
    break;
  }
  if (record_.hardware_model.empty()) {  // older ARM kernels say it only here; OpenWrt keeps it in a file of its own
    const auto cpu = read_file(procfs + "/cpuinfo", kFileBytesMax);
    record_.hardware_model = keep(cpu ? cpuinfo_value(*cpu, "Hardware") : std::string());
    if (record_.hardware_serial.empty())
      record_.hardware_serial = keep(cpu ? cpuinfo_value(*cpu, "Serial") : std::string());
    if (record_.hardware_model.empty()) record_.hardware_model = keep(fact(root + "/tmp/sysinfo/model"));
  }
}

HardwareNames parse_sysinfo(std::string_view json) {
  const auto parsed = parse_json(json);
  if (!parsed) return {};
  const auto text = [&](std::string_view name) {
    const auto member = parsed->find(name);
    return member ? member->text().value_or("").substr(0, 256) : std::string();
  };
  return {.hardware_vendor = text("HardwareVendor"),
          .hardware_model = text("HardwareModel"),
          .hardware_serial = text("HardwareSerialNumber"),
          .firmware_vendor = text("FirmwareVendor"),
          .firmware_version = text("FirmwareVersion")};
}

void SystemFacts::override_with(const HardwareNames& names) {
  const auto put = [this](std::string_view& field, const std::string& text) {
    if (!text.empty()) field = overrides_.emplace_back(text);
  };
  put(record_.hardware_vendor, names.hardware_vendor);
  put(record_.hardware_model, names.hardware_model);
  put(record_.hardware_serial, names.hardware_serial);
  put(record_.firmware_vendor, names.firmware_vendor);
  put(record_.firmware_version, names.firmware_version);
}

void SystemFacts::read_nics(const std::string& root) {
  nics_.clear();
  nic_views_.clear();
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all{first, freeifaddrs};
  nics_.reserve(kNicsMax);
  const auto nic_of = [&](const char* name) -> Nic* {
    for (Nic& nic : nics_) {
      if (nic.name == name) return &nic;
    }
    return nics_.size() < kNicsMax ? &nics_.emplace_back(Nic{name, {}}) : nullptr;
  };
  for (const ifaddrs* at = first; at; at = at->ifa_next) {
    if (!at->ifa_addr || std::strcmp(at->ifa_name, "lo") == 0) continue;
    Nic* nic = nic_of(at->ifa_name);
    if (!nic) continue;
    std::array<std::uint8_t, 16> raw{};
    if (at->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address;
      std::memcpy(&address, at->ifa_addr, sizeof(address));
      std::memcpy(raw.data(), &address.sin_addr, 4);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address;
      std::memcpy(&address, at->ifa_addr, sizeof(address));
      std::memcpy(raw.data(), &address.sin6_addr, 16);
    } else {
      continue;
    }
    if (nic->addresses.size() < kAddressesMax)
      nic->addresses.push_back(address_of(at->ifa_addr->sa_family, raw.data()));
  }
  for (const Nic& nic : nics_) {
    NicInfo view{.name = nic.name, .type = "UNKNOWN", .addresses = nic.addresses};
    for (const ifaddrs* at = first; at; at = at->ifa_next) {
      if (!at->ifa_addr || at->ifa_addr->sa_family != AF_PACKET || nic.name != at->ifa_name) continue;
      sockaddr_ll link;
      std::memcpy(&link, at->ifa_addr, sizeof(link));
      if (link.sll_halen == view.mac.size()) std::copy_n(link.sll_addr, view.mac.size(), view.mac.begin());
      const bool wireless = access((root + "/sys/class/net/" + nic.name + "/wireless").c_str(), F_OK) == 0;
      view.type = kind_of_nic(nic.name, link.sll_hatype, wireless);
    }
    nic_views_.push_back(view);
  }
  record_.nics = nic_views_;
}

}  // namespace picket::agent
