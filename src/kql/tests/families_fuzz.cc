// Claims, by the first byte: what parse_xml() gives is a JSON object of one key; a punycode text that decodes to other
// letters encodes to what decodes to them again; a database of locations gives an object or nothing for any address; a
// sketch merged with itself is itself, and so is its count; no shape and no weights bring anything down.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kql/location.h"
#include "kql/native_families.h"
#include "native_json.h"

namespace {

using namespace picket::kql;

void expect(bool claim) {
  if (!claim) std::abort();
}

void check_xml(std::string_view text) {
  const auto json = parse_xml(text);
  if (!json) return;
  const auto members = json_members(*json);
  expect(members && members->size() == 1);
}

void check_punycode(std::string_view text) {
  const auto decoded = punycode_decode(text);
  const auto encoded = punycode_encode(decoded);
  if (!encoded.empty()) expect(punycode_decode(encoded) == decoded);
  static_cast<void>(punycode_domain_encode(text));
  static_cast<void>(punycode_domain_decode(text));
}

void check_locations(std::string_view bytes) {
  const auto database = LocationDatabase::open(std::string(bytes));
  if (!database) return;
  for (const auto* address : {"20.53.203.50", "2a03:2880::1", "255.255.255.255", "::", "ffff::"}) {
    const auto found = database->find(address);
    if (found) expect(json_members(*found).has_value());
  }
}

void check_sketches(std::string_view json) {
  const auto twice = "[" + std::string(json) + "," + std::string(json) + "]";
  if (const auto merged = hll_merge(twice)) expect(hll_merge("[" + *merged + "]") == merged && hll_count(*merged));
  if (const auto digest = tdigest_merge(twice)) static_cast<void>(tdigest_percentile(*digest, 50));
  static_cast<void>(weighted_index(json, 50));
  static_cast<void>(session_starts(json, "0101", 10, 10));
}

void check_shapes(std::string_view json) {
  try {
    static_cast<void>(geo_point_in_polygon(1, 2, json));
    static_cast<void>(geo_distance_to_line(1, 2, json));
    static_cast<void>(geo_polygon_area(json));
  } catch (const std::invalid_argument&) {  // several polygons in one
  }
  static_cast<void>(geo_geohash_neighbors(json));
  static_cast<void>(series_fit_poly(json, json, 3));
  static_cast<void>(series_fft(json, "", false));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 5) {
    case 0:
      check_xml(text);
      break;
    case 1:
      check_punycode(text);
      break;
    case 2:
      check_locations(text);
      break;
    case 3:
      check_sketches(text);
      break;
    default:
      check_shapes(text);
  }
  return 0;
}
