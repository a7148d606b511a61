// Signs response commands: the only part of the server that holds the key which devices have pinned.
#pragma once

#include <string>

#include "api/services.h"
#include "base/core/result.h"

namespace picket::server {

/// Keys lie in `secrets`: response.key, made with the first start, and response-next.key while devices change over. A
/// command carries a signature of each, so that devices of the old and of the new key take it. Any thread.
class ResponseDesk final : public api::ResponseDesk {
 public:
  /// Errors: malformed (a key file that holds no key on P-256), io.
  static Result<ResponseDesk> open(const std::string& secrets, std::string hub);

  [[nodiscard]] api::ResponsePublicKeys public_keys() const override;
  [[nodiscard]] Result<api::SignedResponse> sign(const api::ResponseOrder& order, Timestamp now) const override;

 private:
  ResponseDesk() = default;
  std::string hub_;
  std::string key_, next_key_;  ///< Private, PEM. `next_key_` may be empty.
};

}  // namespace picket::server
