// The command line's way to the server: its REST API over HTTPS, verified against the installation's own CA.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::cli {

/// Exit codes of every command (docs/cli.md).
enum class Exit : int { ok = 0, failed = 1, usage = 2, unreachable = 3, denied = 4 };

/// A place in a query text, in UTF-16 code units as the API counts; line and column begin at 1.
struct Span {
  std::size_t length = 0;
  std::size_t line = 1;
  std::size_t column = 1;
};

/// Why a command ends without its result: text for people, and the code the program ends with.
struct Failure {
  Exit exit = Exit::failed;
  std::string text;
  std::optional<Span> span = std::nullopt;
};

template <class T>
using Outcome = std::expected<T, Failure>;

/// Where the server is and how to prove who we are.
struct Endpoint {
  std::string server;      ///< e.g. https://localhost:8443
  std::string token_file;  ///< Holds the API token; must not be readable by others.
  std::string ca_file;     ///< PEM of the installation's CA.
};

/// Flag > PICKET_* > ~/.config/picket/cli.toml > default (a server of this machine with data in /var/lib/picket).
Outcome<Endpoint> find_endpoint(const std::map<std::string, std::string>& flags);

/// One API call after the other. Not thread-safe.
class Client {
 public:
  explicit Client(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  /// `path` begins behind /api/v1, already percent-encoded. Returns the body of a 2xx answer.
  Outcome<std::string> get(std::string_view path) const { return call("GET", path, ""); }
  Outcome<std::string> post(std::string_view path, std::string_view json) const { return call("POST", path, json); }
  Outcome<std::string> put(std::string_view path, std::string_view json) const { return call("PUT", path, json); }
  Outcome<std::string> patch(std::string_view path, std::string_view json) const { return call("PATCH", path, json); }
  Outcome<std::string> remove(std::string_view path) const { return call("DELETE", path, ""); }

 private:
  [[nodiscard]] Outcome<std::string> call(std::string_view method, std::string_view path, std::string_view body) const;
  Endpoint endpoint_;
};

}  // namespace picket::cli
