// Lines, circles and polygons on a sphere of the Earth's mean radius; edges are arcs of great circles.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "kql/native_families.h"
#include "kql/native_functions.h"
#include "kql/native_text.h"
#include "native_json.h"

namespace picket::kql {

namespace {

constexpr double kRadius = 6'371'010;
constexpr double kDegree = std::numbers::pi / 180;

struct Place {
  double longitude = 0, latitude = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Vector {
  double x = 0, y = 0, z = 0;
};

double dot(const Vector& a, const Vector& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vector cross(const Vector& a, const Vector& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
double length(const Vector& a) { return std::sqrt(dot(a, a)); }
/// Between two directions; exact for small angles too.
double angle(const Vector& a, const Vector& b) { return std::atan2(length(cross(a, b)), dot(a, b)); }

Vector direction(const Place& place) {
  const double latitude = place.latitude * kDegree;
  const double longitude = place.longitude * kDegree;
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude), std::sin(latitude)};
}

bool is_place(double longitude, double latitude) { return std::fabs(longitude) <= 180 && std::fabs(latitude) <= 90; }

using Path = std::vector<Place>;
using Polygon = std::vector<Path>;  ///< The shell, then the holes.

std::optional<Path> read_path(std::string_view json) {
  const auto items = json_items(json);
  if (!items) return std::nullopt;
  Path out;
  for (const auto item : *items) {
    const auto pair = json_numbers(item);
    if (!pair || pair->size() != 2 || !is_place((*pair)[0], (*pair)[1])) return std::nullopt;
    out.push_back({(*pair)[0], (*pair)[1]});
  }
  return out;
}

struct Shape {
  std::string type;
  std::string_view coordinates;
};

std::optional<Shape> read_shape(std::string_view json) {
  const auto members = json_members(json);
  if (!members) return std::nullopt;
  Shape out;
  for (const auto& [key, value] : *members) {
    if (key == "type") out.type = dynamic_text(value);
    if (key == "coordinates") out.coordinates = value;
  }
  return out;
}

/// nullopt: not a line, or not a valid one.
std::optional<std::vector<Path>> read_lines(std::string_view json) {
  const auto shape = read_shape(json);
  if (!shape) return std::nullopt;
  JsonItems parts = {shape->coordinates};
  if (shape->type == "MultiLineString") {
    auto items = json_items(shape->coordinates);
    if (!items || items->empty()) return std::nullopt;
    parts = std::move(*items);
  } else if (shape->type != "LineString") {
    return std::nullopt;
  }
  std::vector<Path> out;
  for (const auto part : parts) {
    auto path = read_path(part);
    if (!path || path->size() < 2) return std::nullopt;
    out.push_back(std::move(*path));
  }
  return out;
}

std::optional<Polygon> read_polygon(std::string_view json) {
  const auto rings = json_items(json);
  if (!rings || rings->empty()) return std::nullopt;
  Polygon out;
  for (const auto ring : *rings) {
    auto path = read_path(ring);
    if (!path || path->size() < 4 || path->front() != path->back()) return std::nullopt;
    auto sorted = *path;
    sorted.pop_back();
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) return std::nullopt;
    out.push_back(std::move(*path));
  }
  return out;
}

std::optional<std::vector<Polygon>> read_polygons(std::string_view json) {
  const auto shape = read_shape(json);
  if (!shape) return std::nullopt;
  JsonItems parts = {shape->coordinates};
  if (shape->type == "MultiPolygon") {
    auto items = json_items(shape->coordinates);
    if (!items || items->empty()) return std::nullopt;
    parts = std::move(*items);
  } else if (shape->type != "Polygon") {
    return std::nullopt;
  }
  std::vector<Polygon> out;
  for (const auto part : parts) {
    auto polygon = read_polygon(part);
    if (!polygon) return std::nullopt;
    out.push_back(std::move(*polygon));
  }
  return out;
}

double edge_distance(const Vector& p, const Vector& a, const Vector& b) {
  const auto normal = cross(a, b);
  const double size = length(normal);
  if (size > 0) {
    // The nearest point of the great circle lies on the arc if it is on the inner side of both ends.
    const bool inside = dot(cross(normal, a), p) >= 0 && dot(cross(b, normal), p) >= 0;
    if (inside) return std::asin(std::min(1.0, std::fabs(dot(normal, p)) / size));
  }
  return std::min(angle(p, a), angle(p, b));
}

double path_distance(const Vector& p, const Path& path) {
  double least = std::numbers::pi;
  for (std::size_t i = 1; i < path.size(); ++i) {
    least = std::min(least, edge_distance(p, direction(path[i - 1]), direction(path[i])));
  }
  return least;
}

double path_length(const Path& path) {
  double out = 0;
  for (std::size_t i = 1; i < path.size(); ++i) out += angle(direction(path[i - 1]), direction(path[i]));
  return out;
}

/// How often the ring goes round the point, of the side that is the smaller one.
bool ring_contains(const Path& ring, const Vector& p) {
  Vector middle;
  double turn = 0;
  for (std::size_t i = 1; i < ring.size(); ++i) {
    const auto a = direction(ring[i - 1]);
    const auto b = direction(ring[i]);
    middle = {middle.x + a.x, middle.y + a.y, middle.z + a.z};
    turn += std::atan2(dot(p, cross(a, b)), dot(a, b) - dot(a, p) * dot(b, p));
  }
  return std::fabs(turn) > std::numbers::pi && dot(middle, p) > 0;
}

bool polygon_contains(const Polygon& polygon, const Vector& p) {
  if (!ring_contains(polygon.front(), p)) return false;
  return std::none_of(polygon.begin() + 1, polygon.end(), [&](const Path& hole) { return ring_contains(hole, p); });
}

/// The sum of the signed triangles of a fan, by the half-angle formula for a triangle's excess.
double ring_area(const Path& ring) {
  const auto a = direction(ring[0]);
  double sum = 0;
  for (std::size_t i = 2; i + 1 < ring.size(); ++i) {
    const auto b = direction(ring[i - 1]);
    const auto c = direction(ring[i]);
    sum += 2 * std::atan2(dot(a, cross(b, c)), 1 + dot(a, b) + dot(b, c) + dot(c, a));
  }
  sum = std::fabs(sum);
  return sum > 2 * std::numbers::pi ? 4 * std::numbers::pi - sum : sum;
}

const Polygon& only_one(const std::vector<Polygon>& polygons, const char* function) {
  if (polygons.size() > 1) {
    throw std::invalid_argument(std::string(function) +
                                "() of several polygons is not supported: they would be united");
  }
  return polygons.front();
}

double azimuth(const Place& from, const Place& to) {
  const double a = from.latitude * kDegree;
  const double b = to.latitude * kDegree;
  const double d = (to.longitude - from.longitude) * kDegree;
  const double out =
      std::atan2(std::sin(d) * std::cos(b), std::cos(a) * std::sin(b) - std::sin(a) * std::cos(b) * std::cos(d));
  return out < 0 ? out + 2 * std::numbers::pi : out;
}

}  // namespace

std::optional<bool> geo_point_in_circle(double longitude, double latitude, double center_longitude,
                                        double center_latitude, double radius) {
  if (!(radius >= 0) || !std::isfinite(radius)) return std::nullopt;
  const auto distance = geo_distance(longitude, latitude, center_longitude, center_latitude);
  return distance ? std::optional(*distance <= radius) : std::nullopt;
}

std::optional<bool> geo_point_in_polygon(double longitude, double latitude, std::string_view polygon) {
  const auto polygons = read_polygons(polygon);
  if (!polygons || !is_place(longitude, latitude)) return std::nullopt;
  const auto p = direction({longitude, latitude});
  return std::ranges::any_of(*polygons, [&](const Polygon& one) { return polygon_contains(one, p); });
}

std::optional<double> geo_distance_to_line(double longitude, double latitude, std::string_view line) {
  const auto lines = read_lines(line);
  if (!lines || !is_place(longitude, latitude)) return std::nullopt;
  const auto p = direction({longitude, latitude});
  double least = std::numbers::pi;
  for (const auto& path : *lines) least = std::min(least, path_distance(p, path));
  return least * kRadius;
}

std::optional<double> geo_distance_to_polygon(double longitude, double latitude, std::string_view polygon) {
  const auto polygons = read_polygons(polygon);
  if (!polygons || !is_place(longitude, latitude)) return std::nullopt;
  const auto p = direction({longitude, latitude});
  double least = std::numbers::pi;
  for (const auto& one : *polygons) {
    if (polygon_contains(one, p)) return 0;
    for (const auto& ring : one) least = std::min(least, path_distance(p, ring));
  }
  return least * kRadius;
}

std::optional<double> geo_line_length(std::string_view line) {
  const auto lines = read_lines(line);
  if (!lines) return std::nullopt;
  double out = 0;
  for (const auto& path : *lines) out += path_length(path);
  return out * kRadius;
}

std::optional<double> geo_polygon_area(std::string_view polygon) {
  const auto polygons = read_polygons(polygon);
  if (!polygons) return std::nullopt;
  const auto& one = only_one(*polygons, "geo_polygon_area");
  double out = ring_area(one.front());
  for (std::size_t i = 1; i < one.size(); ++i) out -= ring_area(one[i]);
  return out * kRadius * kRadius;
}

std::optional<double> geo_polygon_perimeter(std::string_view polygon) {
  const auto polygons = read_polygons(polygon);
  if (!polygons) return std::nullopt;
  double out = 0;
  for (const auto& ring : only_one(*polygons, "geo_polygon_perimeter")) out += path_length(ring);
  return out * kRadius;
}

std::optional<double> geo_azimuth(double longitude1, double latitude1, double longitude2, double latitude2) {
  const Place from{longitude1, latitude1};
  const Place to{longitude2, latitude2};
  if (!is_place(longitude1, latitude1) || !is_place(longitude2, latitude2) || from == to) return std::nullopt;
  return azimuth(from, to);
}

std::optional<double> geo_angle(double longitude1, double latitude1, double longitude2, double latitude2,
                                double longitude3, double latitude3) {
  const std::array<Place, 3> p = {{{longitude1, latitude1}, {longitude2, latitude2}, {longitude3, latitude3}}};
  for (const auto& one : p) {
    if (!is_place(one.longitude, one.latitude)) return std::nullopt;
  }
  if (p[0] == p[1] || p[1] == p[2]) return std::nullopt;
  const double out = azimuth(p[1], p[2]) - azimuth(p[1], p[0]);
  return out < 0 ? out + 2 * std::numbers::pi : out;
}

}  // namespace picket::kql
