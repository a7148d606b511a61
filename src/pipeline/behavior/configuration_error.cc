// The agent could not use a setting of its module twin.
#include "behavior/behavior.h"
#include "behavior/event_words.h"

namespace picket::pipeline {
namespace {

using message::Field;

class ConfigurationError final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    const std::string name(event.text(Field::ConfigurationName));
    const TimeSpan span = span_of(event);
    Finding finding{.alert_type = "IoT_TwinConfigurationParseFailure", .group_key = name};
    finding.start = span.first;
    finding.end = span.last;
    finding.count = hits_of(event);
    finding.evidence.push_back(event.evidence());
    finding.properties = {{"Configuration Name", name},
                          {"Error Type", std::string(event.text(Field::ErrorType))},
                          {"Message", std::string(event.text(Field::Message))}};
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_configuration_error() { return std::make_unique<ConfigurationError>(); }

}  // namespace picket::pipeline
