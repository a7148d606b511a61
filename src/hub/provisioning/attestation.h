// Whether a client is who it says. Pure but for hashes and signatures.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "enrollment.h"
#include "hub/provisioning.h"

namespace picket::hub {

/// The enrollment groups, ready to be compared with. Never changed after it was made.
struct GroupSet {
  struct SymmetricGroup {
    std::string id;
    bool enabled = true;
    Buffer primary_key;
    Buffer secondary_key;
  };
  struct Anchor {
    std::string group_id;
    bool enabled = true;
    std::string subject;
    Buffer der;
  };
  std::vector<SymmetricGroup> symmetric;
  std::vector<Anchor> anchors;
};

/// Why a proof failed; for the log, never for the client.
using Disproof = std::string;

/// The key of one device of a group, in base64: HMAC-SHA256 of the group's key over the registration id.
std::string derived_key(Bytes group_key, std::string_view registration_id);

/// `individual`: the enrollment with this registration id; it decides alone, also by being disabled.
std::expected<ProvisioningGrant, Disproof> attest(const ProvisioningClaim& claim, std::string_view scope,
                                                  const std::optional<Enrollment>& individual, const GroupSet& groups,
                                                  Timestamp now);

}  // namespace picket::hub
