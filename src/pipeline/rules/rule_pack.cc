#include "rules/rule_pack.h"

#include <algorithm>
#include <cctype>

#include "builtin_content.h"
#include "pipeline/attack.h"
#include "sigma/reader.h"

namespace picket::pipeline {
namespace {

/// Alerts of rules that say nothing of it are joined for so long.
constexpr Duration kWindow = Duration::hours(24);

std::string_view severity_of(sigma::Level level) {
  switch (level) {
    case sigma::Level::critical:
    case sigma::Level::high:
      return "High";
    case sigma::Level::medium:
      return "Medium";
    case sigma::Level::low:
      return "Low";
    default:
      return "Informational";
  }
}

/// "defense-impairment" or "defense_impairment" -> "DefenseImpairment".
std::string tactic_name(std::string_view tag) {
  std::string out;
  bool upper = true;
  for (const char c : tag) {
    if (c == '-' || c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
}

void add_unique(std::vector<std::string>& list, std::string value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

void add_tag(AlertInfo& info, std::string_view tag) {
  if (!tag.starts_with("attack.")) return;
  tag.remove_prefix(7);
  const bool technique =
      tag.size() >= 5 && (tag[0] == 't' || tag[0] == 'T') && std::isdigit(static_cast<unsigned char>(tag[1])) != 0;
  if (!technique) {
    // Groups and software (g0001, s0001) are no tactics.
    if (tag.size() > 5 || std::ranges::none_of(tag, [](char c) { return c >= '0' && c <= '9'; })) {
      add_unique(info.tactics, tactic_name(tag));
    }
    return;
  }
  std::string id(tag);
  id[0] = 'T';
  id = current_technique(id);
  add_unique(info.techniques, id.substr(0, 5));
  if (id.size() > 5) add_unique(info.sub_techniques, std::move(id));
}

}  // namespace

AlertInfo alert_info_of(const sigma::Head& head) {
  AlertInfo info;
  info.type = "Sigma_" + head.key();
  info.name = head.title;
  info.severity_parity = info.severity_default = severity_of(head.level);
  info.description = head.description.empty() ? head.title : head.description;
  for (const std::string& tag : head.tags) add_tag(info, tag);
  info.remediation.emplace_back("Look at the evidence, and at what the author of the rule says about false positives.");
  for (const std::string& positive : head.false_positives)
    info.remediation.push_back("Known false positive: " + positive);
  info.window = kWindow;
  return info;
}

RuleAlert RulePack::alert_of(const sigma::Head& head, const Catalogue& catalogue) {
  RuleAlert out{.head = &head, .info = nullptr, .own = head.file == kOwnRules};
  if (!head.alert.empty()) {
    out.info = catalogue.find_any(head.alert);
    if (out.info == nullptr) {
      complaints_.push_back({head.file, head.line, "alert '" + head.alert + "' is not in the catalogue",
                             "The rule raises an alert under its own title; name a type of the list of alerts."});
    }
  }
  if (out.info == nullptr) {
    out.info = &infos_.emplace(head.key(), alert_info_of(head)).first->second;
    return out;
  }
  // An alert may stand for much; what this rule sees of it is in its tags.
  AlertInfo tagged = *out.info;
  tagged.techniques.clear();
  tagged.sub_techniques.clear();
  for (const std::string& tag : head.tags) add_tag(tagged, tag);
  if (!tagged.techniques.empty()) out.info = &infos_.emplace(head.key(), std::move(tagged)).first->second;
  return out;
}

std::shared_ptr<const RulePack> RulePack::make(const std::vector<RuleFile>& files,
                                               const std::vector<std::string>& disabled, const Catalogue& catalogue) {
  const auto read = [&] {
    auto pack = std::make_shared<RulePack>();
    pack->read(files, disabled, catalogue);
    return pack;
  };
  if (!files.empty() || !disabled.empty() || &catalogue != &Catalogue::builtin()) return read();
  static const std::shared_ptr<const RulePack> own = read();
  return own;
}

void RulePack::read(const std::vector<RuleFile>& files, const std::vector<std::string>& disabled,
                    const Catalogue& catalogue) {
  sigma::Documents documents;
  sigma::read_documents(std::string(kOwnRules), kRulesYaml, nullptr, documents, complaints_);
  for (const RuleFile& file : files) sigma::read_documents(file.name, file.yaml, nullptr, documents, complaints_);
  const auto off = [&](const auto& document) {
    return std::ranges::find(disabled, document.head.key()) != disabled.end();
  };
  std::erase_if(documents.rules, off);
  std::erase_if(documents.correlations, off);
  std::erase_if(documents.filters, off);
  rules_ = std::make_unique<sigma::RuleSet>(sigma::RuleSet::link(std::move(documents), complaints_));
  for (const sigma::LinkedRule& rule : rules_->rules()) of_rules_.push_back(alert_of(rule.head, catalogue));
  for (const sigma::LinkedCorrelation& one : rules_->correlations()) {
    of_correlations_.push_back(alert_of(one.correlation.head, catalogue));
  }
}

}  // namespace picket::pipeline
