#include "base/core/result.h"

#include <cerrno>
#include <cstring>

namespace picket {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::truncated:
      return "truncated";
    case Errc::malformed:
      return "malformed";
    case Errc::unsupported:
      return "unsupported";
    case Errc::limit_exceeded:
      return "limit exceeded";
    case Errc::io:
      return "io";
    case Errc::not_found:
      return "not found";
    case Errc::exists:
      return "exists already";
    case Errc::denied:
      return "denied";
    case Errc::unavailable:
      return "unavailable";
    case Errc::internal:
      return "internal";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string out(error.where);
  out += ": ";
  out += to_string(error.code);
  if (error.offset != 0) out += " at byte " + std::to_string(error.offset);
  if (error.os_error != 0) {
    out += ": ";
    out += std::strerror(error.os_error);
  }
  return out;
}

std::unexpected<Error> fail_errno(std::string_view where) { return std::unexpected(Error{Errc::io, where, 0, errno}); }

}  // namespace picket
