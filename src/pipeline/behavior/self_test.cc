// The agent's test event: an alert that says that everything works.
#include "behavior/behavior.h"

namespace picket::pipeline {
namespace {

class SelfTest final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    const auto test = event.text(message::Field::TestId);
    Finding finding{
        .alert_type = "IoT_SelfTest", .group_key = std::string(test), .start = event.time, .end = event.time};
    finding.evidence.push_back(event.evidence());
    finding.properties = {{"TestId", std::string(test)},
                          {"Message", std::string(event.text(message::Field::Message))},
                          {"User Name", std::string(event.text(message::Field::UserName))}};
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_self_test() { return std::make_unique<SelfTest>(); }

}  // namespace picket::pipeline
