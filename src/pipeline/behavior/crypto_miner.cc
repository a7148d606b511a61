// Miners of crypto currency by their names, options and pools.
#include "behavior/behavior.h"
#include "behavior/process_rule.h"

namespace picket::pipeline {
namespace {

using message::Field;

// A name is a whole word of the command line, also as part of a path, an archive or a repository: fetching a miner
// counts.
constexpr Pattern kPatterns[] = {
    {"name of a miner",
     R"((?:^|[^a-z0-9_])(?:xmrig(?:-[a-z]+)?|xmr-stak(?:-[a-z]+)?|minerd|cpuminer(?:-[a-z]+)?|ccminer|cgminer|bfgminer|sgminer|)"
     R"(ethminer|phoenixminer|nbminer|lolminer|gminer|teamredminer|nanominer|wildrig(?:-multi)?|srbminer(?:-multi)?|xmrminer|)"
     R"(nheqminer|minergate(?:-cli)?|kdevtmpfsi|kinsing|rigel-miner|bzminer|onezerominer|verusminer|hellminer|cryptonight)(?:$|[^a-z0-9_]))"},
    {"mining protocol", R"(\bstratum[0-9]?\+(?:tcp|ssl|tls|udp)[0-9]*://)"},
    {"option of a miner",
     R"((?:^|\s)--(?:donate-level|donate-over-proxy|cpu-max-threads-hint|randomx-[a-z0-9-]+|nicehash|rig-id)\b)"},
    {"mining algorithm",
     R"((?:^|\s)(?:-a|--algo|--coin)[\s=]+(?:cryptonight\S*|cn/\S+|cn-\S+|rx/\S+|randomx|argon2/chukwa\S*|kawpow|ethash|etchash|yescrypt\S*|yespower\S*|verushash|neoscrypt|lyra2\S*|monero)(?:\s|$))"},
    {"mining pool",
     R"((?:^|[\s/@=.])(?:minexmr\.com|supportxmr\.com|nanopool\.org|moneroocean\.stream|hashvault\.pro|2miners\.com|f2pool\.com|)"
     R"(ethermine\.org|nicehash\.com|minergate\.com|dwarfpool\.com|xmrpool\.(?:eu|net)|c3pool\.(?:com|org)|herominers\.com|)"
     R"(unmineable\.com|crypto-pool\.fr|monerohash\.com|prohashing\.com|viabtc\.com|antpool\.com)(?::[0-9]+|/|\s|$))"},
    {"connection to a pool port with a worker's name",
     R"((?:^|\s)(?:-o|--url)[\s=]*\S+:(?:3333|4444|5555|7777|14433|14444|45700)(?:\s.*)?\s(?:-u|--user)[\s=]*\S)"},
    {"Monero wallet", R"((?:^|[^a-z0-9])[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:$|[^a-z0-9]))"},
};

/// Compiled once a process: it takes far longer than making a detector.
const PatternSet& patterns() {
  static const PatternSet set{kPatterns};
  return set;
}

class CryptoMiner final : public Detector {
 public:
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (only_handles_text(event)) return;
    const Pattern* pattern = patterns().find(event.text(Field::CommandLine));
    // The program can be told to hide its arguments, but not where it was started from.
    if (pattern == nullptr) pattern = patterns().find(event.text(Field::Executable));
    if (pattern == nullptr) return;
    findings.push_back(process_finding("IoT_CryptoMiner", event, groups_.group_of(event), pattern->name));
  }
  void forget(Timestamp now) override { groups_.forget(now); }
  StatePart* state() override { return &groups_; }
  std::uint64_t evicted() const override { return groups_.evicted(); }

 private:
  ProcessGroups groups_{"behavior.crypto_miner"};
};

}  // namespace

std::unique_ptr<Detector> make_crypto_miner() { return std::make_unique<CryptoMiner>(); }

}  // namespace picket::pipeline
