// hub::Twins as the MQTT head asks it; for whoever wires the two together.
#pragma once

#include <utility>

#include "hub/device_twins.h"
#include "hub/twins.h"

namespace picket::hub {

class TwinsOfDevices final : public DeviceTwins {
 public:
  /// `twins` outlives it.
  explicit TwinsOfDevices(Twins& twins) : twins_(twins) {}
  void read(const Identity& device, Done<std::string> done) override { twins_.get(device, std::move(done)); }
  void report(const Identity& device, std::string patch, Done<std::uint64_t> done) override {
    twins_.patch_reported(device, std::move(patch), std::move(done));
  }

 private:
  Twins& twins_;
};

}  // namespace picket::hub
