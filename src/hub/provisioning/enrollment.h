// An enrollment or enrollment group as a value, from and to the JSON of the service API.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificates.h"
#include "hub/hub_error.h"
#include "state/enrollments.h"

namespace picket::hub {

enum class Attestation : std::uint8_t { symmetric_key, x509 };
/// Where an enrollment's certificates stand in its JSON.
enum class CertificateUse : std::uint8_t { client, signing, reference };
enum class Allocation : std::uint8_t { hashed, geo_latency, fixed };

struct Enrollment {
  bool group = false;
  std::string id;
  std::string device_id;  ///< Individual; empty: the registration id.
  Attestation attestation = Attestation::symmetric_key;
  std::string primary_key;  ///< Base64. Secret.
  std::string secondary_key;
  CertificateUse certificate_use = CertificateUse::client;
  std::vector<CertificateFacts> certificates;  ///< Primary, then perhaps secondary.
  std::vector<std::string> ca_references;      ///< The same, by name.
  bool enabled = true;
  bool edge = false;
  std::string tags_json = "{}";
  std::string desired_json = "{}";
  bool update_hub_assignment = true;
  bool migrate_device_data = true;
  Allocation allocation = Allocation::hashed;
  std::string hub_host;                ///< iotHubHostName
  std::vector<std::string> hub_hosts;  ///< iotHubs; empty: all.
  std::string etag;                    ///< As in the body or as stored; without quotes.
};

/// Parses a request body. Keys may be empty, see fill_keys(). Errors: 400004 with the field's name; TPM and custom
/// allocation are refused with a reason.
HubResult<Enrollment> parse_enrollment(std::string_view json, bool group);

/// Keys that are not given stay as they were (the service never shows them with the rest), or are made.
void fill_keys(Enrollment& enrollment, const std::optional<state::StoredEnrollment>& before);

/// What is stored: the JSON without keys, and they beside it.
state::StoredEnrollment to_stored(const Enrollment& enrollment, Timestamp created, Timestamp updated);
/// Errors: malformed: not written by to_stored.
Result<Enrollment> from_stored(const state::StoredEnrollment& stored);

/// The answer of the service API: without keys. `registration_state`: JSON or empty.
std::string to_json(const Enrollment& enrollment, Timestamp created, Timestamp updated,
                    std::string_view registration_state);
/// With keys: the answer of attestationmechanism.
std::string attestation_json(const Enrollment& enrollment);

/// 1 to kRegistrationIdBytesMax of A-Z a-z 0-9 - . _ : and not ending with . _ or :
bool is_registration_id(std::string_view id);

}  // namespace picket::hub
