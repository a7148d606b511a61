// Scalar functions that SQL cannot express well, as plain C++. `register_kql_functions` (kql/duckdb.h) gives them to
// DuckDB under the names in brackets. Strings are UTF-8; invalid bytes count as one character each and never crash.
// nullopt is the language's null: a conversion never fails. All are pure and may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// --- Terms (kql.md section 3, `has`). A term is a maximal run of letters and digits; '_' separates. ASCII folds case;
// bytes beyond ASCII are letters and compare as they are.

/// `text has term`: `term` occurs in `text` with no letter or digit next to it on either side. An empty term is in
/// every text. [kql_has, kql_has_cs]
bool has_term(std::string_view text, std::string_view term);
bool has_term_cs(std::string_view text, std::string_view term);
/// `hasprefix`: `term` occurs where a term begins. [kql_hasprefix, kql_hasprefix_cs]
bool has_term_prefix(std::string_view text, std::string_view term);
bool has_term_prefix_cs(std::string_view text, std::string_view term);
/// `hassuffix`: `term` occurs where a term ends. [kql_hassuffix, kql_hassuffix_cs]
bool has_term_suffix(std::string_view text, std::string_view term);
bool has_term_suffix_cs(std::string_view text, std::string_view term);

// --- Text to value

/// Decimal or 0x, sign allowed, blanks around it allowed. [kql_parse_long]
std::optional<std::int64_t> parse_long(std::string_view text);
/// Decimal number, also "NaN", "+Inf"; blanks around it allowed. [kql_parse_real]
std::optional<double> parse_real(std::string_view text);
/// "true" or "false" in any case, or an integer. [kql_parse_bool]
std::optional<bool> parse_bool(std::string_view text);
/// "2026", "2026-01-02", "2026-01-02 03:04:05.1234567", with "T", "Z" or an offset. Microseconds since the epoch; the
/// seventh digit is cut. [kql_parse_datetime]
std::optional<std::int64_t> parse_datetime(std::string_view text);
/// "1.02:03:04.5678901", "02:03:04", "02:03", "1d", "90s", "-1h"; a bare number is days. Ticks. [kql_parse_timespan]
std::optional<std::int64_t> parse_timespan(std::string_view text);
/// 32 hex digits, with or without hyphens and braces; lower case with hyphens. [kql_parse_guid]
std::optional<std::string> parse_guid(std::string_view text);
/// Ticks of one unit of a timespan literal: "d", "hours", "ms", "ticks", ...; nullopt: not a unit.
std::optional<std::int64_t> timespan_unit(std::string_view unit);
/// `number` (digits with at most one point) times a unit; nullopt: beyond 64 bits.
std::optional<std::int64_t> scale_timespan(std::string_view number, std::int64_t unit_ticks);

// --- Value to text, as tostring() prints it

/// Shortest text that reads back the same: "1.0", "0.1", "1E+20", "NaN", "Infinity". [kql_real_text]
std::string real_text(double value);
/// "2026-01-02T03:04:05.1234560Z". [kql_datetime_text]
std::string datetime_text(std::int64_t microseconds);
/// "1.02:03:04.5000000"; days and fraction only where not zero. [kql_timespan_text]
std::string timespan_text(std::int64_t ticks);

// --- Dynamic scalars: JSON text of one value, as paths and array elements give it

/// A JSON string without its quotes and escapes; any other value as it stands; JSON null is "". [kql_dynamic_text]
std::string dynamic_text(std::string_view json);
/// Numbers (cut towards zero), booleans, and strings that parse_long reads. [kql_dynamic_long]
std::optional<std::int64_t> dynamic_long(std::string_view json);
std::optional<double> dynamic_real(std::string_view json);  ///< [kql_dynamic_real]
std::optional<bool> dynamic_bool(std::string_view json);    ///< [kql_dynamic_bool]
/// As dynamic_long and dynamic_real, but of JSON numbers only, and the first only of those without a fraction: what
/// `==`,
/// `<` and their like compare with. [kql_dynamic_whole, kql_dynamic_number]
std::optional<std::int64_t> dynamic_whole(std::string_view json);
std::optional<double> dynamic_number(std::string_view json);
std::optional<std::int64_t> dynamic_datetime(std::string_view json);  ///< [kql_dynamic_datetime]
std::optional<std::int64_t> dynamic_timespan(std::string_view json);  ///< [kql_dynamic_timespan]

// --- Others

/// substring(): positions and lengths count characters, a negative start counts from the end. [kql_substring]
std::string substring(std::string_view text, std::int64_t start, std::int64_t length);
/// Private IPv4 address (RFC 1918, 127/8 excluded); nullopt: not an IPv4 address. [kql_ipv4_is_private]
std::optional<bool> ipv4_is_private(std::string_view text);
/// Decodes base64 to UTF-8 text; nullopt: not base64 or not UTF-8. [kql_base64_text]
std::optional<std::string> base64_text(std::string_view text);

}  // namespace picket::kql
