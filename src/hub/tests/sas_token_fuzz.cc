// Claim: no text makes a token that verifies with a key its maker does not have; parsing is total.
#include <cstdlib>
#include <string_view>

#include "base/core/identifier.h"
#include "hub/authentication.h"
#include "hub/sas_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  if (const auto token = parse_sas_token(text); token && signature_matches(*token, as_bytes("a key nobody knows")))
    std::abort();
  if (newline != std::string_view::npos) {
    const auto claim = parse_claim(text.substr(0, newline), text.substr(newline + 1));
    if (claim && (!is_identifier(claim->device_id) || claim->sdk.size() > Claim::kSdkBytesMax)) std::abort();
    // What names one identity names no other.
    if (claim && names_identity(text.substr(newline + 1), claim->host, claim->device_id, "") &&
        names_identity(text.substr(newline + 1), claim->host, claim->device_id + "x", "")) {
      std::abort();
    }
  }
  return 0;
}
