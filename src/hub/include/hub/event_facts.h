// What every head writes into its events about a connection and how it was proven.
#pragma once

#include "hub/authentication.h"
#include "hub/operations_log.h"
#include "net/stream.h"

namespace picket::hub {

/// Address, TLS, certificate.
void describe(HubEvent& event, const net::Stream& stream);
/// Identity (now proven), credential, SDK.
void describe(HubEvent& event, const Grant& grant);
/// What was only claimed, and the check that failed, under the name that detections read (hub/operations_log.h).
void describe(HubEvent& event, const Refusal& refusal);

}  // namespace picket::hub
