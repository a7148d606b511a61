// Bodies of the device API.
#pragma once

#include <string>
#include <string_view>

#include "hub/provisioning.h"
#include "state/enrollments.h"

namespace picket::hub {

struct RegistrationBody {
  std::string payload;  ///< JSON as the device sent it; empty: none.
};
/// {"registrationId":"r"?,"payload":{…}?, …}; other members are ignored, an empty body is none. Errors: 400004.
HubResult<RegistrationBody> parse_registration_body(std::string_view body, std::string_view registration_id);

/// DeviceRegistrationState. `host`: of the assigned hub. The service also sees what the device sent as payload; a
/// device gets none back, since only custom allocation makes one.
enum class Reader : std::uint8_t { device, service };
std::string registration_state_json(const state::StoredRegistration& registration, std::string_view host,
                                    Reader reader);
/// {"operationId","status"} and, when there is one, "registrationState".
std::string operation_json(const state::StoredRegistration& registration, std::string_view status,
                           std::string_view state_json);
/// {"errorCode","trackingId","message","timestampUtc"}: `code` as DPS numbers it.
std::string provisioning_error_json(int code, std::string_view message, Timestamp now);
/// DPS has numbers of its own for some of IoT Hub's.
int provisioning_code(int hub_code);

}  // namespace picket::hub
