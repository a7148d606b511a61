// Pages of lists: limits, and cursors that belong to one sort and filter.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "router.h"

namespace picket::api {

/// Parameter `limit`: 1 to 500, default 100.
std::expected<std::size_t, ApiError> page_limit(const Call& call);
/// A page's cursor as the client sees it: bound to the other query parameters of the call.
std::string seal_cursor(const Call& call, std::string_view inner);
/// The inner cursor of parameter `cursor`, "" when there is none. Errors: invalid_argument when it is another list's.
std::expected<std::string, ApiError> open_cursor(const Call& call);
/// One of `allowed`. Errors: invalid_argument.
std::expected<std::optional<std::string>, ApiError> one_of(const Call& call, std::string_view name,
                                                           std::initializer_list<std::string_view> allowed);
/// Comma-separated values, each one of `allowed`.
std::expected<std::vector<std::string>, ApiError> some_of(const Call& call, std::string_view name,
                                                          std::initializer_list<std::string_view> allowed);
/// A time parameter.
std::expected<std::optional<Timestamp>, ApiError> time_parameter(const Call& call, std::string_view name);
/// A text parameter of at most `bytes_max`.
std::expected<std::string, ApiError> text_parameter(const Call& call, std::string_view name, std::size_t bytes_max);

}  // namespace picket::api
