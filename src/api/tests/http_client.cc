#include "http_client.h"

#include <algorithm>
#include <memory>

#include <boost/json/parse.hpp>
#include <curl/curl.h>

namespace picket::api::testing {
namespace {

struct Stream {
  std::string text;
  const std::function<bool(std::string_view)>* enough = nullptr;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& stream = *static_cast<Stream*>(target);
  stream.text.append(data, size * count);
  const bool stop = stream.enough != nullptr && (*stream.enough)(stream.text);
  return stop ? 0 : size * count;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* target) {
  const std::string_view line(data, size * count);
  const std::size_t colon = line.find(": ");
  if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    static_cast<Reply*>(target)->headers.emplace(name, line.substr(colon + 2, line.size() - colon - 4));
  }
  return size * count;
}

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

List header_list(const std::string& body, const Credentials& who, const std::vector<std::string>& more) {
  curl_slist* list = nullptr;
  if (!body.empty()) list = curl_slist_append(list, "Content-Type: application/json");
  if (!who.cookie.empty()) list = curl_slist_append(list, ("Cookie: other=1; picket_session=" + who.cookie).c_str());
  if (!who.csrf.empty()) list = curl_slist_append(list, ("X-Picket-CSRF: " + who.csrf).c_str());
  if (!who.bearer.empty()) list = curl_slist_append(list, ("Authorization: Bearer " + who.bearer).c_str());
  for (const std::string& header : more) list = curl_slist_append(list, header.c_str());
  return List(list);
}

}  // namespace

std::string Reply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string{} : found->second;
}

boost::json::value Reply::json() const {
  boost::system::error_code error;
  return boost::json::parse(body, error);
}

std::string Reply::error_code() const {
  const auto value = json();
  const auto* object = value.if_object();
  const auto* error = object != nullptr ? object->if_contains("error") : nullptr;
  return error != nullptr && error->is_object() ? std::string(error->at("code").as_string()) : std::string{};
}

Reply HttpClient::call(std::string_view method, std::string_view path, const std::string& body, const Credentials& who,
                       const std::vector<std::string>& more_headers) const {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  Reply reply;
  Stream stream;
  const std::string url = origin_ + std::string(path);
  const std::string verb(method);
  const List headers = header_list(body, who, more_headers);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, verb.c_str());
  if (verb == "HEAD") curl_easy_setopt(handle.get(), CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO, ca_file_.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &stream);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &reply);
  if (!body.empty()) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body.data());
  }
  if (curl_easy_perform(handle.get()) != CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  reply.body = std::move(stream.text);
  return reply;
}

std::string HttpClient::read_stream(std::string_view path, const Credentials& who, const std::vector<std::string>& more,
                                    const std::function<bool(std::string_view)>& enough) const {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  Stream stream{.text = {}, .enough = &enough};
  const std::string url = origin_ + std::string(path);
  const List headers = header_list("", who, more);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO, ca_file_.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &stream);
  curl_easy_perform(handle.get());
  return stream.text;
}

}  // namespace picket::api::testing
