// Bodies of requests: JSON objects with known fields only.
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http.h"

namespace picket::api {

/// Reads one object; every failure names the field.
class JsonBody {
 public:
  /// Errors: unsupported_media_type, invalid_json, invalid_argument (a field that is not in `known`).
  static std::expected<JsonBody, ApiError> parse(const Request& request, std::initializer_list<std::string_view> known);
  ~JsonBody();
  JsonBody(JsonBody&&) noexcept;

  /// Errors: invalid_argument (not text, longer than `bytes_max`, or required and absent).
  std::expected<std::optional<std::string>, ApiError> text(std::string_view field, std::size_t bytes_max) const;
  std::expected<std::string, ApiError> required_text(std::string_view field, std::size_t bytes_max) const;
  /// Any value, as JSON text.
  std::expected<std::optional<std::string>, ApiError> json(std::string_view field, std::size_t bytes_max) const;
  std::expected<std::optional<std::int64_t>, ApiError> number(std::string_view field, std::int64_t min,
                                                              std::int64_t max) const;

 private:
  struct Object;
  explicit JsonBody(std::unique_ptr<Object> object);
  std::unique_ptr<Object> object_;
};

/// A mistake in one field.
ApiError invalid(std::string_view target, std::string message);

}  // namespace picket::api
