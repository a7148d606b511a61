#include "blob_request.h"

#include <gtest/gtest.h>

#include "base/core/encoding.h"

namespace picket::hub {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};
const Buffer kKey(32, std::byte{7});

std::string target(std::string_view name = "dev1/a.txt", std::string_view hub = "hub1",
                   Duration lifetime = Duration::hours(1)) {
  return "/uploads-" + std::string(hub) + "/" + std::string(name) +
         make_blob_signature(kKey, hub, name, kNow + lifetime);
}
int code(std::string_view method, const std::string& text, Timestamp now = kNow) {
  const auto request = parse_blob_request(method, text);
  if (!request) return request.error().code;
  const auto verified = verify_blob_signature(kKey, *request, now);
  return verified ? 0 : verified.error().code;
}
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(BlobRequest, ATicketAllowsEachActionOnItsBlob) {
  EXPECT_EQ(parse_blob_request("PUT", target())->action, BlobAction::put);
  EXPECT_EQ(parse_blob_request("PUT", target() + "&comp=blocklist")->action, BlobAction::put_list);
  EXPECT_EQ(parse_blob_request("GET", target())->action, BlobAction::read);
  EXPECT_EQ(parse_blob_request("HEAD", target())->action, BlobAction::properties);
  const auto block = parse_blob_request("PUT", target() + "&comp=block&blockid=AAE%3D");
  EXPECT_EQ(block->action, BlobAction::put_block);
  EXPECT_EQ(block->block_id, std::string("\0\1", 2));
  for (const auto* method : {"PUT", "GET", "HEAD"}) EXPECT_EQ(code(method, target()), 0) << method;
}

TEST(BlobRequest, ClientsMayEncodeAndReorder) {
  EXPECT_EQ(code("PUT", replaced(target(), "dev1/a.txt", "dev1%2Fa%2Etxt")), 0);
  const auto text = target();
  const auto query = text.substr(text.find('?') + 1);
  const auto first = query.substr(0, query.find('&'));
  EXPECT_EQ(code("PUT", text.substr(0, text.find('?')) + "?timeout=30&" + query.substr(first.size() + 1) + "&" + first),
            0);
  EXPECT_EQ(code("PUT", replaced(text, "%3A", ":")), 0);
}

TEST(BlobRequest, ASignatureIsForOneBlobOfOneHub) {
  for (const auto* other : {"dev2/a.txt", "dev1/b.txt", "dev1/a.txt/x", "dev1/A.txt", "dev1/a.txt%20", "dev1"}) {
    EXPECT_EQ(code("PUT", replaced(target(), "dev1/a.txt", other)), kUnauthorized) << other;
  }
  EXPECT_EQ(code("PUT", replaced(target(), "uploads-hub1", "uploads-hub2")), kUnauthorized);
  EXPECT_EQ(code("PUT", replaced(target(), "uploads-hub1/dev1", "uploads-hub1%0A/dev1")), kUnauthorized);
}

TEST(BlobRequest, NoPartOfTheSignatureCanBeChanged) {
  EXPECT_EQ(code("PUT", replaced(target(), "sp=rw", "sp=rwd")), kUnauthorized);
  EXPECT_EQ(code("PUT", replaced(target(), "sv=2021", "sv=2022")), kUnauthorized);
  EXPECT_EQ(code("PUT", replaced(target(), "se=20", "se=21")), kUnauthorized);
  EXPECT_EQ(code("PUT", replaced(target(), "sr=b", "sr=c")), kUnauthorized);
  const auto text = target();
  const auto cut = text.substr(0, text.size() - 1);
  EXPECT_EQ(code("PUT", cut + (text.back() == '0' ? '1' : '0')), kUnauthorized);
  EXPECT_EQ(code("PUT", cut), kUnauthorized);
  EXPECT_EQ(code("PUT", text.substr(0, text.find("&sig="))), kUnauthorized);
  EXPECT_EQ(code("PUT", "/uploads-hub1/dev1/a.txt"), kUnauthorized);
}

TEST(BlobRequest, NoKeyVerifiesNothing) {
  const auto request = parse_blob_request(
      "PUT", "/uploads-hub1/dev1/a" + make_blob_signature({}, "hub1", "dev1/a", kNow + Duration::hours(1)));
  EXPECT_EQ(verify_blob_signature({}, *request, kNow).error().code, kUnauthorized);
}

TEST(BlobRequest, ASignatureEnds) {
  EXPECT_EQ(code("PUT", target(), kNow + Duration::hours(1) - Duration::seconds(1)), 0);
  EXPECT_EQ(code("PUT", target(), kNow + Duration::hours(1)), kUnauthorized);
}

TEST(BlobRequest, NamesThatLeaveTheirPlaceAreNone) {
  for (const auto* path :
       {"/uploads-h/../x", "/uploads-h/d/../x", "/uploads-h/d/%2E%2E/x", "/uploads-h/d//x", "/uploads-h/", "/uploads-h",
        "uploads-h/d/x", "/other/d/x", "/uploads-h/d/x%00", "/uploads-h/d%5Cx", "/uploads-h/d/%FF", "/uploads-h/d/%",
        "/uploads-h/d/x/", "/uploads-h/./x"}) {
    EXPECT_EQ(code("PUT", std::string(path)), kArgumentInvalid) << path;
  }
}

TEST(BlobRequest, OnlyTheOfferedOperations) {
  for (const auto* method : {"DELETE", "POST", "put", ""})
    EXPECT_EQ(code(method, target()), kArgumentInvalid) << method;
  for (const auto* comp : {"list", "lease", "metadata", "properties", "Block"}) {
    EXPECT_EQ(code("PUT", target() + "&comp=" + comp), kArgumentInvalid) << comp;
  }
  EXPECT_EQ(code("GET", target() + "&comp=blocklist"), kArgumentInvalid);
  for (const auto* id : {"", "a", "%21%21%21%21", "AAE"}) {
    EXPECT_EQ(code("PUT", target() + "&comp=block&blockid=" + id), kArgumentInvalid) << id;
  }
  EXPECT_EQ(code("PUT", target() + "&comp=block&blockid=" + percent_encode(to_base64(Buffer(65)))), kArgumentInvalid);
  EXPECT_EQ(code("PUT", target() + "&comp=block&blockid=" + percent_encode(to_base64(Buffer(64)))), 0);
  EXPECT_EQ(code("PUT", target() + "&sig=00"), kArgumentInvalid) << "twice";
  EXPECT_EQ(code("PUT", target() + "&x=" + std::string(kBlobTargetBytesMax, 'x')), kArgumentInvalid);
}

TEST(BlobRequest, HostileNamesSignOnlyThemselves) {
  const char* const names[] = {"d/a\nb", "d/%2F", "d/a b", "d/a?b", "d/a#b", "d/é", "d/'", "d/+", "$/x", "*/x"};
  for (const auto* name : names) {
    for (const auto* other : names) {
      const auto text =
          "/uploads-h/" + percent_encode(other) + make_blob_signature(kKey, "h", name, kNow + Duration::hours(1));
      const bool valid = check_blob_name(name).has_value() && name == other;
      EXPECT_EQ(code("PUT", text) == 0, valid) << name << " for " << other;
    }
  }
}

}  // namespace
}  // namespace picket::hub
