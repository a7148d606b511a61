// What single types of package URLs ask of their parts: https://github.com/package-url/purl-spec, folder types.
#include "purl_types.h"

#include <algorithm>

namespace picket::sbom {
namespace {

constexpr unsigned kFoldSpace = 1, kFoldName = 2, kFoldVersion = 4;
constexpr unsigned kFoldPath = kFoldSpace | kFoldName;

enum class Space : std::uint8_t { may, must, none };

struct TypeRule {
  std::string_view type;
  unsigned fold = 0;  ///< Parts that are the same in any case.
  Space name_space = Space::may;
  std::string_view qualifier = {};  ///< One that it must have.
};

/// Sorted; what is not here has no rules. golang's namespace is asked for by the specification, but its own standard
/// library ("stdlib") has none.
constexpr TypeRule kTypes[] = {
    {"alpm", kFoldPath, Space::must},
    {"apk", kFoldPath, Space::must},
    {"bazel", 0, Space::none},
    {"bitbucket", kFoldPath, Space::must},
    {"bitnami", kFoldName, Space::none},
    {"brew", kFoldPath},
    {"cargo", 0, Space::none},
    {"chrome-extension", kFoldName, Space::none},
    {"cocoapods", 0, Space::none},
    {"composer", kFoldPath, Space::must},
    {"conda", 0, Space::none},
    {"cran", 0, Space::none},
    {"deb", kFoldPath, Space::must},
    {"gem", 0, Space::none},
    {"git", 0, Space::must},
    {"github", kFoldPath, Space::must},
    {"hackage", 0, Space::none},
    {"hex", kFoldPath},
    {"huggingface", kFoldVersion, Space::must},
    {"julia", 0, Space::none, "uuid"},
    {"luarocks", kFoldPath},
    {"maven", 0, Space::must},
    {"mlflow", 0, Space::none},
    {"nuget", 0, Space::none},
    {"oci", kFoldName | kFoldVersion, Space::none},
    {"opam", 0, Space::none},
    {"otp", kFoldName, Space::none},
    {"pub", kFoldName, Space::none},
    {"pypi", kFoldName | kFoldVersion, Space::none},
    {"qpkg", kFoldSpace, Space::must},
    {"rpm", kFoldSpace, Space::must},
    {"swid", 0, Space::may, "tag_id"},
    {"swift", 0, Space::must},
    {"vcpkg", 0, Space::none},
    {"vscode-extension", kFoldPath | kFoldVersion, Space::must},
    {"yocto", kFoldSpace},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &TypeRule::type));

const TypeRule& rule_of(std::string_view type) {
  static constexpr TypeRule kAny{};
  const auto* const found = std::ranges::lower_bound(kTypes, type, {}, &TypeRule::type);
  return found != std::end(kTypes) && found->type == type ? *found : kAny;
}

void lower(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

void upper(std::string& text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "1", "1.2.3.4": at most four numbers.
bool is_numbers(std::string_view version) {
  std::size_t numbers = 1;
  bool digit = false;
  for (const char c : version) {
    if (c == '.' && digit) {
      ++numbers;
      digit = false;
    } else if (is_digit(c)) {
      digit = true;
    } else {
      return false;
    }
  }
  return digit && numbers <= 4;
}

/// The host stands first, all behind it is the repository's name.
void split_git(PackageUrl& url) {
  const auto slash = url.name_space.find('/');
  if (slash != std::string::npos) {
    url.name.insert(0, url.name_space.substr(slash + 1) + "/");
    url.name_space.resize(slash);
  }
  if (url.name_space == "github" || url.name_space == "github.com" || url.name_space == "bitbucket.org")
    lower(url.name);  // hosts where case does not matter
}

}  // namespace

void normalize_purl(PackageUrl& url) {
  const TypeRule& rule = rule_of(url.type);
  if ((rule.fold & kFoldSpace) != 0) lower(url.name_space);
  if ((rule.fold & kFoldName) != 0) lower(url.name);
  if ((rule.fold & kFoldVersion) != 0) lower(url.version);
  if (url.type == "git") split_git(url);
  if (url.type == "pypi") std::ranges::replace(url.name, '_', '-');
  if (url.type == "pub") {
    std::ranges::replace_if(url.name, [](char c) { return !is_digit(c) && (c < 'a' || c > 'z'); }, '_');
  }
  if (url.type == "cpan") upper(url.name_space);
  // Databricks takes names in any case, other servers do not.
  if (url.type == "mlflow" && url.qualifier("repository_url").contains(".azuredatabricks.net")) lower(url.name);
}

Result<> check_purl(const PackageUrl& url) {
  const TypeRule& rule = rule_of(url.type);
  if (url.name_space.empty() ? rule.name_space == Space::must : rule.name_space == Space::none)
    return fail(Errc::malformed, "purl.namespace");
  if (!rule.qualifier.empty() && url.qualifier(rule.qualifier).empty()) return fail(Errc::malformed, "purl.qualifiers");
  if (url.type == "cpan" && url.name.contains("::")) return fail(Errc::malformed, "purl.name");  // that is a module
  if (url.type == "chrome-extension") {
    const bool id = url.name.size() == 32 && std::ranges::all_of(url.name, [](char c) { return c >= 'a' && c <= 'p'; });
    if (!id) return fail(Errc::malformed, "purl.name");
    if (!url.version.empty() && !is_numbers(url.version)) return fail(Errc::malformed, "purl.version");
  }
  return {};
}

}  // namespace picket::sbom
