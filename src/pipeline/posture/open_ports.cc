// IoT_OpenPorts: what a device listens on for others than itself.
#include "base/core/json_writer.h"
#include "behavior/event_words.h"
#include "posture/device_items.h"
#include "posture/posture.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::string_view kType = "IoT_OpenPorts";
constexpr std::size_t kPortsTold = 64;
/// Sockets of clients are bound to such ports for a moment; they offer nothing.
constexpr int kEphemeralPort = 32'768;

class OpenPorts final : public SnapshotDetector {
 public:
  OpenPorts() : SnapshotDetector("posture.open_ports") {}

 private:
  bool is_mine(message::EventKind kind) const override { return kind == message::EventKind::ListeningPorts; }

  std::string key_of(const DetectorEvent& event) const override {
    if (event.text(Field::LocalPort).empty()) return {};
    return state_key(event.text(Field::Protocol), event.text(Field::LocalAddress), event.text(Field::LocalPort));
  }

  std::string text_of(const DetectorEvent& event) const override {
    const std::string address = normal_address(event.text(Field::LocalAddress));
    if (is_loopback(address)) return {};
    const std::string port(event.text(Field::LocalPort));
    const bool udp = event.text(Field::Protocol).starts_with("udp");
    if (udp && std::atoi(port.c_str()) >= kEphemeralPort) return {};
    JsonWriter out;
    out.begin_object().key("Protocol").value(event.text(Field::Protocol)).key("LocalAddress").value(address);
    out.key("LocalPort").value(port).key("Executable").value(event.text(Field::Executable));
    return out.end_object().take();
  }

  void judge(const DeviceItems& device, HubFindings& findings) override {
    std::string ports = "[";
    for (std::size_t i = 0; i < device.items.size() && i < kPortsTold; ++i) {
      if (i > 0) ports += ',';
      ports += device.items[i].text;
    }
    JsonWriter data;
    data.begin_object().key("Ports").value(ports + "]").key("Count").value(std::to_string(device.items.size()));
    findings.verdicts.push_back(
        {.type = kType, .device = device.device(), .active = !device.items.empty(), .data = data.end_object().take()});
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_open_ports() { return std::make_unique<OpenPorts>(); }

}  // namespace picket::pipeline
