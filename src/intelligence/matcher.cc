#include "intelligence/matcher.h"

#include <algorithm>

namespace picket::intelligence {

std::optional<Match> Matcher::exactly(Kind kind, std::string_view key) const {
  if (!index_.contains(kind, key)) return std::nullopt;
  std::vector<Listing> all = index_.find(kind, key);
  std::erase_if(all, [&](const Listing& listing) {
    const auto confidence = listing.confidence_at(time_);
    return confidence == 0 || confidence < index_.minimum_confidence();
  });
  if (all.empty()) return std::nullopt;
  std::ranges::sort(all, [&](const Listing& a, const Listing& b) {
    return std::pair(b.confidence_at(time_), a.feed) < std::pair(a.confidence_at(time_), b.feed);
  });
  const auto confidence = all.front().confidence_at(time_);
  return Match{{kind, std::string(key)}, std::move(all), confidence};
}

std::optional<Match> Matcher::address(const Observable& address, std::uint16_t port) const {
  std::optional<Match> out;
  if (port != 0) {
    if (const auto endpoint = make_endpoint(address, port)) out = exactly(endpoint->kind, endpoint->key);
  }
  if (!out) out = exactly(address.kind, address.key);
  if (!out) {
    for (const Observable& network : index_.networks_of(address.kind, address.key)) {
      out = exactly(network.kind, network.key);
      if (out) break;
    }
  }
  // Warning lists also speak for addresses inside a listed network.
  if (out && !index_.warning_of(address.kind, address.key).empty()) return std::nullopt;
  return out;
}

std::optional<Match> Matcher::domain(std::string_view name) const {
  for (;;) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    if (auto out = exactly(Kind::domain, name)) return out;
    name.remove_prefix(dot + 1);
  }
}

std::optional<Match> Matcher::url(const Observable& url) const {
  if (auto out = exactly(Kind::url, url.key)) return out;
  const std::string_view key = url.key;
  if (const auto query = key.find('?'); query != std::string_view::npos) {
    if (auto out = exactly(Kind::url, key.substr(0, query))) return out;
  }
  return exactly(Kind::url_path, path_of(url));
}

std::optional<Match> Matcher::any(const Observable& what) const {
  switch (what.kind) {
    case Kind::ipv4:
    case Kind::ipv6:
      return address(what);
    case Kind::endpoint4:
    case Kind::endpoint6: {
      if (what.key.size() < 3) return std::nullopt;
      const auto high = static_cast<unsigned char>(what.key[what.key.size() - 2]);
      const auto low = static_cast<unsigned char>(what.key.back());
      return address({what.kind == Kind::endpoint4 ? Kind::ipv4 : Kind::ipv6, what.key.substr(0, what.key.size() - 2)},
                     static_cast<std::uint16_t>(high * 256U + low));
    }
    case Kind::domain:
      return domain(what.key);
    case Kind::url: {
      if (auto out = url(what)) return out;
      const auto host = host_of(what);
      return host ? any(*host) : std::nullopt;
    }
    default:
      return exactly(what.kind, what.key);
  }
}

std::vector<Observable> urls_in(std::string_view line) {
  constexpr std::size_t kUrlsMax = 8;
  constexpr std::string_view kEnds = " \t\n\r'\"<>|;`(){}";
  static constexpr std::string_view kFetchers[] = {"wget", "curl", "tftp", "ftpget", "fetch", "aria2c"};
  std::vector<Observable> out;
  const auto add = [&](std::optional<Observable> url) {
    if (url && out.size() < kUrlsMax && std::ranges::find(out, *url) == out.end()) out.push_back(*std::move(url));
  };
  bool fetcher = false;
  while (!line.empty() && out.size() < kUrlsMax) {
    const auto end = line.find_first_of(kEnds);
    const std::string_view word = line.substr(0, end);
    const bool ends_command = end != std::string_view::npos && (line[end] == '|' || line[end] == ';');
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
    if (const auto scheme = word.find("://"); scheme != std::string_view::npos && scheme > 0) {
      auto begin = scheme;
      const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
      while (begin > 0 && letter(word[begin - 1])) --begin;
      add(parse_url(word.substr(begin)));
    } else if (fetcher && !word.starts_with('-') && word.find('/') != std::string_view::npos) {
      const auto host = word.substr(0, word.find_first_of("/:"));
      if (parse_address(host) || parse_domain(host)) add(parse_url("http://" + std::string(word)));
    }
    const auto program = word.substr(word.rfind('/') == std::string_view::npos ? 0 : word.rfind('/') + 1);
    if (std::ranges::find(kFetchers, program) != std::end(kFetchers)) fetcher = true;
    if (ends_command) fetcher = false;
  }
  return out;
}

}  // namespace picket::intelligence
