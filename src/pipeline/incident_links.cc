#include "incident_links.h"

#include <algorithm>
#include <array>

namespace picket::pipeline {
namespace {

using Facts = IncidentBook::AlertFacts;

constexpr std::size_t kLinkBytesMax = 256;
constexpr std::size_t kLinksMax = 64;
constexpr std::string_view kTypeLink = "type ";
constexpr std::string_view kGroupLink = "group ";
constexpr std::uint64_t kLow = 2;
constexpr std::uint64_t kMedium = 3;

/// Kind of entity, its member, and the word for it.
struct EntityLink {
  std::string_view type, member, word;
};
constexpr std::array<EntityLink, 7> kEntityLinks{{{"ip", "Address", "address"},
                                                  {"dns", "DomainName", "domain"},
                                                  {"url", "Url", "url"},
                                                  {"filehash", "Value", "hash"},
                                                  {"process", "ProcessId", "process"},
                                                  {"account", "Name", "user"},
                                                  {"file", "Directory", "file"}}};
/// Extended properties that name what somebody knows to be bad.
constexpr std::array<EntityLink, 4> kPropertyLinks{
    {{"", "Indicator", "indicator"}, {"", "Sha256", "hash"}, {"", "Url", "url"}, {"", "Domain", "domain"}}};
constexpr std::array<std::string_view, 5> kCampaignWords{"address ", "domain ", "url ", "hash ", "indicator "};

bool tells_apart(std::string_view word, std::string_view value) {
  if (value.empty() || value == "?" || value == "-1" || value == "0") return false;
  if (word == "address") {
    return !value.starts_with("127.") && value != "::1" && value != "0.0.0.0" && value != "::";
  }
  // On a device most things are root's.
  if (word == "user") return value != "root" && !value.starts_with('(');
  if (word == "process") return value != "1";
  return true;
}

void add(std::set<std::string>& out, std::string_view word, std::string_view value) {
  if (out.size() >= kLinksMax || !tells_apart(word, value)) return;
  out.insert(std::string(word) + " " + std::string(value.substr(0, kLinkBytesMax)));
}

/// "a.b.c.d" wherever it stands in a command line.
void add_addresses(std::set<std::string>& out, std::string_view text) {
  constexpr std::string_view kParts = "0123456789.";
  for (std::size_t at = text.find_first_of(kParts); at < text.size(); at = text.find_first_of(kParts, at)) {
    const std::size_t end = std::min(text.find_first_not_of(kParts, at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = end;
    while (word.ends_with('.')) word.remove_suffix(1);
    int parts = 1;
    int value = 0;
    std::size_t digits = 0;
    bool good = true;
    for (const char c : word) {
      if (c == '.') {
        good = good && digits > 0;
        ++parts;
        value = 0;
        digits = 0;
        continue;
      }
      value = value * 10 + (c - '0');
      good = good && ++digits <= 3 && value <= 255;
    }
    if (good && parts == 4 && digits > 0) add(out, "address", word);
  }
}

bool near_in_time(const Facts& a, const Facts& b) {
  return std::max(a.start, b.start) - std::min(a.end, b.end) <= kIncidentGap;
}

/// Some stage of `a` comes before some stage of `b` in the chain, and `a` began before `b` was over.
bool leads_to(const Facts& a, const Facts& b) {
  const StageSet first = stages_of(a.tactics);
  const StageSet then = stages_of(b.tactics);
  if (first == 0 || then == 0 || a.start > b.end) return false;
  const StageSet lowest = first & (~first + 1);
  return then >= lowest << 1;  // the highest stage of `b` lies above the lowest of `a`
}

}  // namespace

std::uint64_t severity_weight(std::string_view severity) {
  return severity == "High" ? 4 : severity == "Medium" ? kMedium : severity == "Low" ? kLow : 1;
}

std::string_view severity_name(std::uint64_t weight) {
  constexpr std::array<std::string_view, 5> kNames{"Informational", "Informational", "Low", "Medium", "High"};
  return kNames[std::min<std::size_t>(weight, 4)];
}

std::set<std::string> links_of(const AlertChange& alert, std::string_view group_key) {
  std::set<std::string> out;
  bool process = false;
  for (const Entity& entity : alert.entities) {
    process = process || entity.type == "process";
    for (const EntityLink& link : kEntityLinks) {
      if (entity.type != link.type) continue;
      for (const auto& [name, value] : entity.members) {
        if (name == link.member) add(out, link.word, value);
      }
    }
  }
  for (const auto& [name, value] : alert.properties) {
    if (name == "CommandLine") add_addresses(out, value);
    for (const EntityLink& link : kPropertyLinks) {
      if (name == link.member) add(out, link.word, value);
    }
  }
  // Alerts about processes have one group key when the processes descend from each other.
  if (process) add(out, "group", group_key);
  return out;
}

std::set<std::string> campaign_links(const Facts& facts) {
  std::set<std::string> out;
  if (facts.weight < kLow || facts.device_id.empty()) return out;
  for (const std::string& link : facts.links) {
    const bool wide =
        std::ranges::any_of(kCampaignWords, [&](std::string_view word) { return link.starts_with(word); });
    if (wide) out.insert(link);
  }
  // An operator's own limits say more about the limit than about an attack.
  if (facts.weight >= kMedium && !facts.type.starts_with("IoT_CA_")) out.insert(std::string(kTypeLink) + facts.type);
  return out;
}

std::size_t campaign_devices(std::string_view link) {
  return link.starts_with(kTypeLink) ? kCampaignDevicesOfType : kCampaignDevices;
}

std::set<std::string> reasons_to_join(const Facts& a, const Facts& b) {
  std::set<std::string> out;
  const bool together = near_in_time(a, b);
  for (const std::string& link : a.links) {
    if (!b.links.contains(link)) continue;
    // Process ids are used again, and people come back: those join what lies close together only.
    if (!together && (link.starts_with("process ") || link.starts_with("user "))) continue;
    out.insert(link.starts_with(kGroupLink) ? std::string("processes that descend from each other") : link);
  }
  if (a.weight < kLow || b.weight < kLow || std::max(a.weight, b.weight) < kMedium) return out;
  if (together && (leads_to(a, b) || leads_to(b, a))) out.insert("stages of an attack that follow each other");
  return out;
}

}  // namespace picket::pipeline
