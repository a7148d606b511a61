// The Sigma rules in force: those of this program, and those that operators added.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/catalogue.h"
#include "sigma/rule_set.h"

namespace picket::pipeline {

/// A file of rules as an operator gave it.
struct RuleFile {
  std::string name;
  std::string yaml;
};

/// What a match of one rule or correlation raises. Lives as long as its pack.
struct RuleAlert {
  const sigma::Head* head = nullptr;
  const AlertInfo* info = nullptr;
  bool own = false;  ///< Of this program's pack.
};

class RulePack {
 public:
  /// The rules of content/rules/ and those of `files`, without those whose key is in `disabled`. What cannot be used is
  /// left out and named in complaints(). The pack without files and switches is made once a process.
  static std::shared_ptr<const RulePack> make(const std::vector<RuleFile>& files,
                                              const std::vector<std::string>& disabled, const Catalogue& catalogue);

  [[nodiscard]] const sigma::RuleSet& rules() const { return *rules_; }
  [[nodiscard]] const RuleAlert& alert_of_rule(sigma::RuleIndex rule) const { return of_rules_[rule]; }
  [[nodiscard]] const RuleAlert& alert_of_correlation(sigma::CorrelationIndex one) const {
    return of_correlations_[one];
  }
  [[nodiscard]] const sigma::Complaints& complaints() const { return complaints_; }

 private:
  void read(const std::vector<RuleFile>& files, const std::vector<std::string>& disabled, const Catalogue& catalogue);
  RuleAlert alert_of(const sigma::Head& head, const Catalogue& catalogue);
  std::unique_ptr<sigma::RuleSet> rules_;
  std::map<std::string, AlertInfo> infos_;  ///< Of rules that say more or else than the catalogue, by key.
  std::vector<RuleAlert> of_rules_;
  std::vector<RuleAlert> of_correlations_;
  sigma::Complaints complaints_;
};

/// Name of the file under which the program's own rules are told.
inline constexpr std::string_view kOwnRules = "content/rules";

/// What an alert of a rule says that names none of the catalogue's: from its title, level, description and tags.
AlertInfo alert_info_of(const sigma::Head& head);

}  // namespace picket::pipeline
