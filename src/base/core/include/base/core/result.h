// Expected failures as values: Error, Result<T>, fail(), TRY. See docs/style of errors in src/base/README.md.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace picket {

/// What kind of failure it is, as far as a caller can act on it. There is no "ok": that is the value.
enum class Errc : std::uint8_t {
  truncated = 1,   ///< The input ends before the value does.
  malformed,       ///< The input breaks its specification.
  unsupported,     ///< Valid, but not for us (version, option, feature).
  limit_exceeded,  ///< A named bound was reached.
  io,              ///< The operating system said no; `os_error` says what.
  not_found,
  exists,
  denied,
  unavailable,  ///< Peer gone, shutting down, try again later.
  internal,     ///< A library we use failed in a way its contract does not name.
};

/// Short name of the code, e.g. "truncated"; for logs.
std::string_view to_string(Errc code);

/// One failure. Cheap to copy: `where` is a string literal such as "modbus.mbap.length", a path that names module, part
/// and field. Texts for people are made at the edge from `code` and `where`, not in parsers.
struct Error {
  Errc code;
  std::string_view where;    ///< Static storage only.
  std::uint64_t offset = 0;  ///< Byte offset in the input, where there is one.
  int os_error = 0;          ///< errno, when code is io.

  friend bool operator==(const Error&, const Error&) = default;
};

/// "journal.segment.open: io: No such file or directory" or "mqtt.varint: malformed at byte 5".
std::string describe(const Error& error);

/// A value or an Error. Deriving from std::expected makes a dropped result a warning; an alias could not.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(std::expected<T, Error> other) : std::expected<T, Error>(std::move(other)) {}
};

[[nodiscard]] constexpr std::unexpected<Error> fail(Errc code, std::string_view where, std::uint64_t offset = 0) {
  return std::unexpected(Error{code, where, offset, 0});
}

/// An io failure with the current errno.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view where);

}  // namespace picket

#define PICKET_CONCAT_INNER(a, b) a##b
#define PICKET_CONCAT(a, b) PICKET_CONCAT_INNER(a, b)
#define PICKET_TRY_IMPL(temporary, declaration, expression, ret)     \
  auto temporary = (expression);                                     \
  if (!temporary) ret std::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)

/// TRY(auto header, read_header(in)); declares or assigns the value, or returns the error to the caller.
#define TRY(declaration, ...) PICKET_TRY_IMPL(PICKET_CONCAT(try_, __COUNTER__), declaration, (__VA_ARGS__), return)
/// The same inside a coroutine.
#define CO_TRY(declaration, ...) \
  PICKET_TRY_IMPL(PICKET_CONCAT(try_, __COUNTER__), declaration, (__VA_ARGS__), co_return)

#define PICKET_TRY_VOID_IMPL(temporary, expression, ret)               \
  do {                                                                 \
    auto temporary = (expression);                                     \
    if (!temporary) ret std::unexpected(std::move(temporary).error()); \
  } while (false)

/// TRY_VOID(file.sync()); returns the error to the caller, drops the value.
#define TRY_VOID(...) PICKET_TRY_VOID_IMPL(PICKET_CONCAT(try_, __COUNTER__), (__VA_ARGS__), return)
#define CO_TRY_VOID(...) PICKET_TRY_VOID_IMPL(PICKET_CONCAT(try_, __COUNTER__), (__VA_ARGS__), co_return)
