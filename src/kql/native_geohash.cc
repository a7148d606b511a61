// Geohash: longitude and latitude halved in turn, five bits a letter.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kql/native_families.h"
#include "native_json.h"

namespace picket::kql {

namespace {

constexpr std::string_view kLetters = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr std::size_t kLettersMax = 18;

struct Cell {
  double west = -180, east = 180, south = -90, north = 90;
  [[nodiscard]] double longitude() const { return (west + east) / 2; }
  [[nodiscard]] double latitude() const { return (south + north) / 2; }
};

std::optional<Cell> read_cell(std::string_view hash) {
  if (hash.empty() || hash.size() > kLettersMax) return std::nullopt;
  Cell out;
  bool longitude = true;
  for (const char c : hash) {
    const auto value = kLetters.find(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    if (value == std::string_view::npos) return std::nullopt;
    for (int bit = 4; bit >= 0; --bit, longitude = !longitude) {
      auto& low = longitude ? out.west : out.south;
      auto& high = longitude ? out.east : out.north;
      ((value >> static_cast<unsigned>(bit) & 1U) != 0 ? low : high) = (low + high) / 2;
    }
  }
  return out;
}

std::string pair(double longitude, double latitude) {
  return "[" + json_number(longitude) + "," + json_number(latitude) + "]";
}

}  // namespace

std::string geo_geohash(double longitude, double latitude, std::int64_t letters) {
  if (!(std::fabs(longitude) <= 180) || !(std::fabs(latitude) <= 90) || letters < 1 ||
      letters > static_cast<std::int64_t>(kLettersMax)) {
    return "";
  }
  std::string out;
  Cell cell;
  bool east_west = true;
  while (out.size() < static_cast<std::size_t>(letters)) {
    std::size_t value = 0;
    for (int bit = 0; bit < 5; ++bit, east_west = !east_west) {
      auto& low = east_west ? cell.west : cell.south;
      auto& high = east_west ? cell.east : cell.north;
      const double middle = (low + high) / 2;
      const bool upper = (east_west ? longitude : latitude) >= middle;
      value = value * 2 + (upper ? 1 : 0);
      (upper ? low : high) = middle;
    }
    out += kLetters[value];
  }
  return out;
}

std::optional<std::string> geo_geohash_center(std::string_view hash) {
  const auto cell = read_cell(hash);
  if (!cell) return std::nullopt;
  return R"({"type":"Point","coordinates":)" + pair(cell->longitude(), cell->latitude()) + "}";
}

std::optional<std::string> geo_geohash_polygon(std::string_view hash) {
  const auto cell = read_cell(hash);
  if (!cell) return std::nullopt;
  const auto first = pair(cell->west, cell->south);
  return R"({"type":"Polygon","coordinates":[[)" + first + "," + pair(cell->east, cell->south) + "," +
         pair(cell->east, cell->north) + "," + pair(cell->west, cell->north) + "," + first + "]]}";
}

std::optional<std::string> geo_geohash_neighbors(std::string_view hash) {
  const auto cell = read_cell(hash);
  if (!cell) return std::nullopt;
  struct Step {
    int east, north;
  };
  // The order of the documentation's example.
  constexpr std::array<Step, 8> kSteps = {{{-1, -1}, {-1, 1}, {1, -1}, {0, 1}, {-1, 0}, {1, 1}, {1, 0}, {0, -1}}};
  std::vector<std::string> out;
  for (const auto& step : kSteps) {
    double longitude = cell->longitude() + step.east * (cell->east - cell->west);
    const double latitude = cell->latitude() + step.north * (cell->north - cell->south);
    if (std::fabs(latitude) > 90) continue;
    if (longitude > 180) longitude -= 360;
    if (longitude < -180) longitude += 360;
    auto text = json_text(geo_geohash(longitude, latitude, static_cast<std::int64_t>(hash.size())));
    if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
  }
  return json_array(out);
}

}  // namespace picket::kql
