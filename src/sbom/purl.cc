#include <algorithm>

#include "base/core/encoding.h"
#include "purl_types.h"
#include "sbom/component.h"

namespace picket::sbom {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_type_sign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-';
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == '~' || c == ':';
}

void append_encoded(std::string& out, std::string_view text, char keep = '\0') {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_plain(c) || (keep != '\0' && c == keep)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
}

Result<std::string> decode(std::string_view text, std::size_t offset) {
  auto out = percent_decode(text);
  if (!out || !is_utf8(*out)) return fail(Errc::malformed, "purl.encoding", offset);
  return *std::move(out);
}

/// "/a//b/" → "a/b", each part decoded; of a subpath also "." and ".." are no parts.
Result<std::string> read_path(std::string_view text, std::size_t offset, bool subpath) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    TRY(const auto part, decode(text.substr(begin, end - begin), offset + begin));
    const bool counts = !part.empty() && !(subpath && (part == "." || part == ".."));
    if (counts && !out.empty()) out += '/';
    if (counts) out += part;
    begin = end + 1;
  }
  return out;
}

bool is_type(std::string_view type) {
  return !type.empty() && (type[0] < '0' || type[0] > '9') && std::ranges::all_of(type, is_type_sign);
}

bool is_key(std::string_view key) {
  return !key.empty() && (key[0] < '0' || key[0] > '9') && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

Result<> read_qualifiers(std::string_view text, std::size_t offset, PackageUrl& out) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    const auto key = lower(pair.substr(0, equals));
    if (equals == std::string_view::npos || !is_key(key)) return fail(Errc::malformed, "purl.qualifiers", offset);
    TRY(auto value, decode(pair.substr(equals + 1), offset + equals + 1));
    if (!out.qualifier(key).empty()) return fail(Errc::malformed, "purl.qualifiers", offset);  // each key once
    if (!value.empty()) out.qualifiers.emplace_back(key, std::move(value));
    offset += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::ranges::sort(out.qualifiers);
  return {};
}

bool has_capital_keys(std::string_view text) {
  for (bool key = true; const char c : text) {
    if (key && c >= 'A' && c <= 'Z') return true;
    key = c == '&' || (key && c != '=');
  }
  return false;
}

/// "namespace/name@version"; a version may have a slash, as branches do.
Result<> read_name(std::string_view text, std::size_t offset, PackageUrl& out) {
  // An '@' that begins a part is that of a scope such as "@angular", which should have been encoded.
  if (const auto at = text.rfind('@'); at != std::string_view::npos && at > 0 && text[at - 1] != '/') {
    TRY(out.version, decode(text.substr(at + 1), offset + at + 1));
    text = text.substr(0, at);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  const auto cut = text.rfind('/');
  const auto name = cut == std::string_view::npos ? text : text.substr(cut + 1);
  if (name.empty() || name.front() == '@') return fail(Errc::malformed, "purl.name", offset);
  TRY(out.name, decode(name, offset));
  if (cut != std::string_view::npos) {
    TRY(out.name_space, read_path(text.substr(0, cut), offset, false));
  }
  return {};
}

}  // namespace

std::string_view PackageUrl::qualifier(std::string_view key) const {
  const auto found = std::ranges::find(qualifiers, key, &std::pair<std::string, std::string>::first);
  return found == qualifiers.end() ? std::string_view{} : std::string_view(found->second);
}

Result<PackageUrl> parse_purl(std::string_view text, PurlRules rules) {
  if (text.size() < 4 || lower(text.substr(0, 4)) != "pkg:") return fail(Errc::malformed, "purl.scheme");
  PackageUrl out;
  std::string_view keys;
  std::size_t begin = 4;
  while (begin < text.size() && text[begin] == '/') ++begin;  // pkg:// is written by some
  std::size_t end = text.size();
  if (const auto hash = text.find('#', begin); hash != std::string_view::npos) {
    TRY(out.subpath, read_path(text.substr(hash + 1, end - hash - 1), hash + 1, true));
    end = hash;
  }
  if (const auto question = text.substr(0, end).find('?', begin); question != std::string_view::npos) {
    keys = text.substr(question + 1, end - question - 1);
    TRY_VOID(read_qualifiers(keys, question + 1, out));
    end = question;
  }
  const auto slash = text.substr(0, end).find('/', begin);
  if (slash == std::string_view::npos) return fail(Errc::malformed, "purl.type", begin);
  out.type = lower(text.substr(begin, slash - begin));
  if (!is_type(out.type)) return fail(Errc::malformed, "purl.type", begin);
  begin = slash + 1;
  TRY_VOID(read_name(text.substr(begin, end - begin), begin, out));
  normalize_purl(out);
  if (rules == PurlRules::all) {
    TRY_VOID(check_purl(out));
    if (has_capital_keys(keys) && !may_have_capital_keys(out.type)) return fail(Errc::malformed, "purl.qualifiers");
  }
  return out;
}

Result<PackageUrl> canonical_purl(PackageUrl url) {
  url.type = lower(url.type);
  if (!is_type(url.type)) return fail(Errc::malformed, "purl.type");
  if (url.name.empty()) return fail(Errc::malformed, "purl.name");
  for (auto& [key, value] : url.qualifiers) {
    key = lower(key);
    if (!is_key(key)) return fail(Errc::malformed, "purl.qualifiers");
  }
  std::ranges::sort(url.qualifiers);
  normalize_purl(url);
  TRY_VOID(check_purl(url));
  return url;
}

std::string format_purl(const PackageUrl& url) {
  std::string out = "pkg:" + url.type + "/";
  if (!url.name_space.empty()) {
    append_encoded(out, url.name_space, '/');
    out += '/';
  }
  append_encoded(out, url.name, url.type == "git" ? '/' : '\0');
  if (!url.version.empty()) {
    out += '@';
    append_encoded(out, url.version);
  }
  char separator = '?';
  auto sorted = url.qualifiers;
  std::ranges::sort(sorted);
  for (const auto& [key, value] : sorted) {
    if (value.empty()) continue;
    out += separator;
    out += key;
    out += '=';
    append_encoded(out, value);
    separator = '&';
  }
  if (!url.subpath.empty()) {
    out += '#';
    append_encoded(out, url.subpath, '/');
  }
  return out;
}

namespace {

/// The source package, as builders of images write it: "glibc", "glibc@2.36-9", "bash-5.2.15-3.fc38.src.rpm".
void read_upstream(std::string_view upstream, Component& out) {
  if (upstream.ends_with(".src.rpm")) {
    upstream.remove_suffix(8);
    const auto release = upstream.rfind('-');
    const auto version = release == 0 || release == std::string_view::npos ? release : upstream.rfind('-', release - 1);
    if (version == std::string_view::npos || version == 0) return;
    out.source_name = upstream.substr(0, version);
    out.source_version = upstream.substr(version + 1);
    return;
  }
  const auto at = upstream.find('@');
  out.source_name = upstream.substr(0, at);
  if (at != std::string_view::npos) out.source_version = upstream.substr(at + 1);
}

}  // namespace

Component component_of(const PackageUrl& url) {
  Component out{.type = url.type == "generic" ? "binary" : url.type,
                .name = url.name,
                .version = url.version,
                .architecture = std::string(url.qualifier("arch"))};
  const bool joined = url.type == "npm" || url.type == "golang" || url.type == "composer";
  if (joined && !url.name_space.empty()) out.name = url.name_space + "/" + url.name;
  if (url.type == "maven" && !url.name_space.empty()) out.name = url.name_space + ":" + url.name;
  read_upstream(url.qualifier("upstream"), out);
  out.purl = format_purl(url);
  return out;
}

std::string make_purl(const Component& component, std::string_view distribution) {
  PackageUrl url{.type = component.type == "binary" || component.type.empty() ? "generic" : component.type,
                 .name = component.name,
                 .version = component.version};
  const bool of_system = url.type == "deb" || url.type == "rpm" || url.type == "apk";
  if (const auto slash = url.name.rfind('/'); slash != std::string::npos && slash + 1 < url.name.size() && !of_system) {
    url.name_space = url.name.substr(0, slash);
    url.name.erase(0, slash + 1);
  }
  if (const auto colon = url.name.find(':'); url.type == "maven" && colon != std::string::npos) {
    url.name_space = url.name.substr(0, colon);
    url.name.erase(0, colon + 1);
  }
  if (!component.architecture.empty()) url.qualifiers.emplace_back("arch", component.architecture);
  if (of_system && !distribution.empty()) {
    url.name_space = distribution.substr(0, distribution.find('-'));
    url.qualifiers.emplace_back("distro", distribution);
  }
  return format_purl(url);
}

std::string identity_of(const Component& component) {
  const bool many = component.type != "deb" && component.type != "apk" && component.type != "opkg";
  std::string out = component.type;
  for (const std::string_view part : {std::string_view(component.name), std::string_view(component.architecture),
                                      many ? std::string_view(component.version) : std::string_view{}}) {
    out += '\x1f';
    out += part;
  }
  return out;
}

}  // namespace picket::sbom
