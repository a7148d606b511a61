// More functions over texts, addresses and times, as plain C++; rules as in native_functions.h. Registered in DuckDB as
// kql_ and the name here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// --- Texts
/// Occurrences, overlapping ones too.
std::int64_t count_of(std::string_view text, std::string_view search);
/// Characters of `search` become those of `replacement` at the same place; its last one where it is shorter.
std::string translate(std::string_view search, std::string_view replacement, std::string_view text);
/// Position in characters; -1: not there. length -1: to the end.
std::optional<std::int64_t> index_of(std::string_view text, std::string_view lookup, std::int64_t start,
                                     std::int64_t length, std::int64_t occurrence);
std::optional<std::string> replace_strings(std::string_view text, std::string_view lookups, std::string_view rewrites);
bool is_ascii(std::string_view text);
std::string code_points(std::string_view text);
std::string from_code_points(std::string_view array);
std::string url_encode(std::string_view text);
std::string url_encode_component(std::string_view text);
std::string url_decode(std::string_view text);
std::string base64_encode(std::string_view text);
std::optional<std::string> base64_to_array(std::string_view text);
/// By `count` modulo 64 bits.
std::int64_t shift_left(std::int64_t value, std::int64_t count);
/// strrep(): the text 0 to 1024 times. Throws where the whole would be longer than 128 MiB.
std::string repeat_text(std::string_view text, std::int64_t times);
std::string to_hex_text(std::int64_t value, std::int64_t length);
std::string format_bytes(double value, std::int64_t precision, std::string_view unit);
std::string quote_regex(std::string_view text);

// --- Texts taken apart
/// The column `column` of what a pattern finds; column -1: "" where it matches. nullopt: no match. The pattern is 's'
/// (types must fit) or 'r' (they need not), then '*', "t<length>:<text>" and "c<type letter>".
std::optional<std::string> parse_part(std::string_view text, std::string_view pattern, std::int64_t column);
std::optional<std::string> parse_kv(std::string_view text, std::string_view key, std::string_view pair_delimiter,
                                    std::string_view kv_delimiter, std::string_view quote);
std::string parse_url(std::string_view text);
std::string parse_url_query(std::string_view text);
std::string parse_path(std::string_view text);
std::string parse_csv(std::string_view text);
/// As Windows splits a command line; nullopt: another type than "windows".
std::optional<std::string> parse_command_line(std::string_view text, std::string_view type);

// --- Addresses. A network is an address with "/bits".
std::optional<std::int64_t> parse_ipv4(std::string_view text);
std::optional<std::int64_t> parse_ipv4_mask(std::string_view text, std::int64_t bits);
std::optional<std::string> format_ipv4(std::int64_t address, std::int64_t bits);
std::optional<std::string> format_ipv4_mask(std::int64_t address, std::int64_t bits);
/// -1, 0, 1 by the shortest of the three prefixes.
std::optional<std::int64_t> ipv4_compare(std::string_view a, std::string_view b, std::int64_t bits);
std::optional<bool> ipv4_is_in_range(std::string_view address, std::string_view network);
std::optional<std::int64_t> ipv4_netmask_suffix(std::string_view text);
std::optional<std::string> parse_ipv6(std::string_view text);
std::optional<std::int64_t> ipv6_compare(std::string_view a, std::string_view b, std::int64_t bits);
std::optional<bool> ipv6_is_in_range(std::string_view address, std::string_view network);
/// `networks` is an array of texts; null where the address or one of them is none.
std::optional<bool> ipv6_is_in_any_range(std::string_view address, std::string_view networks);
/// The address with its last bits cut, in full; `bits` of 128.
std::optional<std::string> parse_ipv6_mask(std::string_view address, std::int64_t bits);
/// `text` holds the address (or one that begins so), between characters that belong to no address.
bool has_ipv4(std::string_view text, std::string_view address);
bool has_ipv4_prefix(std::string_view text, std::string_view prefix);
std::optional<std::string> ipv4_range_to_cidr_list(std::string_view first, std::string_view last);

// --- Times
/// nullopt: a letter that is no part of a date.
std::optional<std::string> format_datetime(std::int64_t microseconds, std::string_view format);
std::optional<std::string> format_timespan(std::int64_t ticks, std::string_view format);
/// Kilometres apart do not count: metres on a sphere, from degrees.
std::optional<double> geo_distance(double longitude1, double latitude1, double longitude2, double latitude2);

}  // namespace picket::kql
