// What happened in the hub, as detectors see it: an event of its operations log, or an audit record
// (docs/formats/hub-event.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/record.h"
#include "pipeline/alert.h"

namespace picket::pipeline {

struct HubCertificate {
  std::string thumbprint;
  std::string thumbprint_sha1;
  std::string subject;
  std::string issuer;
  std::string issuer_thumbprint;
  std::string key;  ///< "rsa:2048"
  std::string signature;
  std::optional<Timestamp> not_before;
  std::optional<Timestamp> not_after;
};

/// One rule of the hub's IP filter, in the order in which they are looked at.
struct IpFilterRule {
  std::string name;
  bool accept = false;
  std::string mask;  ///< CIDR.
};

struct HubRecord {
  bool audit = false;  ///< Else an event.
  std::string kind;    ///< E.g. "auth_failed", "certificate.add".
  std::string operation;
  Identity device;      ///< The hub is always set; device empty: the hub itself.
  bool proven = false;  ///< The record's own identity; else `device` is only claimed (events), or the object (audit).
  std::optional<bool> claimed_online;
  Timestamp time;      ///< TimeGenerated.
  Timestamp enqueued;  ///< The only clock a detector may use.
  journal::RecordId id;
  std::string actor;
  std::string source;  ///< Address of the peer.
  std::string protocol;
  std::string transport;
  std::string tls_version;
  std::string tls_cipher;
  std::string tls_group;
  std::string server_name;
  std::optional<HubCertificate> certificate;
  std::string auth_type;
  std::string auth_scope;
  std::string policy;
  std::string credential;
  std::optional<Timestamp> token_expiry;
  std::string sdk;
  int code = 0;
  std::string reason;
  std::string object;
  std::string before;
  std::string after;
  std::optional<Timestamp> window_from;
  std::optional<Timestamp> window_to;
  std::uint64_t count = 1;
  std::uint64_t bytes = 0;
  std::uint64_t size_max = 0;
  std::uint64_t size_p95 = 0;
  std::uint64_t messages = 0;
  std::optional<Duration> connected;
  std::optional<Duration> duration;
  std::optional<Duration> skew;
  std::uint64_t dropped_before = 0;
  std::uint64_t sequence = 0;  ///< Of the event since the start of the hub; 0: not said.

  // What some audit records say besides.
  std::optional<std::vector<IpFilterRule>> ip_rules;  ///< The whole list; at most kIpRulesMax.
  std::string ip_default;   ///< What becomes of addresses that no rule names: "accept", "reject".
  std::string tls_minimum;  ///< "1.2"
  std::optional<std::vector<std::string>> diagnostics;  ///< Names of all diagnostic settings.
  std::vector<std::string> devices;                     ///< Whom a deployment is for; at most kDevicesMax.
  std::optional<bool> security_on;                      ///< Built-in security of the hub.
  std::optional<std::string> security_group;            ///< Tag of the device's twin; empty: taken away.
  std::optional<bool> enabled;                          ///< Of a device.
  std::string type;                                     ///< Of a recommendation that is switched.
  std::string resource;                                 ///< JSON text of a device security group.
  std::string rules;                                    ///< YAML text of a file of rules.
  std::string manifest;                                 ///< JSON text of an IoT Edge deployment manifest.
  std::string body;                                     ///< Whole, for the row.

  static constexpr std::size_t kIpRulesMax = 1024;
  static constexpr std::size_t kDevicesMax = 1024;

  [[nodiscard]] bool is_aggregate() const { return window_from.has_value(); }
  /// The row of HubOperations that this record becomes.
  [[nodiscard]] EvidenceRow evidence() const { return {{id.sequence, 0, 0}, kind, time}; }
};

/// Of a record of kind hub_event or audit. Errors: malformed "hub_record.…"; then it is counted and stored as it is.
Result<HubRecord> parse_hub_record(const journal::RecordView& record);

}  // namespace picket::pipeline
