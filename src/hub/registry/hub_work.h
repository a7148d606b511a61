// What the parts of HubAdministration share. Private to this module.
#pragma once

#include <fmt/format.h>

#include "audit.h"
#include "hub/hub_administration.h"
#include "identity_fields.h"
#include "state/outbox.h"

namespace picket::hub {

/// One transaction about one hub.
struct HubAdministration::Work {
  sqlite3* db;
  std::string hub;
  const state::Actor& actor;
  Timestamp now;

  [[nodiscard]] Audit audit() const { return Audit(actor, hub); }
  HubResult<> record(std::string_view kind, Audit& audit) const {
    const auto done = state::Outbox::add(db, kind, "", audit.take(), now);
    if (!done) return std::unexpected(from_store(done.error(), "The audit record"));
    return {};
  }
};

/// A failure of a store about something of a hub that is no device.
inline HubError hub_error(const Error& error, std::string_view object) { return from_store(error, object); }

template <class T>
HubResult<T> hub_result(Result<T> result, std::string_view object) {
  if (!result) return std::unexpected(hub_error(result.error(), object));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

/// The body runs in one transaction; when it succeeds, everybody sees the hub's new settings before this returns.
template <class T>
HubResult<T> HubAdministration::change(std::string_view hub, const state::Actor& actor,
                                       const std::function<HubResult<T>(Work&)>& body) {
  HubResult<T> out = hub_fail(kInternal, "The change was not made.");
  const auto written = database_.write([&](sqlite3* db) -> Result<> {
    Work work{db, std::string(hub), actor, clock_.now()};
    out = body(work);
    if (!out) return fail(Errc::denied, "hub.administration");
    return {};
  });
  if (!written && written.error().where != "hub.administration")
    return std::unexpected(from_store(written.error(), "The hub"));
  if (out) {
    HUB_TRY_VOID(refresh(hub));
  }
  return out;
}

}  // namespace picket::hub
