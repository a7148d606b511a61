#include <algorithm>

#include "base/core/encoding.h"
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
  if (!out) return fail(Errc::malformed, "purl.encoding", offset);
  return *std::move(out);
}

/// Types whose names are the same in any case.
bool is_folded(std::string_view type) {
  return type == "pypi" || type == "github" || type == "bitbucket" || type == "composer" || type == "brew";
}

Result<> read_qualifiers(std::string_view text, std::size_t offset, PackageUrl& out) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) return fail(Errc::malformed, "purl.qualifiers", offset);
    TRY(auto value, decode(pair.substr(equals + 1), offset + equals + 1));
    if (!value.empty()) out.qualifiers.emplace_back(lower(pair.substr(0, equals)), std::move(value));
    offset += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::ranges::sort(out.qualifiers);
  return {};
}

}  // namespace

std::string_view PackageUrl::qualifier(std::string_view key) const {
  const auto found = std::ranges::find(qualifiers, key, &std::pair<std::string, std::string>::first);
  return found == qualifiers.end() ? std::string_view{} : std::string_view(found->second);
}

Result<PackageUrl> parse_purl(std::string_view text) {
  if (!text.starts_with("pkg:")) return fail(Errc::malformed, "purl.scheme");
  PackageUrl out;
  std::size_t begin = 4;
  while (begin < text.size() && text[begin] == '/') ++begin;  // pkg:// is written by some
  std::size_t end = text.size();
  if (const auto hash = text.find('#', begin); hash != std::string_view::npos) {
    auto path = text.substr(hash + 1, end - hash - 1);
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    TRY(out.subpath, decode(path, hash + 1));
    end = hash;
  }
  if (const auto question = text.substr(0, end).find('?', begin); question != std::string_view::npos) {
    TRY_VOID(read_qualifiers(text.substr(question + 1, end - question - 1), question + 1, out));
    end = question;
  }
  const auto slash = text.substr(0, end).find('/', begin);
  if (slash == std::string_view::npos) return fail(Errc::malformed, "purl.type", begin);
  out.type = lower(text.substr(begin, slash - begin));
  if (out.type.empty() || (out.type[0] >= '0' && out.type[0] <= '9') || !std::ranges::all_of(out.type, is_type_sign))
    return fail(Errc::malformed, "purl.type", begin);
  begin = slash + 1;
  // The version begins at the last '@' behind the last '/': a scope such as "@angular" may stand unencoded before.
  const auto last_slash = text.substr(0, end).rfind('/');
  if (const auto at = text.substr(0, end).rfind('@'); at != std::string_view::npos && at > last_slash) {
    if (at == last_slash + 1) return fail(Errc::malformed, "purl.name", at);
    TRY(out.version, decode(text.substr(at + 1, end - at - 1), at + 1));
    end = at;
  }
  while (end > begin && text[end - 1] == '/') --end;
  const auto path = text.substr(begin, end - begin);
  const auto cut = path.rfind('/');
  TRY(out.name, decode(cut == std::string_view::npos ? path : path.substr(cut + 1), begin));
  if (out.name.empty()) return fail(Errc::malformed, "purl.name", begin);
  if (cut != std::string_view::npos) {
    TRY(out.name_space, decode(path.substr(0, cut), begin));
  }
  if (is_folded(out.type)) {
    out.name = lower(out.name);
    out.name_space = lower(out.name_space);
  }
  if (out.type == "pypi") std::ranges::replace(out.name, '_', '-');
  return out;
}

std::string format_purl(const PackageUrl& url) {
  std::string out = "pkg:" + url.type + "/";
  if (!url.name_space.empty()) {
    append_encoded(out, url.name_space, '/');
    out += '/';
  }
  append_encoded(out, url.name);
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

Component component_of(const PackageUrl& url) {
  Component out{.type = url.type == "generic" ? "binary" : url.type,
                .name = url.name,
                .version = url.version,
                .architecture = std::string(url.qualifier("arch"))};
  const bool joined = url.type == "npm" || url.type == "golang" || url.type == "composer";
  if (joined && !url.name_space.empty()) out.name = url.name_space + "/" + url.name;
  if (url.type == "maven" && !url.name_space.empty()) out.name = url.name_space + ":" + url.name;
  // Debian's source package, as builders of images write it.
  const auto upstream = url.qualifier("upstream");
  const auto at = upstream.find('@');
  out.source_name = upstream.substr(0, at);
  if (at != std::string_view::npos) out.source_version = upstream.substr(at + 1);
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
