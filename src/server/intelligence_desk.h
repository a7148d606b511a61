// Puts tables of the operator into the journal, where detections find them in order.
#pragma once

#include <string>

#include "api/services.h"
#include "durable_group.h"
#include "journal/journal.h"

namespace picket::server {

/// Any thread that may wait for the disk.
class IntelligenceDesk final : public api::IntelligenceDesk {
 public:
  /// All outlive it. `hub`: whose partition carries the records.
  IntelligenceDesk(journal::Journal& messages, const Clock& clock, std::string hub)
      : messages_(messages), clock_(clock), hub_(std::move(hub)) {}

  Result<> replace(std::string_view name, std::string_view version, std::string_view body) override {
    const Identity identity{hub_, "", "", ""};
    const journal::Property properties[] = {{"name", name}, {"version", version}};
    const journal::Record record{.kind = journal::RecordKind::intelligence_change,
                                 .partition = partition_of(identity),
                                 .enqueued = clock_.now(),
                                 .identity = identity,
                                 .properties = properties,
                                 .body = as_bytes(body)};
    DurableGroup group;
    TRY_VOID(messages_.append(record, group.expect()));
    TRY_VOID(group.wait());
    return {};
  }

 private:
  journal::Journal& messages_;
  const Clock& clock_;
  std::string hub_;
};

}  // namespace picket::server
