// Claim: whatever the target, a signature of the corpus' one ticket opens no other blob.
#include <cstdlib>

#include "blob_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::hub;
  const picket::Buffer key(32, std::byte{7});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto* method : {"PUT", "GET"}) {
    const auto request = parse_blob_request(method, text);
    if (!request) continue;
    if (!check_blob_name(request->name)) std::abort();
    const auto verified = verify_blob_signature(key, *request, picket::Timestamp{1'795'000'000'000'000});
    if (verified && (request->name != "dev1/a.txt" || request->hub != "hub1")) std::abort();
  }
  return 0;
}
