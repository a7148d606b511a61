// Whether a live connection may stay when its hub's settings have changed.
#pragma once

#include "hub/directory.h"
#include "hub/hub_settings.h"
#include "hub/identity_store.h"

namespace picket::hub {

/// What authentication would say of it now, as far as settings decide: IP filter and TLS policy of its connection; of a
/// policy, whether it is there, may still do what it was used for, and has the key; of an identity that proves itself
/// by X.509, whether its certificate and those above it still count. Credentials of the identity itself are another
/// matter (Directory::revoke). A store that does not answer ends nothing.
bool still_stands(const Standing& standing, const HubSettings& settings, const IdentityStore& identities);

}  // namespace picket::hub
