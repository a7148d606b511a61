// A response command: what the hub signs, and whether it is for this device, now, and for the first time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

inline constexpr std::string_view kResponseMethod = "PicketRespond";
inline constexpr std::size_t kCommandBytesMax = 16 << 10;  ///< Decoded.
inline constexpr std::size_t kSignaturesMax = 4;
inline constexpr Duration kCommandLifetimeMax = Duration::hours(1);
/// How far ahead of this device the hub's clock may be.
inline constexpr Duration kClockTolerance = Duration::minutes(5);

/// What the direct method carries: {"command": base64, "signatures": [base64 of DER, …]}. A hub signs with each of its
/// keys, so that devices of the old and of the new one understand it.
struct SignedCommand {
  Buffer command;
  std::vector<Buffer> signatures;
};
/// Errors: malformed, limit_exceeded (kCommandBytesMax, kSignaturesMax), with the field in `where`.
Result<SignedCommand> parse_signed_command(std::string_view payload);

/// The signed bytes as a value: JSON
/// {"id","hub","device","module","generation","issued","expires","action","arguments"}.
struct ResponseCommand {
  std::string id;  ///< 1 to kCommandIdBytesMax letters, digits and '-'.
  std::string hub, device, module, generation;
  Timestamp issued, expires;
  std::string action;
  std::string arguments;  ///< JSON object, as it stands.
};
inline constexpr std::size_t kCommandIdBytesMax = 64;
/// Errors: malformed, with the field in `where`.
Result<ResponseCommand> parse_command(std::string_view text);

/// Whom commands have to name.
struct CommandTarget {
  std::string device, module;
  /// Of the first verified command; empty before it.
  std::string hub, generation;
};

/// How the direct method answers: status as HTTP, and a text for people.
struct Refusal {
  int status = 400;
  std::string message;
};
/// nullopt: it is for this device and in force at `now`. Statuses: 403 for another device, module or generation, 410
/// expired, 425 from the future, 400 lives longer than kCommandLifetimeMax.
std::optional<Refusal> check_command(const ResponseCommand& command, const CommandTarget& target, Timestamp now);

}  // namespace picket::agent
