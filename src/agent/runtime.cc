#include "agent/runtime.h"

#include <algorithm>
#include <array>
#include <csignal>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/aggregate.h"
#include "agent/collector_set.h"
#include "agent/control.h"
#include "agent/dump.h"
#include "agent/event_encoder.h"
#include "agent/event_loop.h"
#include "agent/event_tap.h"
#include "agent/hardening.h"
#include "agent/identity.h"
#include "agent/live_settings.h"
#include "agent/log_lines.h"
#include "agent/methods.h"
#include "agent/outbox.h"
#include "agent/service_manager.h"
#include "agent/spool.h"
#include "agent/statistics_report.h"
#include "agent/tls_material.h"
#include "agent/uplink.h"
#include "agent/user_names.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "installation.h"
#include "message/events.h"
#include "message/message_builder.h"
#include "response/responder.h"
#include "return_memory.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

constexpr Duration kFarewell = Duration::seconds(1);
constexpr Duration kReturnMemoryAfter = Duration::seconds(5);  // after the first event since the last time

}  // namespace

/// Members are in the order of dependence: what stands below refers to what stands above.
struct Runtime::Impl final : AgentView {
  Impl(std::unique_ptr<LiveSettings> live, const Clock& time, RuntimeOptions how, EventLoop made, Spool from)
      : settings(std::move(live)),
        config(settings->config()),
        clock(time),
        options(std::move(how)),
        loop(std::move(made)),
        spool(std::move(from)),
        outbox(config.outbox, spool, clock),
        control(loop),
        tap(outbox, control),
        encoder(tap, users, [this] { return facts(); }),
        aggregator(aggregate_options(config), encoder),
        collectors(loop, aggregator, *this, [this](std::string_view line) { log(line); }),
        self_tests(loop, outbox, users,
                   [this](std::uint64_t client, const SelfTestResult& result) { on_self_test_end(client, result); }),
        started(clock.now()) {
    spool.tell_losses_to(lost);
  }

  void tell_service_manager();
  Result<> watch_signals();
  void take_commands();
  void be_at(const std::string& home);
  void harden();
  void send_statistics(RecordSink& sink) override;
  LogLines& log_lines() override { return lines; }
  void warn(std::string_view text);
  void sync_spool();
  void after_step();
  AgentFacts facts() const;
  void on_request(std::uint64_t client, std::string_view request);
  void on_self_test_end(std::uint64_t client, const SelfTestResult& result);
  void say_farewell();
  void log(std::string_view line) {
    lines.add(clock.now(), clock.monotonic(), line);
    if (options.log) options.log(line);
  }
  AgentStatus status() const;

  std::unique_ptr<LiveSettings> settings;
  const Config& config;  ///< Of `settings`.
  const Clock& clock;
  RuntimeOptions options;
  EventLoop loop;
  LostEvents lost;
  Spool spool;
  std::string spool_place;
  UserNames users;
  LogLines lines;
  Outbox outbox;
  ControlServer control;
  EventTap tap;
  EventEncoder encoder;
  Aggregator aggregator;
  CollectorSet collectors;
  SelfTests self_tests;
  MethodTable methods;
  ServiceManager service{service_environment(), ::getpid()};
  std::unique_ptr<Uplink> uplink;
  std::unique_ptr<Responder> responder;
  StatisticsReport statistics;
  Timestamp started;
  UniqueFd signals;
  std::vector<HardeningPart> hardening;
  bool stopping = false;

  std::uint32_t window_timer = 0, batch_timer = 0, sync_timer = 0, alive_timer = 0;
  std::uint32_t return_timer = 0;
  bool sync_waits = false, return_waits = false;
  std::uint64_t synced_through = 0;  ///< append_mark() of the spool.
  std::uint64_t returned_through = 0;
  std::optional<SelfTestResult> self_test_done;
  UplinkState logged_state = UplinkState::stopped;
  std::string logged_reason;
  std::string home;  ///< That the snapshots in data_dir were sent to.
};

// ---- start ----

Checked<std::unique_ptr<Runtime>> Runtime::create(const Config& local, const Clock& clock, RuntimeOptions options) {
  auto settings = std::make_unique<LiveSettings>(local, options.collect, [log = options.log](std::string_view line) {
    if (log) log(line);
  });
  const Config& config = settings->config();
  auto identity = resolve_identity(config);
  if (!identity) return std::unexpected(identity.error());
  auto tls = TlsMaterial::open(identity->tls);
  if (!tls) return std::unexpected(tls.error());

  const std::string boot_id = read_boot_id();
  auto spool = open_spool(config, options.collect, boot_id, clock.now());
  if (!spool) return std::unexpected(spool.error());
  const std::string place = spool->place;
  if (options.log && !spool->problem.empty()) options.log(spool->problem);
  auto loop = EventLoop::create(clock);
  if (!loop) return std::unexpected("epoll: " + describe(loop.error()));
  auto impl =
      std::make_unique<Impl>(std::move(settings), clock, std::move(options), *std::move(loop), std::move(spool->spool));
  impl->spool_place = place;
  if (const auto cut = impl->spool.repaired_bytes(); cut > 0) {
    impl->log("spool: cut " + std::to_string(cut) + " bytes of an entry that was not finished");
  }
  impl->uplink = std::make_unique<Uplink>(UplinkOptions{.settings = config.uplink,
                                                        .agent_version = PICKET_VERSION,
                                                        .agent_id = installation_id(config.data_dir),
                                                        .boot_id = boot_id,
                                                        .provisioning = std::move(identity->provisioning)},
                                          std::move(identity->connection), impl->loop, *std::move(tls), impl->spool);
  impl->uplink->on_warning([each = impl.get()](std::string_view text) { each->warn(text); });
  impl->uplink->on_acknowledged([each = impl.get()](StreamId id) { each->self_tests.on_acknowledged(id); });
  impl->uplink->on_method([each = impl.get()](const MethodCall& call) { return each->methods.call(call); });
  impl->settings->attach({impl->aggregator, impl->outbox, impl->spool, impl->collectors,
                          [each = impl.get()] { each->loop.set_timer(each->window_timer, each->clock.monotonic()); }});
  if (impl->options.collect) impl->uplink->keep_twin(impl->settings->twin());
  impl->self_tests.set_uplink(*impl->uplink);
  impl->methods.add(std::string(kSelfTestMethod),
                    [each = impl.get()](const MethodCall& call) { return each->self_tests.on_method(call); });
  if (impl->options.collect) impl->take_commands();
  if (impl->options.collect) impl->be_at(impl->uplink->status().home);
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

void Runtime::Impl::take_commands() {
  responder = std::make_unique<Responder>(
      ResponderParts{.loop = loop,
                     .sink = aggregator,
                     .settings = config.response,
                     .data_dir = config.data_dir,
                     .identity = [this] { return uplink->status().identity; },
                     .hub = [this] { return uplink->status().address; },
                     .scan = [this](std::string_view name) { return collectors.run_now(name); },
                     .log = [this](std::string_view line) { log(line); }});
  methods.add(std::string(kResponseMethod), [this](const MethodCall& call) { return responder->on_method(call); });
}

/// What was reported to another hub, or as another device, is not known there: snapshots begin again.
void Runtime::Impl::be_at(const std::string& now_at) {
  if (now_at.empty() || now_at == home) return;
  home = now_at;
  std::vector<std::string> stale;
  if (snapshots_belong_elsewhere(config.data_dir, home)) stale = snapshot_collectors(config.data_dir);
  if (!stale.empty()) log("this device is new to its hub: snapshots are sent whole");
  collectors.stop(stale);
  begin_snapshots_at(config.data_dir, home, stale);
  collectors.start_again(stale);
}

Result<> Runtime::Impl::watch_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return fail_errno("agent.signals");
  return loop.add(signals.get(), EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo info{};
    if (::read(signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) stopping = true;
  });
}

AgentFacts Runtime::Impl::facts() const {
  return {.collectors_json = collectors.coverage_json(),
          .spool_bytes = spool.bytes(),
          .dropped_events = outbox.counters().dropped_events + spool.drops().total() + collectors.dropped()};
}

/// After everything is open: what is taken away is never needed again.
void Runtime::Impl::harden() {
  const auto parent = [](const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string(".") : slash == 0 ? std::string("/") : path.substr(0, slash);
  };
  const std::vector<std::string> writable{config.data_dir, parent(config.socket_path())};
  hardening = agent::harden(config.hardening, writable);
  for (const HardeningPart& part : hardening) {
    const std::string name = "hardening " + std::string(part.name) + ": ";
    if (!part.enabled) log(name + "turned off by the settings");
    if (!part.problem.empty()) log(name + "not in force: " + part.problem);
  }
}

/// What a person has to do before it becomes a problem: said here and on the server.
void Runtime::Impl::warn(std::string_view text) {
  log("warning: " + std::string(text));
  const message::Diagnostic item{.severity = message::DiagnosticSeverity::Warning,
                                 .message = text,
                                 .process_id = ::getpid(),
                                 .thread_id = ::getpid()};
  emit_counted(aggregator, moment_of(clock), {"agent", "uplink", false}, Priority::high, text, item);
}

void Runtime::Impl::send_statistics(RecordSink& sink) {
  const auto accounts = collectors.accounts();
  statistics.send(sink, moment_of(clock),
                  {accounts, aggregator.counters(), outbox.counters(), spool.drops(), uplink->status().acknowledged, &lost});
}

// ---- running ----

void Runtime::Impl::sync_spool() {
  sync_waits = false;
  synced_through = spool.append_mark();
  if (const auto synced = spool.sync(); !synced) log("spool: " + describe(synced.error()));
}

/// After each turn of the loop: new events may have come from any callback. Timers stand still while nothing waits.
void Runtime::Impl::after_step() {
  if (const auto due = outbox.next_due()) loop.set_timer(batch_timer, *due);
  if (spool.append_mark() != synced_through && !sync_waits) {
    sync_waits = true;
    loop.set_timer(sync_timer, clock.monotonic() + config.spool_sync_every);
  }
  if (spool.append_mark() != returned_through && !return_waits) {
    return_waits = true;
    loop.set_timer(return_timer, clock.monotonic() + kReturnMemoryAfter);
  }
  uplink->wake();
  const UplinkStatus& now_status = uplink->status();
  if (responder) responder->hub_at(now_status.address);
  be_at(now_status.home);
  const bool settled = now_status.state == UplinkState::connected || now_status.state == UplinkState::waiting;
  if (!settled || (now_status.state == logged_state && now_status.reason == logged_reason)) return;
  logged_state = now_status.state;
  logged_reason = now_status.reason;
  const std::string text =
      now_status.state == UplinkState::connected
          ? "connected to " + now_status.hub +
                (now_status.fallback.empty() ? std::string() : " by WebSocket, since: " + now_status.fallback)
          : "not connected: " + std::string(to_string(now_status.problem)) + ": " + now_status.reason;
  log(text);
  service.status(text);
}

/// Ready, and from now on alive: a loop that hangs is ended and started again.
void Runtime::Impl::tell_service_manager() {
  service.ready();
  const auto every = service.alive_every();
  if (!every) return;
  alive_timer = loop.add_timer([this, period = *every] {
    service.alive();
    loop.set_timer(alive_timer, clock.monotonic() + period);
  });
  loop.set_timer(alive_timer, clock.monotonic());
}

void Runtime::Impl::say_farewell() {
  service.stopping();
  collectors.stop();
  aggregator.flush();
  outbox.flush();
  const Duration end = clock.monotonic() + kFarewell;
  while (uplink->status().state == UplinkState::connected && spool.pending() > 0 && clock.monotonic() < end) {
    uplink->wake();
    if (!loop.run_once(Duration::milliseconds(50))) break;
  }
  uplink->stop();
  if (const auto closed = spool.close(); !closed) log("spool: " + describe(closed.error()));
  log("stopped; " + std::to_string(spool.pending()) + " messages wait in the spool");
}

Outcome Runtime::run() {
  Impl& impl = *impl_;
  if (const auto watched = impl.watch_signals(); !watched) {
    impl.log(describe(watched.error()));
    return Outcome::failed;
  }
  const std::string path = impl.config.socket_path();
  if (const auto listening = impl.control.listen(
          path, [&impl](std::uint64_t client, std::string_view request) { impl.on_request(client, request); });
      !listening) {
    impl.log("status and selftest cannot reach this agent: " + path + ": " + describe(listening.error()));
  }
  if (::geteuid() != 0) impl.log("not root: collectors run in the tiers that need no privilege");
  impl.window_timer = impl.loop.add_timer(
      [&impl] { impl.loop.set_timer(impl.window_timer, impl.aggregator.on_time(impl.clock.monotonic())); });
  impl.batch_timer = impl.loop.add_timer([&impl] { impl.outbox.on_time(impl.clock.monotonic()); });
  impl.sync_timer = impl.loop.add_timer([&impl] { impl.sync_spool(); });
  impl.return_timer = impl.loop.add_timer([&impl] {
    impl.return_waits = false;
    impl.returned_through = impl.spool.append_mark();
    return_memory();
  });
  impl.collectors.start(impl.config.collectors);
  impl.settings->report();
  if (impl.responder) impl.responder->start();
  impl.harden();
  impl.tell_service_manager();
  const Duration now = impl.clock.monotonic();
  impl.loop.set_timer(impl.window_timer, now);
  impl.uplink->start();
  while (!impl.stopping) {
    if (const auto step = impl.loop.run_once(Duration::hours(1)); !step) {
      impl.log(describe(step.error()));
      return Outcome::failed;
    }
    impl.after_step();
  }
  impl.say_farewell();
  return Outcome::done;
}

// ---- status and self test ----

AgentStatus Runtime::Impl::status() const {
  AgentStatus out;
  out.version = PICKET_VERSION;
  out.identity = uplink->status().identity;
  out.hub = uplink->status().hub;
  out.now = clock.now();
  out.started = started;
  out.uplink = uplink->status();
  out.collectors = collectors.status();
  out.aggregation = aggregator.counters();
  out.aggregate_entries = aggregator.entries();
  out.aggregate_bytes = aggregator.memory_bytes();
  out.outbox = outbox.counters();
  out.spool_on_disk = spool.on_disk();
  out.spool_place = spool_place;
  out.spool_messages = spool.pending();
  out.spool_bytes = spool.bytes();
  out.spool_bytes_max = config.spool_bytes_max;
  out.spool_in_flight = spool.in_flight();
  out.spool_drops = spool.drops();
  if (const auto last = spool.last_acknowledged()) out.last_acknowledged = message_id(*last);
  out.profile = config.aggregate.first_at_once ? "prompt" : "parity";
  out.twin = settings->status();
  out.hardening = hardening;
  return out;
}

AgentStatus Runtime::status() const { return impl_->status(); }

void Runtime::Impl::on_request(std::uint64_t client, std::string_view request) {
  if (request == "status") return control.reply(client, status_json(status()));
  if (request == "release" && responder) {
    const ActionResult done = responder->release_locally();
    return control.reply(client, (done.status == 200 ? "released: " : "failed: ") + done.message + "\n");
  }
  if (request == "status table") return control.reply(client, status_table(status()));
  if (request == "dump") return control.reply(client, dump_json(status(), config, lines.warnings()));
  if (request == "dump text") return control.reply(client, dump_text(status(), config, lines.warnings()));
  if (request == "events") return control.reply(client, tap.recent() + "\n");
  if (request == "follow") {
    if (!tap.follow(client)) control.reply(client, "{\"error\":\"too many follow already\"}\n");
    return;
  }
  constexpr std::string_view kSelfTest = "selftest ";
  if (!request.starts_with(kSelfTest)) return control.reply(client, R"({"error":"unknown request"})");
  const auto begun = self_tests.start(parse_self_test(request.substr(kSelfTest.size())), client);
  if (begun) return;
  control.reply(client, self_test_json({.text = "the test event was not taken: " + describe(begun.error())}));
}

void Runtime::Impl::on_self_test_end(std::uint64_t client, const SelfTestResult& result) {
  if (client == 0) {
    self_test_done = result;
  } else {
    control.reply(client, self_test_json(result));
  }
}

SelfTestResult Runtime::run_self_test(std::string_view test_id, SelfTestGoal goal, Duration patience) {
  Impl& impl = *impl_;
  const auto begun = impl.self_tests.start({test_id, goal, patience}, 0);
  if (!begun) return {.text = describe(begun.error())};
  impl.uplink->start();
  while (!impl.self_test_done) {
    if (!impl.loop.run_once(Duration::milliseconds(200))) break;
    impl.uplink->wake();
    if (impl.uplink->status().problem == UplinkProblem::denied && !impl.self_tests.empty()) {
      impl.self_tests.give_up(impl.uplink->status().reason);  // waiting longer changes nothing
    }
  }
  impl.uplink->stop();
  return impl.self_test_done.value_or(SelfTestResult{.text = "the event loop failed"});
}

}  // namespace picket::agent
