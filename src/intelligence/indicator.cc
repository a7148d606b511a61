#include "intelligence/indicator.h"

#include <algorithm>

namespace picket::intelligence {

std::string_view to_string(Decay decay) {
  return decay == Decay::linear ? "linear" : decay == Decay::late ? "late" : "none";
}

bool parse_decay(std::string_view text, Decay& out) {
  for (const Decay decay : {Decay::none, Decay::linear, Decay::late}) {
    if (text != to_string(decay)) continue;
    out = decay;
    return true;
  }
  return false;
}

std::uint8_t Listing::confidence_at(Timestamp time) const {
  if (time < from || (until.us != 0 && time >= until)) return 0;
  if (decay == Decay::none || until.us == 0) return confidence;
  const double life = static_cast<double>((until - from).us);
  if (life <= 0) return 0;
  const double age = std::clamp(static_cast<double>((time - from).us) / life, 0.0, 1.0);
  const double left = decay == Decay::linear ? 1 - age : 1 - age * age * age;
  return static_cast<std::uint8_t>(static_cast<double>(confidence) * left + 0.5);
}

}  // namespace picket::intelligence
