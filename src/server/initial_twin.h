// The twin that an identity is made with: by an import line, or by an enrolment.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"
#include "state/devices.h"

struct sqlite3;

namespace picket::server {

struct InitialTwin {
  std::string tags;     ///< JSON object; empty: none.
  std::string desired;  ///< JSON object; empty: none.
};

/// Inside the transaction that makes the identity: both are there or neither. A twin that has been written to
/// before stays as it is. Errors: those of twins.
hub::HubResult<> put_initial_twin(sqlite3* db, const hub::IdentityKey& key, const InitialTwin& twin,
                                  const state::Actor& actor, Timestamp now);

}  // namespace picket::server
