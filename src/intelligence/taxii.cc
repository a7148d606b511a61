#include "taxii.h"

#include <algorithm>
#include <optional>

#include "base/core/encoding.h"
#include "base/core/json_reader.h"
#include "feed_row.h"
#include "intelligence/feed_reader.h"

namespace picket::intelligence {
namespace {

template <class T = void>
using Done = std::expected<T, FetchFault>;

constexpr std::size_t kRootsMax = 64;
constexpr std::size_t kCollectionsMax = 1'000;
constexpr int kPageLimit = 1'000;

std::unexpected<FetchFault> broken(std::string text) {
  return std::unexpected(FetchFault{Errc::malformed, "TAXII: " + std::move(text)});
}

std::string with_slash(std::string url) {
  if (!url.ends_with('/')) url += '/';
  return url;
}

/// "https://host:port" of a URL.
std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  return std::string(url.substr(0, scheme == std::string_view::npos ? 0 : url.find('/', scheme + 3)));
}

struct Collection {
  std::string url;  ///< With a slash at its end.
  std::string id;
};

class Client {
 public:
  Client(const TaxiiRead& read, Fetcher& fetcher, const TaxiiPage& page)
      : read_(read), fetcher_(fetcher), page_(page) {}

  Done<> run() {
    TRY(const auto collections, find());
    if (collections.empty()) return broken("no collection that may be read");
    for (const Collection& one : collections) TRY_VOID(read_all(one));
    return {};
  }

 private:
  Done<Fetched> get(const std::string& url) {
    FetchRequest request = read_.base;
    request.url = url;
    request.headers.emplace_back("Accept", std::string(kTaxiiMedia));
    return fetcher_.get(request);
  }
  Done<Fetched> get_json(const std::string& url) {
    TRY(auto answer, get(url));
    const auto json = parse_json(answer.body, kFeedDepthMax);
    if (!json || json->kind() != Json::Kind::object) return broken("an answer that is no JSON object");
    return answer;
  }

  Done<std::vector<Collection>> find() {
    const std::string url = with_slash(read_.base.url);
    if (const auto at = url.find("/collections/"); at != std::string::npos && at + 13 < url.size()) {
      const std::string rest = url.substr(at + 13);
      return std::vector{
          Collection{url.substr(0, at + 13) + rest.substr(0, rest.find('/') + 1), rest.substr(0, rest.find('/'))}};
    }
    TRY(const auto answer, get_json(url));
    std::vector<std::string> roots;
    if (const auto list = parse_json(answer.body, kFeedDepthMax)->find("api_roots")) {
      list->for_items([&](const Json& item) {
        const std::string root = item.text().value_or(std::string());
        if (root.empty() || roots.size() >= kRootsMax) return;
        roots.push_back(with_slash(root.starts_with('/') ? origin_of(url) + root : root));
      });
    } else {
      roots.push_back(url);
    }
    std::vector<Collection> out;
    for (const std::string& root : roots) {
      // Credentials go to no other host than the operator named.
      if (origin_of(root) != origin_of(url)) continue;
      TRY_VOID(collections_of(root, out));
    }
    return out;
  }

  Done<> collections_of(const std::string& root, std::vector<Collection>& out) {
    const auto answer = get_json(root + "collections/");
    if (!answer) {
      // Of several roots one may be closed to us.
      if (answer.error().code == Errc::denied || answer.error().code == Errc::not_found) return {};
      return std::unexpected(answer.error());
    }
    const auto list = parse_json(answer->body, kFeedDepthMax)->find("collections");
    if (!list) return {};
    list->for_items([&](const Json& item) {
      const auto text = [&](std::string_view name) {
        const auto value = item.find(name);
        return value ? value->text().value_or(std::string()) : std::string();
      };
      const auto readable = item.find("can_read");
      const std::string id = text("id");
      const bool wanted = read_.collection.empty() || read_.collection == id || read_.collection == text("alias") ||
                          read_.collection == text("title");
      if (!wanted || id.empty() || !readable || !readable->boolean().value_or(false)) return;
      if (out.size() < kCollectionsMax) out.push_back({root + "collections/" + percent_encode(id) + "/", id});
    });
    return {};
  }

  Done<> read_all(const Collection& one) {
    const auto known = read_.cursors.find(one.id);
    std::string after = known == read_.cursors.end() ? std::string() : known->second;
    std::string newest = after;
    std::string next;
    for (std::size_t pages = 0; pages < kPagesMax; ++pages) {
      std::string url = one.url + "objects/?match%5Btype%5D=indicator&limit=" + std::to_string(kPageLimit);
      if (!after.empty()) url += "&added_after=" + percent_encode(after);
      if (!next.empty()) url += "&next=" + percent_encode(next);
      TRY(const auto answer, get_json(url));
      TRY_VOID(page_(answer.body));
      const std::string last(answer.header("x-taxii-date-added-last"));
      if (!last.empty()) newest = last;
      const auto envelope = parse_json(answer.body, kFeedDepthMax);
      const auto more = envelope->find("more");
      if (!more || !more->boolean().value_or(false)) {
        if (!newest.empty()) read_.cursors[one.id] = newest;
        return {};
      }
      const auto token = envelope->find("next");
      const std::string following = token ? token->text().value_or(std::string(token->raw())) : std::string();
      bool any = false;
      if (const auto objects = envelope->find("objects")) objects->for_items([&](const Json&) { any = true; });
      // Some servers keep one token for all pages: as long as objects come, it goes on.
      if (!following.empty() && (following != next || any)) {
        next = following;
      } else if (following.empty() && !last.empty() && last != after) {
        after = last;  // a server without tokens: on from the newest
      } else {
        return broken("the server promises more and does not say where");
      }
    }
    return broken("more than " + std::to_string(kPagesMax) + " pages");
  }

  const TaxiiRead& read_;
  Fetcher& fetcher_;
  const TaxiiPage& page_;
};

}  // namespace

std::expected<void, FetchFault> read_taxii(const TaxiiRead& read, Fetcher& fetcher, const TaxiiPage& page) {
  return Client(read, fetcher, page).run();
}

}  // namespace picket::intelligence
