// DNS messages (RFC 1035, section 4), as far as it takes to tell what was asked and what came back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/record.h"
#include "base/core/cursor.h"
#include "base/core/result.h"

namespace picket::agent {

struct DnsMessage {
  static constexpr std::size_t kAnswersMax = 16;
  static constexpr std::size_t kTextBytesMax = 255;  ///< Of a TXT answer.

  std::uint16_t id = 0;
  bool is_response = false;
  bool truncated = false;  ///< The flag TC: the whole of it comes over TCP.
  std::uint8_t code = 0;   ///< Of a response.
  std::string name;        ///< Lower case, without the last dot; "." is the root.
  std::uint16_t type = 0;
  std::vector<std::string> answers;  ///< Of A, AAAA, CNAME, NS, PTR and TXT records, as text.
  std::vector<IpAddress> addresses;  ///< Of A and AAAA records.
  bool incomplete = false;           ///< Answers are missing: the message was cut off, or has more than kAnswersMax.
};

/// Reads a standard query with one question, or a response to one; what is cut off in the answers is left out. Errors:
/// truncated (no whole question), unsupported (another kind of message, not one question), malformed.
Result<DnsMessage> parse_dns(Bytes message);

/// Longest text of a name: each of 255 bytes may need four characters ("\200").
inline constexpr std::size_t kDnsNameTextMax = 4 * 255;
/// Reads a name of the message `whole`, in which `in` stands; pointers may only lead back (section 4.1.4), so that each
/// jump goes further to the front and the name ends. Letters become lower case; what is not printable, and dots and
/// backslashes in labels, are escaped as in master files (section 5.1). Errors: truncated, malformed (pointer forward,
/// unknown kind of label, longer than 255 bytes).
Result<std::string> read_dns_name(Bytes whole, Cursor& in);

/// Appends one label of a name, as read_dns_name() writes it.
void append_dns_label(std::string& out, std::string_view label);

std::string dns_type_text(std::uint16_t type);  ///< "A", "AAAA", "TYPE1234".
std::string dns_code_text(std::uint8_t code);   ///< "NOERROR", "NXDOMAIN", "RCODE15".

}  // namespace picket::agent
