// Joins questions and answers into look-ups.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "agent/record.h"
#include "dns/dns_message.h"

namespace picket::agent {

/// One name that was looked up.
struct LookUp {
  Moment time;  ///< Of the question.
  std::uint8_t protocol = 17;
  Endpoint client, server;
  std::string name;
  std::uint16_t type = 0;
  std::optional<std::uint8_t> code;  ///< nullopt: no answer, see timed_out.
  bool timed_out = false;            ///< No answer within the limit. Neither this nor code: it had to make room.
  std::vector<std::string> answers;
  std::vector<IpAddress> addresses;  ///< Of these answers.
  std::uint32_t pid = 0;             ///< 0: unknown.
  std::string executable;
  std::uint64_t bytes_out = 0, bytes_in = 0;  ///< DNS messages, repeats included.
};

/// Pure: time comes with the messages. A message that is seen again (sent again, or passing another interface) is the
/// same look-up. A question that a local resolver passes on while somebody waits for the same answer from it (asked at
/// a loopback address) is no look-up of its own. An answer that is cut off (TC) waits for its repetition over TCP.
class LookUpTable {
 public:
  static constexpr std::size_t kEntriesMax = 512;
  /// How long a look-up that has its answer is remembered, so that copies of the answer are known as such.
  static constexpr Duration kCopies = Duration::seconds(2);

  using Report = std::function<void(const LookUp&)>;

  LookUpTable(Duration timeout, Report report) : timeout_(timeout), report_(std::move(report)) {}

  /// The new look-up, so that the caller can find out whose it is; nullptr: not a new one. Valid until the next call.
  LookUp* ask(const DnsMessage& question, std::uint8_t protocol, const Endpoint& client, const Endpoint& server,
              std::size_t bytes, Moment now);
  /// False: nobody asked.
  bool answer(DnsMessage& answer, std::uint8_t protocol, const Endpoint& client, const Endpoint& server,
              std::size_t bytes, Moment now);
  /// Reports what got no answer in time. Returns when the next may be due, as a delay; an hour when nothing waits.
  Duration on_time(Moment now);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    LookUp look_up;
    std::uint16_t id = 0;
    Duration due;
    bool silent = false;  ///< Reported, or never to be.
    bool waits = true;    ///< For an answer.
  };
  using Entries = std::list<Entry>;

  Entries::iterator find(std::uint16_t id, std::string_view name, std::uint16_t type, std::uint8_t protocol,
                         const Endpoint& client, const Endpoint& server);
  [[nodiscard]] bool somebody_waits_for(std::string_view name, std::uint16_t type) const;
  void forget_cut_off(const LookUp& again);
  void end(Entry& entry);

  Duration timeout_;
  Report report_;
  Entries entries_;  // oldest first
};

}  // namespace picket::agent
