#include "software_projection.h"

#include <algorithm>

#include "counter_group.h"
#include "server_log.h"

namespace picket::server {
namespace {

/// What still stands is written to the tables again before retention takes the older rows.
Duration whole_reports_every(Duration retention_age) {
  const Duration week = Duration::days(7);
  return retention_age.us == 0 ? week : std::min(week, Duration{std::max<std::int64_t>(retention_age.us / 3, 1)});
}

}  // namespace

SoftwareProjection::SoftwareProjection(std::unique_ptr<vulnerability::Desk> desk, vulnerability::ReportBook book,
                                       Storage& storage, const Clock& clock, Duration retention_age)
    : desk_(std::move(desk)),
      reader_(*desk_, clock),
      reporter_(SoftwareReporter::Parts{.desk = *desk_,
                                        .book = std::move(book),
                                        .derived = *storage.derived,
                                        .clock = clock,
                                        .whole_every = whole_reports_every(retention_age)}) {}

Result<std::unique_ptr<SoftwareProjection>> SoftwareProjection::start(Storage& storage, const Clock& clock,
                                                                      Duration retention_age) {
  const std::string directory = storage.data.software();
  TRY(auto desk,
      vulnerability::Desk::open(
          {.directory = directory, .fetch = make_feed_fetch(), .log = log_to("vulnerabilities"), .clock = &clock}));
  TRY(auto book, vulnerability::ReportBook::open(directory));
  std::unique_ptr<SoftwareProjection> out(
      new SoftwareProjection(std::move(desk), std::move(book), storage, clock, retention_age));
  TRY(out->projector_, pipeline::start_projector(
                           "software", out->desk_->position(), *storage.messages,
                           [reader = &out->reader_](const journal::RecordView& record, const journal::Position& after) {
                             return reader->apply(record, after);
                           },
                           log_to("software")));
  out->reporter_.start();
  return out;
}

api::CounterGroup SoftwareProjection::counters() const {
  const auto fleet = desk_->fleet().stats();
  const auto read = reader_.stats();
  const auto told = reporter_.stats();
  Group group("software");
  group.add("devices", fleet.devices)
      .add("components", fleet.components)
      .add("advisory_feeds", fleet.feeds)
      .add("advisories", fleet.advisories)
      .add("reports_read", read.events)
      .add("items_rejected", read.rejected)
      .add("items_refused", fleet.refused)
      .add("items_outdated", fleet.outdated)
      .add("rows_written", told.rows)
      .add("devices_waiting", told.waiting)
      .add("devices_left_out", told.left_out);
  return group.take();
}

void SoftwareProjection::stop() {
  reporter_.stop();
  projector_.reset();
}

}  // namespace picket::server
