// Claim: cutting the text anywhere does not matter, and no text is longer than its bound.
#include <cstdlib>
#include <vector>

#include "base/core/bytes.h"
#include "sbom/stanzas.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  if (size < 3) return 0;
  const auto form = static_cast<StanzaForm>(data[0] % 3);
  const bool status_needed = data[0] < 128;
  const std::string_view text = picket::as_text(std::as_bytes(std::span(data + 3, size - 3)));
  const std::size_t cut = (data[1] | data[2] << 8U) % (text.size() + 1);
  const auto parse = [&](std::initializer_list<std::string_view> pieces) {
    std::vector<std::string> out;
    StanzaParser parser(form, status_needed, [&](const Package& package) {
      for (const std::string* each : {&package.name, &package.version, &package.vendor, &package.architecture,
                                      &package.source_name, &package.source_version}) {
        if (each->size() > Package::kTextMax) std::abort();
        out.push_back(*each);
      }
      out.push_back(package_url(package, {"debian", "12"}));
    });
    for (const std::string_view piece : pieces) parser.feed(piece);
    parser.finish();
    return out;
  };
  if (parse({text}) != parse({text.substr(0, cut), text.substr(cut)})) std::abort();
  return 0;
}
