#include "client.h"

#include <cstdlib>
#include <memory>

#include <boost/json.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/server/config.h"
#include "output.h"

namespace picket::cli {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::size_t kAnswerBytesMax = 256 * 1024 * 1024;
constexpr long kConnectTimeoutSeconds = 10;

const std::vector<Setting> kSettings = {
    {"server", "https://localhost:8443", "address of the server"},
    {"token_file", "/var/lib/picket/secrets/cli-token", "file with the API token"},
    {"ca_file", "/var/lib/picket/secrets/ca.crt", "certificate of the installation's CA"},
};

std::unexpected<Failure> failure(Exit exit, std::string text) {
  return std::unexpected(Failure{exit, std::move(text)});
}

std::string user_config() {
  const char* base = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::string path;
  if (base != nullptr && *base != '\0') {
    path = base;
  } else if (home != nullptr) {
    path = std::string(home) + "/.config";
  } else {
    return "";
  }
  path += "/picket/cli.toml";
  return ::access(path.c_str(), F_OK) == 0 ? path : "";
}

Outcome<std::string> read_token(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return failure(Exit::denied, fmt::format("{} can be read by others; run: chmod 600 {}", path, path));
  }
  auto text = read_file(path, kTokenBytesMax);
  if (!text) {
    return failure(
        Exit::denied,
        fmt::format("no API token: {} ({}). It is secrets/cli-token of the server's data directory; on another "
                    "machine, name a token with --token-file or PICKET_TOKEN_FILE.",
                    path, describe(text.error())));
  }
  while (text->ends_with('\n') || text->ends_with(' ')) text->pop_back();
  // A line break in the file must not become a header of its own.
  for (const char c : *text) {
    if (static_cast<unsigned char>(c) <= 0x20)
      return failure(Exit::denied, fmt::format("{} holds more than one token", path));
  }
  return *std::move(text);
}

std::size_t receive(char* data, std::size_t size, std::size_t count, void* context) {
  auto& body = *static_cast<std::string*>(context);
  if (body.size() + size * count > kAnswerBytesMax) return 0;
  body.append(data, size * count);
  return size * count;
}

Exit exit_of(long status) {
  if (status == 401 || status == 403) return Exit::denied;
  if (status == 502 || status == 503 || status == 504) return Exit::unreachable;
  return Exit::failed;
}

std::size_t number_in(const boost::json::object& fields, const char* name) {
  const auto* found = fields.if_contains(name);
  const auto* number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr || *number < 0 ? 0 : static_cast<std::size_t>(*number);
}

/// Where people look for the name of something that is not there, by the target of the error.
std::string_view list_of(std::string_view target) {
  constexpr std::pair<std::string_view, std::string_view> kLists[] = {
      {"device", "picket device list"},
      {"twin", "picket device list"},
      {"alert", "picket alert list"},
      {"incident", "picket incident list"},
      {"rule", "picket rule list"},
      {"type", "picket recommendation types"},
      {"hub", "picket hub list"},
      {"table", "picket workspace tables"},
      {"function", "picket function list"},
      {"saved query", "picket saved-query list"},
      {"analytics rule", "picket analytics list"},
      {"workbook", "picket workbook list"},
      {"suppression", "picket suppression list"},
      {"software of the device", "picket sbom list"},
      {"statements", "picket vuln vex list"},
      {"feed", "picket vuln feed list, picket intelligence feed list"},
      {"exemption", "picket posture exemptions"},
  };
  for (const auto& [name, command] : kLists) {
    if (name == target) return command;
  }
  return "";
}

// {"error":{code,message,target,span}} as a failure; anything else by its status.
Failure failure_of(long status, const std::string& body) {
  Failure out{exit_of(status), fmt::format("the server answered {}", status)};
  boost::system::error_code failed;
  const boost::json::value parsed = boost::json::parse(body, failed);
  const auto* root = failed ? nullptr : parsed.if_object();
  const auto* error = root == nullptr ? nullptr : root->if_contains("error");
  if (error == nullptr || !error->is_object()) return out;
  const std::string message = member(*error, "message");
  const std::string target = member(*error, "target");
  if (!message.empty()) out.text = message;
  if (!target.empty() && target != "query") out.text += fmt::format(" [{}]", target);
  const std::string code = member(*error, "code");
  if (const auto list = list_of(target); !list.empty() && (code == "not_found" || code == "hub_device_not_found"))
    out.text += fmt::format(" What there is: {}", list);
  if (const auto* span = error->get_object().if_contains("span"); span != nullptr && span->is_object()) {
    const auto& fields = span->get_object();
    out.span = Span{number_in(fields, "length"), number_in(fields, "line"), number_in(fields, "column")};
  }
  return out;
}

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

Outcome<Endpoint> find_endpoint(const std::map<std::string, std::string>& flags) {
  const auto config = Config::load(kSettings, user_config(), flags, [](const char* name) { return std::getenv(name); });
  if (!config) return failure(Exit::usage, config.error().text);
  Endpoint out{config->text("server"), config->text("token_file"), config->text("ca_file")};
  if (!out.server.starts_with("https://")) {
    return failure(Exit::usage, fmt::format("{}: server is '{}', but must begin with https://",
                                            config->source("server"), out.server));
  }
  while (out.server.ends_with('/')) out.server.pop_back();
  return out;
}

Outcome<std::string> Client::call(std::string_view method, std::string_view path, std::string_view body) const {
  const auto token = read_token(endpoint_.token_file);
  if (!token) return std::unexpected(token.error());
  if (::access(endpoint_.ca_file.c_str(), R_OK) != 0) {
    return failure(Exit::denied,
                   fmt::format("cannot read the CA certificate {}; name it with --ca-file", endpoint_.ca_file));
  }
  const std::unique_ptr<CURL, CurlDeleter> handle(curl_easy_init());
  if (!handle) return failure(Exit::failed, "no memory for a connection");
  curl_slist* raw_headers = curl_slist_append(nullptr, ("Authorization: Bearer " + *token).c_str());
  if (!body.empty()) raw_headers = curl_slist_append(raw_headers, "Content-Type: application/json");
  const std::unique_ptr<curl_slist, ListDeleter> headers(raw_headers);

  std::string answer;
  const std::string url = endpoint_.server + "/api/v1" + std::string(path);
  const std::string verb(method);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, verb.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO, endpoint_.ca_file.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS, CURLPROTO_HTTPS);
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer);
  if (!body.empty()) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body.data());
  }
  if (const CURLcode code = curl_easy_perform(handle.get()); code != CURLE_OK) {
    return failure(Exit::unreachable,
                   fmt::format("cannot reach {}: {}. Does the server run there (picket serve, systemctl start "
                               "picket, ./run)? --server names another.",
                               endpoint_.server, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return answer;
  Failure failed = failure_of(status, answer);
  if (status == 401) {
    failed.text = fmt::format(
        "{} does not take the token of {}: it has ended, was revoked or is of another server. --token-file names "
        "another.",
        endpoint_.server, endpoint_.token_file);
  }
  return std::unexpected(std::move(failed));
}

}  // namespace picket::cli
