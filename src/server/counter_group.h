// Building a group of counters.
#pragma once

#include <string>
#include <utility>

#include "api/services.h"

namespace picket::server {

class Group {
 public:
  explicit Group(std::string part) { out_.part = std::move(part); }
  template <class Number>
  Group& add(std::string name, const Number& value) {
    out_.counters.emplace_back(std::move(name), static_cast<double>(value));
    return *this;
  }
  api::CounterGroup take() { return std::move(out_); }

 private:
  api::CounterGroup out_;
};

}  // namespace picket::server
