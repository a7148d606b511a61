#include "behavior/behavior.h"
#include "detector.h"

namespace picket::pipeline {
namespace {

using message::EventKind;

constexpr EventKind kLogins[] = {EventKind::Login};
constexpr EventKind kProcesses[] = {EventKind::ProcessCreate};
constexpr EventKind kSelfTests[] = {EventKind::SelfTest};

constexpr DetectorEntry kDetectors[] = {
    {.name = "behavior.brute_force", .kinds = kLogins, .make = make_brute_force},
    {.name = "behavior.reverse_shell", .kinds = kProcesses, .make = make_reverse_shell},
    {.name = "behavior.crypto_miner", .kinds = kProcesses, .make = make_crypto_miner},
    {.name = "behavior.self_test", .kinds = kSelfTests, .make = make_self_test},
};

}  // namespace

std::span<const DetectorEntry> all_detectors() { return kDetectors; }

}  // namespace picket::pipeline
