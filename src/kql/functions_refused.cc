// Functions that the language has and Picket has not: refused by name, so that nobody searches for a typing error.
#include <array>

#include "contains.h"
#include "functions.h"

namespace picket::kql {

namespace {

using namespace std::string_view_literals;

constexpr std::array kNotYet = {"FileProfile"sv,
                                "all"sv,
                                "app"sv,
                                "assert"sv,
                                "base64_decode_toguid"sv,
                                "bin_auto"sv,
                                "buildschema"sv,
                                "cluster"sv,
                                "convert_angle"sv,
                                "convert_energy"sv,
                                "convert_force"sv,
                                "convert_length"sv,
                                "convert_mass"sv,
                                "convert_speed"sv,
                                "convert_temperature"sv,
                                "convert_volume"sv,
                                "covarianceif"sv,
                                "covariancepif"sv,
                                "current_cluster_endpoint"sv,
                                "current_cursor"sv,
                                "current_node_id"sv,
                                "current_principal"sv,
                                "current_principal_details"sv,
                                "current_principal_is_member_of"sv,
                                "cursor_after"sv,
                                "cursor_before_or_at"sv,
                                "cursor_current"sv,
                                "database"sv,
                                "datetime_list_timezones"sv,
                                "estimate_data_size"sv,
                                "extent_id"sv,
                                "extent_tags"sv,
                                "geo_point_to_h3cell"sv,
                                "geo_point_to_s2cell"sv,
                                "gzip_compress_to_base64_string"sv,
                                "hash_combine"sv,
                                "hash_many"sv,
                                "labels"sv,
                                "node_degree_in"sv,
                                "node_degree_out"sv,
                                "parse_user_agent"sv,
                                "passthrough"sv,
                                "series_periods_detect"sv,
                                "series_periods_validate"sv,
                                "table"sv,
                                "weekofyear"sv,
                                "workspace"sv,
                                "zlib_compress_to_base64_string"sv,
                                "zlib_decompress_from_base64_string"sv};

}  // namespace

bool is_known_unsupported_function(std::string_view name) { return contains(kNotYet, name); }

}  // namespace picket::kql
