// Getting what a source publishes: over HTTP, or from a file of this machine.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::intelligence {

struct FetchRequest {
  std::string url;  ///< "https://…", "http://…", "file:///…" or an absolute path.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user;           ///< Basic authentication, when not empty.
  std::string password;       ///< Never logged.
  std::string ca_file;        ///< PEM that the server's certificate must lead to; empty: the system's.
  std::string etag;           ///< Of what is there already: If-None-Match.
  std::string last_modified;  ///< Likewise: If-Modified-Since.
  std::size_t bytes_max = 256U << 20;
  Duration timeout = Duration::minutes(5);
};

struct Fetched {
  int status = 200;  ///< Of HTTP; 200 of files.
  std::string body;
  std::string etag;
  std::string last_modified;
  std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.

  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool not_modified() const { return status == 304; }
};

/// Why nothing came, for people: "the server answered 403". No secret stands in it.
struct FetchFault {
  Errc code = Errc::unavailable;
  std::string text;
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  /// 2xx or 304; everything else is a fault.
  virtual std::expected<Fetched, FetchFault> get(const FetchRequest& request) = 0;
};

/// With libcurl; certificates are always checked, at most 5 redirections, none from https to http. One thread.
std::unique_ptr<Fetcher> make_fetcher();

}  // namespace picket::intelligence
