#include "http/workers.h"

#include "base/server/priority.h"

namespace picket::http {

Workers::Workers(std::size_t threads, std::size_t waiting_max, bool background) : jobs_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, background] {
      if (background) lower_priority();
      for (;;) {
        auto job = jobs_.take(std::chrono::milliseconds(1000));
        if (job)
          (*job)();
        else if (jobs_.closed())
          return;
      }
    });
  }
}

Workers::~Workers() { stop(); }

void Workers::stop() {
  jobs_.close();
  threads_.clear();
}

}  // namespace picket::http
