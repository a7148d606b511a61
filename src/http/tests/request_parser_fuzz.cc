// Claims: how the input is cut does not matter to what is taken, nor to what is refused once a head has its end; a
// request that is taken has one plain framing and a path.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "http/request_parser.h"

namespace {

using picket::http::Request;
using picket::http::RequestParser;
using Status = RequestParser::Status;

struct Outcome {
  Status status = Status::need_more;
  Request head;
  std::string body;
  std::string rest;
  friend bool operator==(const Outcome& a, const Outcome& b) {
    if (a.status == Status::broken || b.status == Status::broken) return a.status == b.status;
    const bool same_rest = a.rest == b.rest || a.status == Status::need_more;  // how far it looked ahead
    return a.status == b.status && a.head.method == b.head.method && a.head.path == b.head.path &&
           a.head.query == b.head.query && a.head.headers == b.head.headers && a.body == b.body && same_rest;
  }
};

Outcome parse(std::string_view first, std::string_view second) {
  RequestParser parser(4096);
  parser.limit_body(1 << 16);
  Outcome out;
  out.rest = first;
  for (bool fed_second = false;;) {
    const auto status = parser.feed(out.rest);
    if (status == Status::head) continue;
    out.body += parser.take_body();
    if (status == Status::need_more && !fed_second) {
      out.rest += second;
      fed_second = true;
      continue;
    }
    if (status == Status::complete && !fed_second) out.rest += second;
    out.status = status;
    out.head = parser.head();
    return out;
  }
}

/// Of a head that comes in parts, Beast reads the lines only once the end is there: until then it asks for more where
/// it would refuse the same bytes in one piece. The bounds on size and time hold for both.
bool asks_for_the_end(const Outcome& a, const Outcome& b) {
  return (a.status == Status::broken && b.status == Status::need_more) ||
         (a.status == Status::need_more && b.status == Status::broken);
}

void require_the_same(std::string_view all, std::size_t cut) {
  const auto whole = parse(all, "");
  const auto parts = parse(all.substr(0, cut), all.substr(cut));
  if (whole == parts) return;
  if (!asks_for_the_end(whole, parts)) std::abort();
  const std::string ended = std::string(all) + "\r\n\r\n";
  const auto whole_ended = parse(ended, "");
  if (!(whole_ended == parse(ended.substr(0, cut), ended.substr(cut)))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = data[0] * all.size() / 255;
  require_the_same(all, cut);
  const auto whole = parse(all, "");
  if (whole.status != Status::complete) return 0;
  const auto& head = whole.head;
  if (!head.path.starts_with('/') || head.path.contains('?') || head.count("content-length") > 1 ||
      head.count("transfer-encoding") > 1 ||
      (head.count("transfer-encoding") > 0 && head.count("content-length") > 0)) {
    std::abort();
  }
  return 0;
}
