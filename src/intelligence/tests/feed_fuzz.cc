// Claim: whatever a source sends, each parser ends, counts exactly what it hands over, hands over well-formed
// indicators within their bounds, and says the same a second time. The first byte chooses the format.
#include <cstdlib>

#include "base/core/bytes.h"
#include "intelligence/feed_parser.h"

namespace {

using namespace picket;
using namespace picket::intelligence;

struct Seen {
  std::vector<Indicator> all;
  bool good = false;
  std::uint64_t skipped = 0;
};

Seen run(Format format, std::string_view text) {
  Seen out;
  const FeedSink sink{.take = [&](Indicator one) -> Result<> {
    if (one.what.key.empty() || one.what.key.size() > kKeyBytesMax) std::abort();
    if (one.threat.size() > kThreatBytesMax || one.reference.size() > kReferenceBytesMax) std::abort();
    if (one.confidence > kConfidenceMax && one.confidence != kConfidenceUnsaid) std::abort();
    if (to_text(one.what).empty()) std::abort();
    out.all.push_back(std::move(one));
    return {};
  }};
  const auto report = parse_feed(format, text, sink);
  out.good = report.has_value();
  if (report && (report->indicators != out.all.size() || report->reasons.size() > kReasonsMax)) std::abort();
  out.skipped = report ? report->skipped : 0;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = as_text(std::as_bytes(std::span(data + 1, size - 1)));
  constexpr Format kFormats[] = {Format::automatic, Format::plain, Format::csv,
                                 Format::json,      Format::stix,  Format::misp};
  const Format format = kFormats[data[0] % std::size(kFormats)];
  const Seen once = run(format, text);
  const Seen again = run(format, text);
  if (once.good != again.good || once.all != again.all || once.skipped != again.skipped) std::abort();
  if (const auto list = parse_warning_list(text)) {
    for (const Observable& entry : list->entries) {
      if (entry.key.empty()) std::abort();
    }
  }
  if (const auto manifest = parse_misp_manifest(text)) {
    for (const MispEntry& entry : *manifest) {
      if (entry.uuid.find_first_of("/.\\%") != std::string::npos) std::abort();
    }
  }
  parse_misp_hashes(text, [](std::string_view md5, std::string_view uuid) {
    if (md5.size() != 32 || uuid.size() != 36) std::abort();
  });
  return 0;
}
