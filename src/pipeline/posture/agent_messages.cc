// IoT_AgentSendsUnutilizedMessages: a hub that bills by 4 KB is paid for half-empty messages. Of no consequence here,
// so it is looked for in the parity profile only.
#include "base/core/json_writer.h"
#include "posture/posture.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 65'536;
constexpr std::size_t kSmallBytes = 4096;
constexpr std::uint64_t kSmallPercent = 10;
constexpr std::uint64_t kMessagesMin = 24;  ///< A day: fewer say nothing.
constexpr std::int64_t kDayUs = Duration::days(1).us;

struct Sender {
  std::string hub, device_id, module_id, generation_id;
  std::int64_t day = 0;
  std::uint64_t messages = 0;
  std::uint64_t small = 0;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.generation_id, self.day, self.messages, self.small,
                    self.last);
  }
};

class AgentMessages final : public Remembering<Sender> {
 public:
  AgentMessages() : Remembering("posture.agent_messages", kDevicesMax) {}

  void see_message(const SeenMessage& message, HubFindings& findings) override {
    if (message.profile != Profile::parity) return;
    Entry& sender = table_.touch(state_key(message.sender.hub, message.sender.device_id));
    const std::int64_t day = message.enqueued.us / kDayUs;
    if (sender.day != day) {
      if (sender.messages > 0) judge(sender, findings);
      sender.day = day;
      sender.messages = 0;
      sender.small = 0;
    }
    sender.hub = message.sender.hub;
    sender.device_id = message.sender.device_id;
    sender.module_id = message.sender.module_id;
    sender.generation_id = message.sender.generation_id;
    sender.last = message.enqueued;
    ++sender.messages;
    if (message.bytes < kSmallBytes) ++sender.small;
    keep_bound();
  }

 private:
  static void judge(const Sender& sender, HubFindings& findings) {
    const bool wasteful = sender.messages >= kMessagesMin && sender.small * 100 >= sender.messages * kSmallPercent;
    JsonWriter data;
    data.begin_object().key("Messages").value(std::to_string(sender.messages));
    data.key("SmallMessages").value(std::to_string(sender.small));
    findings.verdicts.push_back({.type = "IoT_AgentSendsUnutilizedMessages",
                                 .device = {sender.hub, sender.device_id, sender.module_id, sender.generation_id},
                                 .active = wasteful,
                                 .data = data.end_object().take()});
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_agent_messages() { return std::make_unique<AgentMessages>(); }

}  // namespace picket::pipeline
