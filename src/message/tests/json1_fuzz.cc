// Whole messages as text: parser and validator agree about what JSON is, and every row of a message is JSON again.
#include "fuzz_claims.h"

using namespace picket;
using namespace picket::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decoder decoder;
  const Bytes body = std::as_bytes(std::span(data, size));
  const auto message = decoder.decode(body, {});
  if (message) check_message(*message, {});
  const bool marked = as_text(body).starts_with("\xEF\xBB\xBF");
  bool too_deep = false;
  const auto wrong = find_json_error(as_text(body.subspan(marked ? 3 : 0)), Limits{}.depth_max, too_deep);
  const bool says_broken =
      !message && message.error().where.starts_with("message.json") && message.error().where != "message.json.root";
  claim(wrong.has_value() == says_broken);
  if (says_broken) claim(message.error().offset == *wrong + (marked ? 3 : 0));
  return 0;
}
