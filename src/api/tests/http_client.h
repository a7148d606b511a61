// A browser's or a script's side of HTTPS, by libcurl.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace picket::api::testing {

struct Reply {
  int status = 0;                                   ///< 0: no reply.
  std::multimap<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] boost::json::value json() const;
  [[nodiscard]] std::string error_code() const;
};

/// What a caller shows of itself.
struct Credentials {
  std::string cookie;  ///< Value of picket_session.
  std::string csrf;
  std::string bearer;
};

class HttpClient {
 public:
  HttpClient(std::string origin, std::string ca_file) : origin_(std::move(origin)), ca_file_(std::move(ca_file)) {}

  Reply call(std::string_view method, std::string_view path, const std::string& body = "", const Credentials& who = {},
             const std::vector<std::string>& more_headers = {}) const;
  Reply get(std::string_view path, const Credentials& who = {}) const { return call("GET", path, "", who); }
  /// Reads a stream until `enough` says so, or 10 s have passed.
  std::string read_stream(std::string_view path, const Credentials& who, const std::vector<std::string>& headers,
                          const std::function<bool(std::string_view)>& enough) const;

 private:
  std::string origin_;
  std::string ca_file_;
};

}  // namespace picket::api::testing
