// A payload inside a good message 3.0, and compressed bodies: the input's first byte says which.
#include <string>

#include "fuzz_claims.h"

using namespace picket;
using namespace picket::message;

namespace {

constexpr std::string_view kNames[] = {"ProcessCreate", "ConnectionCreate", "Baseline", "OSBaseline", "Login", "x"};
constexpr std::string_view kEncodings[] = {"gzip", "deflate", "zstd"};

void compressed(Bytes body, std::string_view encoding) {
  const Limits limits{.decoded_bytes_max = 256 << 10, .ratio_max = 50, .ratio_free_bytes = 4096};
  const auto decoded = decompress(body, encoding, limits);
  if (decoded)
    claim(decoded->size() <= std::max(limits.ratio_free_bytes, std::min(limits.decoded_bytes_max, 50 * body.size())));
}

void payload(std::string_view items, std::string_view name) {
  static Decoder decoder;
  std::string text =
      R"({"MessageSchemaVersion":"3.0","StreamEpoch":"e","Sequence":1,"Events":[{"Id":"i","TimestampUTC":"2026-01-01T00:00:00Z","Name":")";
  text.append(name).append(R"(","Payload":[)").append(items).append("]}]}");
  const auto message = decoder.decode(as_bytes(text), {});
  bool too_deep = false;
  const bool broken = find_json_error(text, Limits{}.depth_max, too_deep).has_value();
  claim(broken == (!message && message.error().where.starts_with("message.json")));
  if (message) check_message(*message, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t choice = data[0] % (std::size(kNames) + std::size(kEncodings));
  if (choice < std::size(kNames))
    payload(as_text(rest), kNames[choice]);
  else
    compressed(rest, kEncodings[choice - std::size(kNames)]);
  return 0;
}
