// What devices run and what is wrong with it: inventory and findings, kept in step with the journal.
#pragma once

#include <memory>

#include "api/services.h"
#include "pipeline/projector.h"
#include "software_reader.h"
#include "software_reporter.h"
#include "storage.h"
#include "vulnerability/desk.h"

namespace picket::server {

class SoftwareProjection {
 public:
  /// From where the inventory stands. `storage` and `clock` outlive it; `retention_age`: of the rows that are written,
  /// 0 for ever. Errors: of the inventory's files and the journal.
  static Result<std::unique_ptr<SoftwareProjection>> start(Storage& storage, const Clock& clock,
                                                           Duration retention_age);

  [[nodiscard]] vulnerability::Desk& desk() const { return *desk_; }
  /// Group "software". Until stop().
  [[nodiscard]] api::CounterGroup counters() const;

  /// Before the journals. Idempotent.
  void stop();

 private:
  SoftwareProjection(std::unique_ptr<vulnerability::Desk> desk, vulnerability::ReportBook book, Storage& storage,
                     const Clock& clock, Duration retention_age);

  std::unique_ptr<vulnerability::Desk> desk_;
  SoftwareReader reader_;
  SoftwareReporter reporter_;
  std::unique_ptr<pipeline::Projector> projector_;
};

}  // namespace picket::server
