#include "sbom/package.h"

#include <algorithm>

namespace picket::agent {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == '~' || c == ':';
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (plain(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string package_url(const Package& package, const Distribution& distribution) {
  const bool of_system = package.type == "deb" || package.type == "rpm" || package.type == "apk";
  std::string out("pkg:");
  out += package.type == "binary" ? std::string_view("generic") : package.type;
  out += '/';
  std::string name = package.name;
  if (of_system && !distribution.id.empty()) {
    append_encoded(out, lower(distribution.id));
    out += '/';
  }
  if (package.type == "pypi") {
    name = lower(name);
    std::ranges::replace(name, '_', '-');
  }
  if (const auto slash = name.find('/'); package.type == "npm" && slash != std::string::npos) {
    append_encoded(out, std::string_view(name).substr(0, slash));
    out += '/';
    name.erase(0, slash + 1);
  }
  append_encoded(out, name);
  if (!package.version.empty()) {
    out += '@';
    append_encoded(out, package.version);
  }
  char separator = '?';
  const auto qualifier = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += separator;
    out.append(key).append("=");
    append_encoded(out, value);
    separator = '&';
  };
  qualifier("arch", package.architecture);
  if (of_system && !distribution.id.empty()) {
    qualifier("distro", lower(distribution.id) + (distribution.version.empty() ? "" : "-" + distribution.version));
  }
  qualifier("epoch", package.epoch);
  return out;
}

}  // namespace picket::agent
