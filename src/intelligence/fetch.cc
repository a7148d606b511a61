#include "intelligence/fetch.h"

#include <algorithm>

#include <curl/curl.h>
#include <sys/stat.h>

#include "base/core/file.h"
#include "intelligence/observable.h"

namespace picket::intelligence {
namespace {

constexpr long kConnectTimeoutSeconds = 20;
constexpr long kRedirectsMax = 5;
constexpr std::size_t kHeaderBytesMax = 64U << 10;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Answer {
  Fetched fetched;
  std::size_t bytes_max = 0;
  std::size_t header_bytes = 0;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& answer = *static_cast<Answer*>(context);
  const std::size_t bytes = size * count;
  if (bytes > answer.bytes_max - std::min(answer.bytes_max, answer.fetched.body.size())) {
    answer.too_large = true;
    return 0;
  }
  answer.fetched.body.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& answer = *static_cast<Answer*>(context);
  const std::string_view line(data, size * count);
  answer.header_bytes += line.size();
  if (answer.header_bytes > kHeaderBytesMax) return 0;
  if (line.starts_with("HTTP/")) answer.fetched.headers.clear();  // of an answer behind a redirection
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    answer.fetched.headers.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

std::unexpected<FetchFault> fault(Errc code, std::string text) {
  return std::unexpected(FetchFault{code, std::move(text)});
}

bool is_http(std::string_view url) { return url.starts_with("http://") || url.starts_with("https://"); }

class CurlFetcher final : public Fetcher {
 public:
  std::expected<Fetched, FetchFault> get(const FetchRequest& request) override {
    if (is_http(request.url)) return over_http(request);
    if (request.url.starts_with("file://")) return from_file(request.url.substr(7), request);
    if (request.url.starts_with('/')) return from_file(request.url, request);
    return fault(Errc::malformed, "the source is neither http(s), file nor an absolute path");
  }

 private:
  static std::expected<Fetched, FetchFault> from_file(const std::string& path, const FetchRequest& request) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return fault(Errc::not_found, path + " is not there or not readable");
    Fetched out;
    out.last_modified = std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + "/" +
                        std::to_string(facts.st_size);
    if (out.last_modified == request.last_modified) {
      out.status = 304;
      return out;
    }
    auto text = read_file(path, request.bytes_max);
    if (!text) return fault(text.error().code, path + ": " + describe(text.error()));
    out.body = *std::move(text);
    return out;
  }

  std::expected<Fetched, FetchFault> over_http(const FetchRequest& request) {
    handle_.reset(curl_easy_init());
    if (!handle_) return fault(Errc::internal, "no memory for a connection");
    CURL* handle = handle_.get();
    curl_slist* raw = nullptr;
    const auto add = [&](const std::string& name, const std::string& value) {
      raw = curl_slist_append(raw, (name + ": " + value).c_str());
    };
    for (const auto& [name, value] : request.headers) add(name, value);
    if (!request.etag.empty()) add("If-None-Match", request.etag);
    if (!request.last_modified.empty()) add("If-Modified-Since", request.last_modified);
    const std::unique_ptr<curl_slist, ListDeleter> headers(raw);
    Answer answer{.bytes_max = request.bytes_max};
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "picket");
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(request.timeout.whole_seconds()));
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kRedirectsMax);
    const bool tls = request.url.starts_with("https://");
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http,https");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
    if (!request.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
    if (!request.user.empty()) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(handle, CURLOPT_USERNAME, request.user.c_str());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, request.password.c_str());
    }
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &answer);
    const CURLcode code = curl_easy_perform(handle);
    if (answer.too_large) {
      return fault(Errc::limit_exceeded, "the answer is larger than " + std::to_string(request.bytes_max) + " bytes");
    }
    if (code != CURLE_OK) return fault(Errc::unavailable, curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    answer.fetched.status = static_cast<int>(status);
    if (status != 304 && (status < 200 || status > 299)) {
      const Errc kind = status == 401 || status == 403 ? Errc::denied
                        : status == 404                ? Errc::not_found
                                                       : Errc::unavailable;
      return fault(kind, "the server answered " + std::to_string(status));
    }
    answer.fetched.etag = answer.fetched.header("etag");
    answer.fetched.last_modified = answer.fetched.header("last-modified");
    return std::move(answer.fetched);
  }

  std::unique_ptr<CURL, HandleDeleter> handle_;
};

}  // namespace

std::string_view Fetched::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::unique_ptr<Fetcher> make_fetcher() { return std::make_unique<CurlFetcher>(); }

}  // namespace picket::intelligence
