// Tier "sysfs" of peripheral: looks at the folders of sysfs now and then. Needs no privilege.
#include <algorithm>

#include "peripheral/peripheral_inventory.h"
#include "peripheral/tiers.h"

namespace picket::agent {
namespace {

class PeripheralSysfs final : public Source {
 public:
  explicit PeripheralSysfs(const Environment& environment)
      : environment_(environment), inventory_(environment, {"peripheral", "sysfs", true}) {
    due_ = environment_.clock.monotonic() + environment_.settings.peripheral_poll_every;
  }
  Result<> take_stock() { return inventory_.take_stock(); }

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return inventory_.counters(); }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    inventory_.tell_news(now);
    if (now.monotonic >= due_) {
      inventory_.look(now);
      due_ = now.monotonic + environment_.settings.peripheral_poll_every;
    }
    return due_ - now.monotonic;
  }

 private:
  Environment environment_;
  PeripheralInventory inventory_;
  Duration due_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_peripheral_sysfs(const Environment& environment) {
  auto source = std::make_unique<PeripheralSysfs>(environment);
  TRY_VOID(source->take_stock());
  return source;
}

}  // namespace picket::agent
