// Accounts that go, and members that groups gain or lose: differences between snapshots of local users. Our agent sends
// what changed; classic senders send everybody each time.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr Duration kForgotten = Duration::days(60);
constexpr std::size_t kAccountsMax = 131'072;
constexpr std::size_t kGroupsMax = 128;  ///< Of one account.

struct Account {
  std::vector<std::string> groups;  ///< Sorted.
  Timestamp time;                   ///< Event time of the snapshot it is from: an older one changes nothing.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.groups, self.time, self.last); }
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < kGroupsMax) {
    const auto end = std::min(text.find(';'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

class LocalAccounts final : public RememberingDetector<Account> {
 public:
  LocalAccounts() : RememberingDetector("behavior.local_accounts", kAccountsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kForgotten); }

 private:
  static void report(std::string_view type, const DetectorEvent& event, const std::vector<std::string>& groups,
                     std::vector<Finding>& findings);
};

void LocalAccounts::report(std::string_view type, const DetectorEvent& event, const std::vector<std::string>& groups,
                           std::vector<Finding>& findings) {
  const auto user = event.text(Field::UserName);
  Finding finding{.alert_type = type, .group_key = std::string(user), .start = event.time, .end = event.time};
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"User Name", std::string(user)}, {"UserId", std::string(event.text(Field::UserId))}};
  if (!groups.empty()) finding.properties.emplace_back("Groups", joined(groups));
  finding.entities = {{"account", {{"Name", std::string(user)}}}};
  findings.push_back(std::move(finding));
}

void LocalAccounts::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto user = event.text(Field::UserName);
  const auto details = event.details();
  if (user.empty() || !details) return;
  const auto member = [&](std::string_view name) {
    const auto found = details->find(name);
    return found ? found->text().value_or("") : std::string();
  };
  const auto extra = details->find("ExtraDetails");
  const auto change_text = extra ? extra->find("Change") : std::nullopt;
  const std::string change = change_text ? change_text->text().value_or("") : "";
  const std::string key = device_key(event, user);
  const Account* known = table_.find(key);
  if (known != nullptr && event.time < known->time) return;
  if (change == "removed") {
    table_.erase(key);
    return report("IoT_LocalUserDeleted", event, {}, findings);
  }
  const std::vector<std::string> groups = split(member("GroupNames"));
  std::vector<std::string> gained;
  std::vector<std::string> lost;
  if (known != nullptr) {
    std::ranges::set_difference(groups, known->groups, std::back_inserter(gained));
    std::ranges::set_difference(known->groups, groups, std::back_inserter(lost));
  }
  Account& account = table_.touch(key);
  account.groups = groups;
  account.time = event.time;
  account.last = event.enqueued;
  if (!gained.empty()) report("IoT_LocalUserAddedToGroup", event, gained, findings);
  if (!lost.empty()) report("IoT_LocalUserRemovedFromGroup", event, lost, findings);
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_local_accounts() { return std::make_unique<LocalAccounts>(); }

}  // namespace picket::pipeline
