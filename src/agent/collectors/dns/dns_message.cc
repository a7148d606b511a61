#include "dns/dns_message.h"

#include <algorithm>
#include <array>

#include <sys/socket.h>

#include "support/address_text.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::uint16_t kResponse = 0x8000, kOpcode = 0x7800, kTruncated = 0x0200, kCode = 0x000f;
constexpr std::size_t kNameBytesMax = 255;
enum Type : std::uint16_t { kA = 1, kNs = 2, kCname = 5, kPtr = 12, kTxt = 16, kAaaa = 28 };

void add_address(int family, Bytes data, DnsMessage& out) {
  std::array<std::uint8_t, 16> raw{};
  std::ranges::transform(data, raw.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  out.addresses.push_back(address_of(static_cast<unsigned>(family), raw.data()));
  out.answers.push_back(address_text(out.addresses.back()));
}

std::string txt_text(Cursor data) {
  std::string out;
  while (!data.empty() && out.size() < DnsMessage::kTextBytesMax) {
    const auto length = data.u8();
    const auto part = length ? data.take_text(*length) : Result<std::string_view>(fail(Errc::truncated, "dns.txt"));
    if (!part) break;
    out.append(part->substr(0, DnsMessage::kTextBytesMax - out.size()));
  }
  return out;
}

/// One resource record; its text if it is of a type that has one here.
Result<> read_answer(Bytes whole, Cursor& in, DnsMessage& out) {
  TRY_VOID(read_dns_name(whole, in));
  TRY(const auto type, in.be<std::uint16_t>());
  TRY_VOID(in.take(6));  // class, time to live
  TRY(const auto length, in.be<std::uint16_t>());
  TRY(Cursor data, in.sub(length));
  if (type == kA && length == 4) {
    add_address(AF_INET, data.take_rest(), out);
  } else if (type == kAaaa && length == 16) {
    add_address(AF_INET6, data.take_rest(), out);
  } else if (type == kCname || type == kNs || type == kPtr) {
    TRY(auto name, read_dns_name(whole, data));
    out.answers.push_back(std::move(name));
  } else if (type == kTxt) {
    out.answers.push_back(txt_text(data));
  }
  return {};
}

struct TypeName {
  std::uint16_t type;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {
    {1, "A"},      {2, "NS"},     {5, "CNAME"},  {6, "SOA"},   {10, "NULL"},   {12, "PTR"},  {13, "HINFO"},
    {15, "MX"},    {16, "TXT"},   {28, "AAAA"},  {33, "SRV"},  {35, "NAPTR"},  {37, "CERT"}, {39, "DNAME"},
    {43, "DS"},    {44, "SSHFP"}, {46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {52, "TLSA"}, {64, "SVCB"},
    {65, "HTTPS"}, {251, "IXFR"}, {252, "AXFR"}, {255, "ANY"}, {257, "CAA"}};
constexpr std::string_view kCodeNames[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                           "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};

}  // namespace

void append_dns_label(std::string& out, std::string_view label) {
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= 'A' && c <= 'Z') {
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (c == '.' || c == '\\') {
      out.append(1, '\\').push_back(c);
    } else if (byte > 0x20 && byte < 0x7f) {
      out.push_back(c);
    } else {
      const char digits[] = {'\\', static_cast<char>('0' + byte / 100), static_cast<char>('0' + byte / 10 % 10),
                             static_cast<char>('0' + byte % 10)};
      out.append(digits, sizeof(digits));
    }
  }
}

Result<std::string> read_dns_name(Bytes whole, Cursor& in) {
  std::string out;
  std::size_t bytes = 0;
  std::optional<Cursor> after;  // where the name ends in the message, once a pointer was followed
  Cursor at = in;
  for (;;) {
    const std::uint64_t here = at.offset();
    TRY(const auto length, at.u8());
    if (length == 0) break;
    if ((length & 0xc0) == 0xc0) {
      TRY(const auto low, at.u8());
      const std::size_t target = (length & 0x3fU) << 8 | low;
      // Before this very pointer, and before the labels that led to it: that is what makes it end.
      if (!after) after = at;
      if (target >= here || target >= whole.size() || bytes > kNameBytesMax) {
        return fail(Errc::malformed, "dns.name.pointer", here);
      }
      at = Cursor{whole};
      TRY_VOID(at.take(target));
      bytes += 2;  // so that a chain of pointers is bounded as labels are
      continue;
    }
    if ((length & 0xc0) != 0) return fail(Errc::malformed, "dns.name.label", here);
    TRY(const auto label, at.take_text(length));
    bytes += length + 1U;
    if (bytes > kNameBytesMax) return fail(Errc::malformed, "dns.name.length", here);
    if (!out.empty()) out.push_back('.');
    append_dns_label(out, label);
  }
  in = after.value_or(at);
  return out.empty() ? std::string(".") : out;
}

Result<DnsMessage> parse_dns(Bytes message) {
  Cursor in{message};
  DnsMessage out;
  TRY(out.id, in.be<std::uint16_t>());
  TRY(const auto flags, in.be<std::uint16_t>());
  TRY(const auto questions, in.be<std::uint16_t>());
  TRY(const auto answers, in.be<std::uint16_t>());
  TRY_VOID(in.take(4));  // counts of the other sections
  if ((flags & kOpcode) != 0 || questions != 1) return fail(Errc::unsupported, "dns.header", in.offset());
  out.is_response = (flags & kResponse) != 0;
  out.truncated = (flags & kTruncated) != 0;
  if (out.is_response) out.code = flags & kCode;
  TRY(out.name, read_dns_name(message, in));
  TRY(out.type, in.be<std::uint16_t>());
  TRY_VOID(in.be<std::uint16_t>());  // class
  if (!out.is_response) return out;
  for (std::uint16_t i = 0; i < answers; ++i) {
    if (out.answers.size() == DnsMessage::kAnswersMax || !read_answer(message, in, out)) {
      out.incomplete = true;
      break;
    }
  }
  return out;
}

std::string dns_type_text(std::uint16_t type) {
  const auto found = std::ranges::find(kTypeNames, type, &TypeName::type);
  return found == std::end(kTypeNames) ? "TYPE" + std::to_string(type) : std::string(found->name);
}

std::string dns_code_text(std::uint8_t code) {
  return code < std::size(kCodeNames) ? std::string(kCodeNames[code]) : "RCODE" + std::to_string(code);
}

}  // namespace picket::agent
