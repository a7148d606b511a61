// Families of scalar functions beyond the everyday ones: hashes and codes, XML, places, spectra, distributions. JSON
// text in and out for dynamic values; nullopt is null. Registered in DuckDB as kql_ and the name here. Pure, from any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// --- native_codes.cc

/// XXH64 with seed 0: of a text's bytes; of a datetime (microseconds) its 8 bytes of ticks since year 1, lowest first.
std::int64_t xxhash_text(std::string_view text);
std::int64_t xxhash_time(std::int64_t us);
std::optional<std::string> base64_of_guid(std::string_view guid);
/// Of an array of 0..255 that is UTF-8; null otherwise.
std::optional<std::string> base64_of_array(std::string_view array);
/// RFC 3492; '' where it cannot be done. The domain forms work label by label and add or take "xn--".
std::string punycode_encode(std::string_view text);
std::string punycode_decode(std::string_view text);
std::string punycode_domain_encode(std::string_view text);
std::string punycode_domain_decode(std::string_view text);
/// What a compressed text holds; '' where it is broken or larger than 8 MiB. [in the library kql_duckdb]
std::string gzip_text(std::string_view base64);
std::string zlib_text(std::string_view base64);

/// The key of a decimal (kql/native_decimal.h) of eight digits for each of one to four parts.
std::optional<std::string> parse_version(std::string_view text);
/// Where match number `occurrence` begins, in characters from `start` on; -1: nowhere. `marked` has U+E000 in place of
/// each match, `matches` is the array of their texts. Null: a negative number.
std::optional<std::int64_t> regex_index(std::string_view marked, std::string_view matches, std::int64_t start,
                                        std::int64_t occurrence);

// --- native_xml.cc

inline constexpr std::size_t kXmlBytesMax = 1'048'576;
inline constexpr std::size_t kXmlDepthMax = 128;
/// Elements are keys, attributes "@name", text beside others "#text", repeated elements arrays. Null: not well formed,
/// longer than kXmlBytesMax, deeper than kXmlDepthMax, or with entities of its own.
std::optional<std::string> parse_xml(std::string_view text);

// --- native_shapes.cc: longitude and latitude in degrees, metres on a sphere. Lines and polygons are GeoJSON.

std::optional<bool> geo_point_in_circle(double longitude, double latitude, double center_longitude,
                                        double center_latitude, double radius);
std::optional<bool> geo_point_in_polygon(double longitude, double latitude, std::string_view polygon);
std::optional<double> geo_distance_to_line(double longitude, double latitude, std::string_view line);
std::optional<double> geo_distance_to_polygon(double longitude, double latitude, std::string_view polygon);
std::optional<double> geo_line_length(std::string_view line);
/// Several polygons would have to be united first: that throws std::invalid_argument.
std::optional<double> geo_polygon_area(std::string_view polygon);
std::optional<double> geo_polygon_perimeter(std::string_view polygon);
/// Radians, clockwise from north: 0 to 2 pi.
std::optional<double> geo_azimuth(double longitude1, double latitude1, double longitude2, double latitude2);
std::optional<double> geo_angle(double longitude1, double latitude1, double longitude2, double latitude2,
                                double longitude3, double latitude3);

// --- native_geohash.cc

/// '': not a place, or not 1 to 18 letters.
std::string geo_geohash(double longitude, double latitude, std::int64_t letters);
std::optional<std::string> geo_geohash_center(std::string_view hash);
std::optional<std::string> geo_geohash_polygon(std::string_view hash);
std::optional<std::string> geo_geohash_neighbors(std::string_view hash);

// --- native_distribution.cc

std::optional<double> error_function(double x);
std::optional<double> error_function_rest(double x);
/// NaN outside of what the documentation states, as there; a probability that is none gives null.
std::optional<double> beta_cdf(double x, double alpha, double beta);
std::optional<double> beta_inv(double probability, double alpha, double beta);
std::optional<double> beta_pdf(double x, double alpha, double beta);
/// The two-sided p-value of Welch's test.
std::optional<double> welch_test(double mean1, double variance1, double count1, double mean2, double variance2,
                                 double count2);

// --- native_spectrum.cc

/// [real, imaginary] of the transform. "": no imaginary part. At most 65,536 points.
std::optional<std::string> series_fft(std::string_view real, std::string_view imaginary, bool inverse);
/// [rsquare, coefficients, variance, rvariance, poly_fit]. "": x is 1, 2, ... Degree 1 to 16.
std::optional<std::string> series_fit_poly(std::string_view y, std::string_view x, std::int64_t degree);
/// The median at each place of the period; period -1 finds it; 0, or none found: zeros.
std::optional<std::string> series_seasonal(std::string_view series, std::int64_t period, std::int64_t test);
/// series_fit_2lines() as a bag, its lines as the bags `right` and `left`.
std::optional<std::string> series_fit_2lines_bag(std::string_view series);
/// A bag of min, min_idx, max, max_idx, avg, stdev, variance, sum, len.
std::optional<std::string> series_stats_bag(std::string_view series, bool skip_missing);

// --- native_graph.cc

inline constexpr std::int64_t kGraphNodesMax = 1'048'576;
/// The component of each of so many nodes, with commas between them, from 0 in the order of the nodes. `edges` has the
/// numbers of source and target, edge after edge. Null: no nodes. More than kGraphNodesMax throw std::length_error.
std::optional<std::string> graph_components(std::int64_t nodes, std::string_view edges, bool strong);

// --- native_sketch.cc. Lists of numbers are texts with commas.

/// Of hashes; `accuracy` 0 to 4 as of dcount(). Exact up to 1,024 different ones.
std::string hll_make(std::string_view hashes, std::int64_t accuracy);
/// Of an array of sketches; what is none is left out. Null: there is none.
std::optional<std::string> hll_merge(std::string_view sketches);
std::optional<std::int64_t> hll_count(std::string_view sketch);
/// Of values and their weights. Exact up to 2,048 different values.
std::string tdigest_make(std::string_view values, std::string_view weights);
std::optional<std::string> tdigest_merge(std::string_view digests);
/// The weight of the values up to and including `value`; as a percentage of all.
std::optional<double> tdigest_rank(std::string_view digest, double value);
std::optional<double> tdigest_share(std::string_view digest, double value);
/// The nearest-rank percentile, as JSON.
std::optional<std::string> tdigest_percentile(std::string_view digest, double percentage);
/// Which of the values that have these weights is the percentile, from 1.
std::optional<std::int64_t> weighted_index(std::string_view weights, double percentage);
/// row_window_session(): `times` in microseconds, empty where unknown; `restarts` one of 0 and 1 a row.
std::string session_starts(std::string_view times, std::string_view restarts, std::int64_t first_ticks,
                           std::int64_t between_ticks);

}  // namespace picket::kql
