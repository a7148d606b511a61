// Provisioning: who may register, and who has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

struct sqlite3;

namespace picket::state {

struct StoredEnrollment {
  bool group = false;
  std::string id;  ///< Registration id or group id.
  std::string etag;
  bool enabled = true;
  std::string attestation;  ///< "symmetricKey" or "x509".
  std::string key_primary;  ///< Base64. Secret.
  std::string key_secondary;
  std::string document;  ///< JSON; the writer's own, without keys.
  Timestamp created;
  Timestamp updated;
};

struct StoredRegistration {
  std::string registration_id;
  bool group = false;
  std::string enrollment_id;
  std::string operation_id;
  std::string status;  ///< "assigning", "assigned", "failed"
  std::string substatus;
  std::string hub;
  std::string device_id;
  std::int64_t error_code = 0;
  std::string error_message;
  std::string payload;  ///< JSON that the device sent last; may be empty.
  std::string etag;
  Timestamp created;
  Timestamp updated;
};

/// For use inside Database's bodies.
struct EnrollmentTable {
  static Result<std::optional<StoredEnrollment>> find(sqlite3* db, bool group, std::string_view id);
  static Result<> put(sqlite3* db, const StoredEnrollment& enrollment);
  static Result<bool> remove(sqlite3* db, bool group, std::string_view id);
  /// In order of id, after `after`.
  static Result<std::vector<StoredEnrollment>> list(sqlite3* db, bool group, std::string_view after,
                                                    std::size_t count_max);
  static Result<std::uint64_t> count(sqlite3* db, bool group);
};

struct RegistrationTable {
  static Result<std::optional<StoredRegistration>> find(sqlite3* db, std::string_view registration_id);
  static Result<> put(sqlite3* db, const StoredRegistration& registration);
  static Result<bool> remove(sqlite3* db, std::string_view registration_id);
  /// Of one group, in order of registration id, after `after`.
  static Result<std::vector<StoredRegistration>> list(sqlite3* db, std::string_view group_id, std::string_view after,
                                                      std::size_t count_max);
};

/// The id scope: what is stored, else `made`, which is stored then.
Result<std::string> provisioning_scope(sqlite3* db, std::string_view made);

}  // namespace picket::state
