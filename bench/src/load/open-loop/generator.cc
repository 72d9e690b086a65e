#include "generator.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace vigie::bench {
namespace {

constexpr double kMicros = 1e6;
constexpr std::uint64_t kSlotUs = 250'000;
/** Connections opened before the first phase, so many at a time: more would overflow the listener's backlog. */
constexpr std::size_t kOpenedAtOnce = 64;
/** What epoll calls standard input; no connection has this number. */
constexpr std::uint32_t kInput = 0xFFFF'FFFF;

sockaddr_in loopback(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1 || address.rfind("127.", 0) != 0) {
    throw std::runtime_error("not a loopback address: " + address);
  }
  return result;
}

}  // namespace

Generator::Generator(const Plan& plan) : plan_(plan), epoll_(epoll_create1(EPOLL_CLOEXEC)), random_(20'261'126) {
  double end = 0;
  for (const double seconds : plan.phase_seconds) phase_ends_us_.push_back(end += seconds * kMicros);
  start_ = std::chrono::steady_clock::now();
}

void Generator::add(Stream stream, const Route& route, std::size_t connections) {
  stream.tallies.resize(phase_ends_us_.size());
  stream.slots.resize(static_cast<std::size_t>(phase_ends_us_.back()) / kSlotUs + 1);
  for (std::size_t i = 0; i < connections; ++i) {
    const auto id = static_cast<std::uint32_t>(connections_.size());
    connections_.push_back(std::make_unique<Connection>(epoll_, loopback("127.0.0.1", route.port),
                                                        loopback(route.source, 0), id));
    if (!connections_.back()->open()) throw std::runtime_error("no connection from " + route.source);
    Call call;
    call.stream = static_cast<std::uint32_t>(streams_.size());
    calls_.push_back(call);
    stream.connections.push_back(id);
    stream.idle.push_back(id);
    if (i % kOpenedAtOnce == kOpenedAtOnce - 1) receive(5);
  }
  streams_.push_back(std::move(stream));
}

std::uint64_t Generator::now_us() const {
  const auto passed = std::chrono::steady_clock::now() - start_;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

std::uint32_t Generator::phase_at(double us) const {
  const auto end = std::upper_bound(phase_ends_us_.begin(), phase_ends_us_.end(), us);
  return static_cast<std::uint32_t>(end - phase_ends_us_.begin());
}

Tally* Generator::tally_of(const Call& call) {
  if (call.phase >= phase_ends_us_.size()) return nullptr;
  const double begin = call.phase == 0 ? 0 : phase_ends_us_[call.phase - 1];
  const bool settles = static_cast<double>(call.due_us) < begin + plan_.settle_seconds * kMicros;
  return settles ? nullptr : &streams_[call.stream].tallies[call.phase];
}

void Generator::run(const std::function<void()>& on_begin) {
  receive(200);
  listen_to_input();
  on_begin();
  start_ = std::chrono::steady_clock::now();
  const auto last_us = [this] { return phase_ends_us_.back() + plan_.patience_seconds * kMicros; };
  for (std::uint64_t now = 0; static_cast<double>(now) < last_us(); now = now_us()) {
    if (input_has_come_) end_phases(now);
    if (static_cast<double>(now) < phase_ends_us_.back()) send_due(now);
    receive(wait_ms(now));
  }
  const double last = last_us();
  const auto slots = static_cast<std::size_t>(last) / kSlotUs + 1;
  for (Stream& stream : streams_) stream.slots.resize(std::min(stream.slots.size(), slots));
  // Whoever still waits has lost patience.
  for (std::size_t id = 0; id < connections_.size(); ++id) {
    if (connections_[id]->is_busy()) count(calls_[id], static_cast<std::uint64_t>(last));
  }
}

/** A file or the null device, which epoll does not take, has nothing to say. */
void Generator::listen_to_input() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kInput;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}

/** The phase of now ends now for each line that has come, and those after it begin so much sooner. */
void Generator::end_phases(std::uint64_t now) {
  input_has_come_ = false;
  char bytes[64];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  // Whoever could end a phase has gone: the phases take their time.
  if (count <= 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
  const auto lines = count <= 0 ? 0 : std::count(bytes, bytes + count, '\n');
  for (auto line = lines; line > 0; --line) {
    const std::uint32_t phase = phase_at(static_cast<double>(now));
    if (phase >= phase_ends_us_.size()) return;
    const double sooner = phase_ends_us_[phase] - static_cast<double>(now);
    for (std::size_t i = phase; i < phase_ends_us_.size(); ++i) phase_ends_us_[i] -= sooner;
  }
}

std::vector<double> Generator::phase_seconds() const {
  std::vector<double> seconds;
  double begin = 0;
  for (const double end : phase_ends_us_) {
    seconds.push_back((end - begin) / kMicros);
    begin = end;
  }
  return seconds;
}

/** Sends what is due; a call for which no connection is free is counted, and not sent any more. */
void Generator::send_due(std::uint64_t now) {
  for (std::uint32_t index = 0; index < streams_.size(); ++index) {
    Stream& stream = streams_[index];
    const double rate = stream.rates[std::min<std::size_t>(phase_at(static_cast<double>(now)), stream.rates.size() - 1)];
    if (rate < 0) {
      const std::size_t busy = stream.connections.size() - stream.idle.size();
      for (double room = -rate - static_cast<double>(busy); room >= 1 && !stream.idle.empty(); --room) {
        const std::uint32_t connection = stream.idle.front();
        stream.idle.pop_front();
        send(index, connection, static_cast<double>(now));
      }
      continue;
    }
    if (rate == 0) {
      stream.due_us = static_cast<double>(now);
      continue;
    }
    std::exponential_distribution<double> gap(rate / kMicros);
    while (stream.due_us <= static_cast<double>(now)) {
      if (stream.idle.empty()) {
        Call call;
        call.stream = index;
        call.phase = phase_at(stream.due_us);
        call.due_us = static_cast<std::uint64_t>(stream.due_us);
        if (Tally* tally = tally_of(call)) ++tally->due, ++tally->unsent;
        ++stream.slots[std::min(call.due_us / kSlotUs, stream.slots.size() - 1)].not_ok;
      } else {
        const std::uint32_t connection = stream.idle.front();
        stream.idle.pop_front();
        send(index, connection, stream.due_us);
        // Calls that settle are in no latency, so it is no fault of those that they were late.
        const Tally* const tally = tally_of(calls_[connection]);
        if (tally != nullptr) lag_.add(now_us() - static_cast<std::uint64_t>(stream.due_us));
      }
      stream.due_us += gap(random_);
    }
  }
}

void Generator::send(std::uint32_t index, std::uint32_t connection, double due_us) {
  Stream& stream = streams_[index];
  Call& call = calls_[connection];
  call = Call{index, phase_at(due_us), static_cast<std::uint64_t>(due_us), Answer{}};
  const std::string& request = stream.requests[stream.next_request++ % stream.requests.size()];
  if (connections_[connection]->send(request, stream.needle) == Progress::kBroken) ended(connection, Progress::kBroken);
}

void Generator::receive(int timeout_ms) {
  static epoll_event events[256];
  const int count = epoll_wait(epoll_, events, 256, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t id = events[i].data.u32;
    if (id == kInput) {
      input_has_come_ = true;
      continue;
    }
    const Progress progress = connections_[id]->proceed(events[i].events, calls_[id].answer);
    if (progress != Progress::kPending) ended(id, progress);
  }
}

void Generator::ended(std::uint32_t id, Progress progress) {
  Connection& connection = *connections_[id];
  Call& call = calls_[id];
  Stream& stream = streams_[call.stream];
  const bool was_idle = progress == Progress::kBroken && !connection.is_busy();
  if (progress == Progress::kBroken) {
    call.answer.status = 0;
    connection.open();
  }
  // The server ends connections on which nothing came for long: that is no call's failure.
  if (was_idle) return;
  count(call, now_us() - call.due_us);
  stream.idle.push_back(id);
}

void Generator::count(const Call& call, std::uint64_t latency_us) {
  Stream& stream = streams_[call.stream];
  const bool is_late = static_cast<double>(latency_us) > plan_.patience_seconds * kMicros;
  const bool is_ok = call.answer.status == 200 && call.answer.is_right && !is_late;
  Slot& slot = stream.slots[std::min(call.due_us / kSlotUs, stream.slots.size() - 1)];
  if (is_ok) ++slot.ok;
  else ++slot.not_ok;
  slot.slowest_us = std::max(slot.slowest_us, is_ok ? latency_us : 0);
  Tally* const tally = tally_of(call);
  if (tally == nullptr) return;
  ++tally->due;
  const Answer& answer = call.answer;
  // Before anything else: a wrong verdict is wrong however late it is.
  if (answer.is_whole && answer.status != 0 && answer.status != 503 && (answer.status != 200 || !answer.is_right)) {
    ++tally->wrong;
  } else if (is_late && answer.status != 503) {
    ++tally->late;
  } else if (is_ok) {
    ++tally->ok;
    tally->ok_latency.add(latency_us);
  } else if (answer.status == 503) {
    ++tally->refused;
    tally->refused_latency.add(latency_us);
  } else {
    // Nothing came, or not all of it before the run was over.
    ++tally->broken;
  }
}

/** Sleeps for whole milliseconds only, and never past what is due. */
int Generator::wait_ms(std::uint64_t now) const {
  double due = static_cast<double>(now) + 20'000;
  for (const Stream& stream : streams_) {
    const double rate = stream.rates[std::min<std::size_t>(phase_at(static_cast<double>(now)), stream.rates.size() - 1)];
    if (rate > 0) due = std::min(due, stream.due_us);
  }
  const double left_ms = (due - static_cast<double>(now)) / 1000;
  return left_ms < 1 ? 0 : static_cast<int>(left_ms);
}

}  // namespace vigie::bench
