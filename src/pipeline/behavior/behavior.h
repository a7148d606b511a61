// Detectors that know how attacks behave; one file each.
#pragma once

#include <memory>

#include "detector.h"

namespace picket::pipeline {

/// IoT_BruteForceFailed, IoT_BruteForceSuccess.
std::unique_ptr<Detector> make_brute_force();
/// IoT_ReverseShell.
std::unique_ptr<Detector> make_reverse_shell();
/// IoT_CryptoMiner.
std::unique_ptr<Detector> make_crypto_miner();
/// IoT_SelfTest.
std::unique_ptr<Detector> make_self_test();

}  // namespace picket::pipeline
