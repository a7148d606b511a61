// Decoding on one core: messages and events per CPU second, for messages of 1 and of 10 process events.
#include <benchmark/benchmark.h>

#include "message/decoder.h"
#include "message/events.h"
#include "message/message_builder.h"

namespace {

using namespace picket;
using namespace picket::message;

constexpr std::string_view kId = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10";

std::string message_of(int events) {
  const Timestamp now{1'795'000'000'123'456};
  const ProcessCreate process{.executable = "/usr/bin/python3.11",
                              .process_id = 41234,
                              .parent_process_id = 812,
                              .user_id = "1000",
                              .user_name = "operator",
                              .command_line = "/usr/bin/python3.11 -m http.server --bind 127.0.0.1 8000",
                              .process_name = "python3.11",
                              .process_start_utc = now,
                              .parent_executable = "/usr/bin/bash",
                              .current_directory = "/home/operator",
                              .tty = "pts/0",
                              .source = "ebpf"};
  MessageBuilder builder;
  for (int i = 0; i < events; ++i) {
    if (!builder.add(encode_event({kId, now}, process))) std::abort();
  }
  return builder.finish(
      {.agent_version = "0.1.0", .agent_id = kId, .sent = now, .boot_id = kId, .stream_epoch = kId, .sequence = 1});
}

void decode_messages(benchmark::State& state) {
  const std::string body = message_of(static_cast<int>(state.range(0)));
  Decoder decoder;
  for (auto _ : state) {
    auto message = decoder.decode(as_bytes(body), {});
    if (!message) std::abort();
    benchmark::DoNotOptimize(message->events.data());
  }
  state.counters["messages_per_cpu_s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["events_per_cpu_s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}
BENCHMARK(decode_messages)->Arg(1)->Arg(10)->Arg(100);

void encode_messages(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(message_of(10));
  state.counters["events_per_cpu_s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * 10), benchmark::Counter::kIsRate);
}
BENCHMARK(encode_messages);

}  // namespace

BENCHMARK_MAIN();
