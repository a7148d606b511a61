// Claim: an enrollment that is read is the same after the store.
#include <cstdlib>

#include "enrollment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::hub;
  if (size < 1) return 0;
  const bool group = (data[0] & 1) != 0;
  const auto enrollment = parse_enrollment({reinterpret_cast<const char*>(data + 1), size - 1}, group);
  if (!enrollment) return 0;
  const auto again = from_stored(to_stored(*enrollment, {}, {}));
  if (!again || to_json(*again, {}, {}, "") != to_json(*enrollment, {}, {}, "")) std::abort();
  if (attestation_json(*again) != attestation_json(*enrollment)) std::abort();
  return 0;
}
