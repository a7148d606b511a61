// Logins that a kind of device has not seen before: another user, another network, another hour of the week. What is
// usual is learned from all devices of one model and firmware together, so that a fleet learns in days.
#include <algorithm>
#include <map>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "net_prefix.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr Duration kLearning = Duration::days(7);
constexpr std::uint64_t kLoginsMin = 20;  ///< Before that, everything is new.
constexpr std::uint64_t kHourLoginsMin = 200;
constexpr Duration kHourLearning = Duration::days(28);
constexpr Duration kForgotten = Duration::days(180);
constexpr std::size_t kModelsMax = 8'192;
constexpr std::size_t kPairsMax = 4'096;  ///< User and network, of one model.
constexpr std::int64_t kHoursOfWeek = 168;

struct Model {
  Timestamp first;
  std::uint64_t logins = 0;
  std::map<std::string, Timestamp> pairs;        ///< "user from network" -> last seen.
  std::map<std::uint64_t, std::uint64_t> hours;  ///< Hour of the week -> logins.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.first, self.logins, self.pairs, self.hours, self.last); }
};

/// "192.0.2.0/24", "2001:db8::/48", or "the console".
std::string network_of(std::string_view address) {
  if (address.empty()) return "the console";
  const auto dots = std::ranges::count(address, '.');
  if (dots == 3) return std::string(address.substr(0, address.rfind('.'))) + ".0/24";
  std::size_t end = 0;
  for (int groups = 0; groups < 3 && end != std::string_view::npos; ++groups) end = address.find(':', end + 1);
  return std::string(address.substr(0, std::min(end, address.size()))) + "::/48";
}

class UnusualLogin final : public RememberingDetector<Model> {
 public:
  UnusualLogin() : RememberingDetector("behavior.unusual_login", kModelsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kForgotten); }
};

void UnusualLogin::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto operation = event.text(Field::Operation);
  if (!event.text(Field::Result).starts_with("Success") || operation.starts_with("Logout")) return;
  const auto user = event.text(Field::UserName);
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  const std::string pair = std::string(user) + " from " + network_of(address);
  Model& model = table_.touch(state_key(event.device.hub, event.model));
  if (model.last.us == 0) model.first = event.enqueued;
  const Duration age = event.enqueued - model.first;
  const auto hour = static_cast<std::uint64_t>((event.time.us / Duration::hours(1).us) % kHoursOfWeek);
  std::uint64_t near = 0;
  for (const std::uint64_t one : {(hour + kHoursOfWeek - 1) % kHoursOfWeek, hour, (hour + 1) % kHoursOfWeek}) {
    const auto found = model.hours.find(one);
    near += found == model.hours.end() ? 0 : found->second;
  }
  const bool new_pair = !model.pairs.contains(pair);
  std::string reason;
  if (new_pair && age >= kLearning && model.logins >= kLoginsMin) {
    reason = "no device of this model has seen this user from this network";
  } else if (near == 0 && age >= kHourLearning && model.logins >= kHourLoginsMin) {
    reason = "no device of this model has seen a login around this hour of the week";
  }
  if (!reason.empty()) {
    Finding finding{.alert_type = "IoT_UnusualLogin", .group_key = pair, .start = event.time, .end = event.time};
    finding.evidence.push_back(event.evidence());
    finding.properties = {{"Reason", reason},
                          {"User Name", std::string(user)},
                          {"Remote Address", address},
                          {"Network", network_of(address)},
                          {"Model", std::string(event.model)},
                          {"Logins Learned", std::to_string(model.logins)},
                          {"Days Learned", std::to_string(age.us / Duration::days(1).us)}};
    finding.entities = {{"account", {{"Name", std::string(user)}}}};
    if (!address.empty()) finding.entities.push_back({"ip", {{"Address", address}}});
    findings.push_back(std::move(finding));
  }
  model.last = event.enqueued;
  ++model.logins;
  ++model.hours[hour];
  model.pairs[pair] = event.enqueued;
  if (model.pairs.size() > kPairsMax) {
    model.pairs.erase(std::ranges::min_element(model.pairs, {}, [](const auto& one) { return one.second; }));
    count_evicted(1);
  }
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_unusual_login() { return std::make_unique<UnusualLogin>(); }

}  // namespace picket::pipeline
