#include "http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::http {
namespace {

using Status = RequestParser::Status;

struct Outcome {
  Status status = Status::need_more;
  int error = 0;
  Request head;
  std::string body;
  std::string rest;
};

Outcome parse(std::string input, std::uint64_t body_max = kBodyBytesMax) {
  RequestParser parser(kHeaderBytesMax);
  Outcome out;
  out.rest = std::move(input);
  do {
    out.status = parser.feed(out.rest);
    if (out.status == Status::head) parser.limit_body(body_max);
  } while (out.status == Status::head);
  out.error = out.status == Status::broken ? status_of(parser.error()) : 0;
  out.body = parser.take_body();
  out.head = parser.head();
  return out;
}

TEST(RequestParser, ReadsALengthAndLeavesTheNextRequest) {
  const auto out = parse("POST /a%20b?x=1&y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n");
  EXPECT_EQ(out.status, Status::complete);
  EXPECT_EQ(out.head.method, "POST");
  EXPECT_EQ(out.head.path, "/a%20b");
  EXPECT_EQ(out.head.query, "x=1&y");
  EXPECT_EQ(out.body, "abc");
  EXPECT_EQ(out.rest, "GET / HTTP/1.1\r\n");
}

TEST(RequestParser, ReadsTheAbsoluteForm) {
  EXPECT_EQ(parse("GET https://h/a?x HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "/a");
  EXPECT_EQ(parse("GET https://h/a?x HTTP/1.1\r\nHost: h\r\n\r\n").head.query, "x");
  EXPECT_EQ(parse("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "/");
  EXPECT_EQ(parse("GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n").status, Status::broken);
}

TEST(RequestParser, ReadsChunks) {
  const auto out =
      parse("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n!");
  EXPECT_EQ(out.status, Status::complete);
  EXPECT_EQ(out.body, "abcde");
  EXPECT_EQ(out.rest, "!");
}

TEST(RequestParser, TellsTheHeadBeforeTheBody) {
  RequestParser parser(kHeaderBytesMax);
  std::string input = "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab";
  EXPECT_EQ(parser.feed(input), Status::head);
  EXPECT_EQ(input, "ab");
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.announced_bytes(), 2u);
  EXPECT_EQ(parser.feed(input), Status::complete);
}

// Request smuggling: two framings, or one that two readers understand differently.
TEST(RequestParser, RejectsAmbiguousFraming) {
  for (const auto* framing :
       {"Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4, 4\r\n", "Content-Length: +4\r\n", "Content-Length: -1\r\n", "Content-Length: 0x4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n", " Transfer-Encoding: chunked\r\n",
        "Content-Length: 99999999999999999999999\r\n"}) {
    const auto out = parse("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(framing) + "\r\nabcdGET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(out.status, Status::broken) << framing;
    EXPECT_EQ(out.error, 400) << framing;
  }
}

TEST(RequestParser, RejectsBadChunks) {
  for (const auto* chunk :
       {"g\r\n", "-1\r\nx", "0x3\r\nabc\r\n", "ffffffffffffffffff\r\n", "3\r\nabcd\r\n", "\r\n", " 3\r\nabc\r\n"}) {
    EXPECT_EQ(
        parse("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunk) + "0\r\n\r\n")
            .status,
        Status::broken)
        << chunk;
  }
}

TEST(RequestParser, RejectsHeadersThatAreNone) {
  for (const auto* line : {"Bad Name: 1", "NoColon", ": empty", "A: b\x01", "Host: again", "A: b\n folded"})
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(line) + "\r\n\r\n").status, Status::broken) << line;
  EXPECT_EQ(parse("GET / HTTP/1.1\r\n\r\n").error, 400) << "no Host";
  EXPECT_EQ(parse("GET / HTTP/3.0\r\nHost: h\r\n\r\n").error, 505);
  EXPECT_EQ(parse("GET h:443 HTTP/1.1\r\nHost: h\r\n\r\n").error, 400);
}

TEST(RequestParser, ABrokenHeadInPartsIsRefusedAtItsEndAtTheLatest) {
  const std::string head = "GET / HTTP/1.x\n\r\n\r\n";
  ASSERT_EQ(parse(head).status, Status::broken);
  for (std::size_t cut = 0; cut <= head.size(); ++cut) {
    RequestParser parser(kHeaderBytesMax);
    std::string input = head.substr(0, cut);
    if (parser.feed(input) == Status::broken) continue;
    input += head.substr(cut);
    EXPECT_EQ(parser.feed(input), Status::broken) << cut;
  }
}

TEST(RequestParser, HoldsItsSizes) {
  const auto head = [](std::size_t fill) {
    return "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(fill, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(parse(head(15'000)).status, Status::complete);
  EXPECT_EQ(parse(head(17'000)).error, 431);
  EXPECT_EQ(parse("GET /" + std::string(8'191, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n").status, Status::complete);
  EXPECT_EQ(parse("GET /" + std::string(8'192, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n").error, 414);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(parse(chunked + "4\r\nabcd\r\n0\r\n\r\n", 4).status, Status::complete);
  EXPECT_EQ(parse(chunked + "5\r\nabcde\r\n0\r\n\r\n", 4).error, 413);
  EXPECT_EQ(parse(chunked + "1;" + std::string(40'000, 'e')).error, 431) << "an extension that never ends";
}

TEST(RequestParser, AnAnnouncedLengthTakesNoMemory) {
  RequestParser parser(kHeaderBytesMax);
  std::string input = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\nab";
  EXPECT_EQ(parser.feed(input), Status::head);
  parser.limit_body(~std::uint64_t{0});
  EXPECT_EQ(parser.feed(input), Status::need_more);
  EXPECT_LE(parser.take_body().capacity(), 64u);
}

}  // namespace
}  // namespace picket::http
