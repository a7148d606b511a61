// What is known about each kind of alert: content/alerts/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::pipeline {

/// Which severities are in force (decisions: profiles).
enum class Profile : std::uint8_t {
  standard,  ///< "default": fit for daily work.
  parity,    ///< "parity": the published severities.
};

struct AlertInfo {
  std::string type;  ///< AlertType, e.g. IoT_ReverseShell.
  std::string name;
  std::string severity_parity;
  std::string severity_default;
  std::string description;
  std::vector<std::string> tactics;         ///< ATT&CK v19 names without spaces, e.g. CredentialAccess.
  std::vector<std::string> techniques;      ///< T1110
  std::vector<std::string> sub_techniques;  ///< T1110.001
  std::vector<std::string> remediation;
  std::vector<std::string> aliases;  ///< Other spellings of the type, accepted on input.
  Duration window;                   ///< Findings of one group key that start in one such part of time are one alert.
  bool by_user = false;              ///< Rules raise one alert a rule and user, not one a process or thing.

  [[nodiscard]] const std::string& severity(Profile profile) const {
    return profile == Profile::parity ? severity_parity : severity_default;
  }
};

class Catalogue {
 public:
  /// One YAML document or several. Errors: malformed "alerts.…", with the line (from 1) as `offset` and a sentence in `detail` when given.
  static Result<Catalogue> parse(std::string_view yaml, std::string* detail = nullptr);
  /// The files of content/alerts/ as they were when this program was built.
  static const Catalogue& builtin();

  [[nodiscard]] const AlertInfo* find(std::string_view type) const;
  /// The type as somebody else may spell it: an alias, other case.
  [[nodiscard]] const AlertInfo* find_any(std::string_view type) const;
  [[nodiscard]] const std::map<std::string, AlertInfo, std::less<>>& all() const { return alerts_; }
  [[nodiscard]] std::size_t size() const { return alerts_.size(); }
  /// Changes with every byte of the text: part of what decides a verdict.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  void read(std::string_view yaml);
  std::map<std::string, AlertInfo, std::less<>> alerts_;
  std::map<std::string, std::string, std::less<>> names_;  ///< Folded type or alias -> type.
  std::uint64_t hash_ = 0;
};

/// One row of content/recommendations.yaml.
struct RecommendationInfo {
  std::string type;  ///< E.g. IoT_SharedCredentials.
  std::string name;
  std::string severity_parity;
  std::string severity_default;
  std::string description;
  std::vector<std::string> remediation;
  std::string control;      ///< What it is about, for lists: "Authentication", "Network", …
  std::string data_source;  ///< "IoT Hub" or "Agent".
  std::vector<std::string> aliases;
  bool published = false;  ///< A member of the vendor's enumeration: may be switched by its API.

  [[nodiscard]] const std::string& severity(Profile profile) const {
    return profile == Profile::parity ? severity_parity : severity_default;
  }
};

/// What is known about each type of recommendation: content/recommendations.yaml.
class RecommendationCatalogue {
 public:
  /// Errors: malformed "recommendations.…", as Catalogue::parse.
  static Result<RecommendationCatalogue> parse(std::string_view yaml, std::string* detail = nullptr);
  static const RecommendationCatalogue& builtin();
  [[nodiscard]] const RecommendationInfo* find(std::string_view type) const;
  [[nodiscard]] const std::map<std::string, RecommendationInfo, std::less<>>& all() const { return types_; }

 private:
  void read(std::string_view yaml);
  std::map<std::string, RecommendationInfo, std::less<>> types_;
};

}  // namespace picket::pipeline
