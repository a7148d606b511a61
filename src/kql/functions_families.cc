// The second table of scalar functions: families that stand in native_families.h. As functions_scalar.cc otherwise.
#include "functions.h"

namespace picket::kql {

namespace {

using enum NameRule;
using enum Type;

#define OVERLOADS(name, ...) constexpr Overload name[] = {__VA_ARGS__}

OVERLOADS(kLocation, {"s", dynamic, kLocationOp});
OVERLOADS(kXxhash, {"s", int64, kHashOp}, {"sl", int64, "xxhash_text_below"}, {"d", int64, "xxhash_time"},
          {"dl", int64, "xxhash_time_below"});
OVERLOADS(kOfGuid64, {"g", string, "base64_of_guid"});
OVERLOADS(kOfArray64, {"j", string, "base64_of_array"});
OVERLOADS(kPunycode, {"s", string, "punycode_encode"});
OVERLOADS(kPunycodeText, {"s", string, "punycode_decode"});
OVERLOADS(kPunycodeDomain, {"s", string, "punycode_domain_encode"});
OVERLOADS(kPunycodeDomainText, {"s", string, "punycode_domain_decode"});
OVERLOADS(kGzip, {"s", string, "gzip_text"});
OVERLOADS(kZlib, {"s", string, "zlib_text"});
OVERLOADS(kVersion, {"s", decimal, "parse_version"});
OVERLOADS(kIndexOfRegex, {"ss", int64, "indexof_regex"}, {"ssl", int64, "indexof_regex_3"},
          {"ssll", int64, "indexof_regex_4"}, {"sslll", int64, "indexof_regex_5"});
OVERLOADS(kXml, {"s", dynamic, "parse_xml"});
OVERLOADS(kToLocal, {"ds", datetime, "time_to_local"});
OVERLOADS(kToUtc, {"ds", datetime, "time_to_utc"});
OVERLOADS(kAround, {"lll", boolean, "around"}, {"rrr", boolean, "around"}, {"ttt", boolean, "around"},
          {"ddt", boolean, "around_time"});
OVERLOADS(kIpv6Mask, {"sl", string, "parse_ipv6_mask"});
OVERLOADS(kIpv6AnyRange, {"sj", boolean, "ipv6_is_in_any_range"}, {"ss*", boolean, "ipv6_is_in_any_of"});

OVERLOADS(kErf, {"r", real, "error_function"});
OVERLOADS(kErfc, {"r", real, "error_function_rest"});
OVERLOADS(kBetaCdf, {"rrr", real, "beta_cdf"});
OVERLOADS(kBetaInv, {"rrr", real, "beta_inv"});
OVERLOADS(kBetaPdf, {"rrr", real, "beta_pdf"});
OVERLOADS(kWelch, {"rrrrrr", real, "welch_test"});

OVERLOADS(kInCircle, {"rrrrr", boolean, "geo_point_in_circle"});
OVERLOADS(kInPolygon, {"rrj", boolean, "geo_point_in_polygon"});
OVERLOADS(kToLine, {"rrj", real, "geo_distance_to_line"});
OVERLOADS(kToPolygon, {"rrj", real, "geo_distance_to_polygon"});
OVERLOADS(kLineLength, {"j", real, "geo_line_length"});
OVERLOADS(kArea, {"j", real, "geo_polygon_area"});
OVERLOADS(kPerimeter, {"j", real, "geo_polygon_perimeter"});
OVERLOADS(kAzimuth, {"rrrr", real, "geo_azimuth"});
OVERLOADS(kAngle, {"rrrrrr", real, "geo_angle"});
OVERLOADS(kGeohash, {"rr", string, "geo_geohash_5"}, {"rrl", string, "geo_geohash"});
OVERLOADS(kGeohashCenter, {"s", dynamic, "geo_geohash_center"});
OVERLOADS(kGeohashPolygon, {"s", dynamic, "geo_geohash_polygon"});
OVERLOADS(kGeohashNeighbors, {"s", dynamic, "geo_geohash_neighbors"});

OVERLOADS(kFft, {"j", dynamic, "series_fft"}, {"jj", dynamic, "series_fft_2"});
OVERLOADS(kIfft, {"j", dynamic, "series_ifft"}, {"jj", dynamic, "series_ifft_2"});
OVERLOADS(kFitPoly, {"j", dynamic, "series_fit_poly"}, {"jj", dynamic, "series_fit_poly_2"},
          {"jjl", dynamic, "series_fit_poly_3"});
OVERLOADS(kSeasonal, {"j", dynamic, "series_seasonal"}, {"jl", dynamic, "series_seasonal_2"},
          {"jll", dynamic, "series_seasonal_3"});
OVERLOADS(kStatsBag, {"j", dynamic, "series_stats_bag"}, {"jb", dynamic, "series_stats_bag_2"});
OVERLOADS(kFit2Bag, {"j", dynamic, "series_fit_2lines_bag"});

OVERLOADS(kHllCount, {"j", int64, "hll_count"});
OVERLOADS(kHllMerge, {"jj*", dynamic, "hll_merge_of"});
OVERLOADS(kDigestMerge, {"jj*", dynamic, "tdigest_merge_of"});
OVERLOADS(kDigestRank, {"jr", real, "tdigest_rank"});
OVERLOADS(kDigestShare, {"jr", real, "tdigest_share"});

constexpr ScalarFunction kFamilies[] = {
    {"geo_info_from_ip_address", none, "", kLocation},
    {"hash", none, "", kXxhash},
    {"hash_xxhash64", none, "", kXxhash},
    {"base64_encode_fromguid", none, "", kOfGuid64},
    {"base64_encode_fromarray", none, "", kOfArray64},
    {"punycode_from_string", none, "", kPunycode},
    {"punycode_to_string", none, "", kPunycodeText},
    {"punycode_domain_to_string", none, "", kPunycodeDomain},
    {"punycode_domain_from_string", none, "", kPunycodeDomainText},
    {"gzip_decompress_from_base64_string", none, "", kGzip},
    {"zlib_decompress_from_base64_string", none, "", kZlib},
    {"parse_version", first_argument, "", kVersion},
    {"indexof_regex", none, "", kIndexOfRegex},
    {"parse_xml", first_argument, "", kXml},
    {"datetime_utc_to_local", none, "", kToLocal},
    {"datetime_local_to_utc", none, "", kToUtc},
    {"around", none, "", kAround},
    {"parse_ipv6_mask", none, "", kIpv6Mask},
    {"ipv6_is_in_any_range", none, "", kIpv6AnyRange},
    {"erf", none, "", kErf},
    {"erfc", none, "", kErfc},
    {"beta_cdf", none, "", kBetaCdf},
    {"beta_inv", none, "", kBetaInv},
    {"beta_pdf", none, "", kBetaPdf},
    {"welch_test", none, "", kWelch},
    {"geo_point_in_circle", none, "", kInCircle},
    {"geo_point_in_polygon", none, "", kInPolygon},
    {"geo_distance_point_to_line", none, "", kToLine},
    {"geo_distance_point_to_polygon", none, "", kToPolygon},
    {"geo_line_length", none, "", kLineLength},
    {"geo_polygon_area", none, "", kArea},
    {"geo_polygon_perimeter", none, "", kPerimeter},
    {"geo_azimuth", none, "", kAzimuth},
    {"geo_angle", none, "", kAngle},
    {"geo_point_to_geohash", none, "", kGeohash},
    {"geo_geohash_to_central_point", none, "", kGeohashCenter},
    {"geo_geohash_to_polygon", none, "", kGeohashPolygon},
    {"geo_geohash_neighbors", none, "", kGeohashNeighbors},
    {"series_fft", none, "", kFft},
    {"series_ifft", none, "", kIfft},
    {"series_fit_poly", none, "", kFitPoly},
    {"series_seasonal", none, "", kSeasonal},
    {"series_stats_dynamic", none, "", kStatsBag},
    {"series_fit_2lines_dynamic", none, "", kFit2Bag},
    {"dcount_hll", prefixed, "dcount_hll", kHllCount},
    {"hll_merge", none, "hll_merged_result", kHllMerge},
    {"tdigest_merge", none, "tdigests_merge_result", kDigestMerge},
    {"merge_tdigest", none, "tdigests_merge_result", kDigestMerge},
    {"rank_tdigest", none, "", kDigestRank},
    {"percentrank_tdigest", none, "", kDigestShare},
};

#undef OVERLOADS

}  // namespace

std::span<const ScalarFunction> family_functions() { return kFamilies; }

}  // namespace picket::kql
