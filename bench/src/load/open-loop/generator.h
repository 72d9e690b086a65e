/** Sends calls when they are due, whatever became of those before them, and tells what came of each. */
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "stream.h"

namespace vigie::bench {

struct Plan {
  std::vector<double> phase_seconds;
  /** Calls due in the first moments of a phase are sent, not counted. */
  double settle_seconds = 0;
  /** An answer that comes later is of use to nobody. */
  double patience_seconds = 1;
};

/** The loopback address from which a stream's connections come, and the port to which they go. */
struct Route {
  std::string source;
  std::uint16_t port = 0;
};

class Generator {
 public:
  explicit Generator(const Plan& plan);
  void add(Stream stream, const Route& route, std::size_t connections);
  /** Calls back when the connections stand and the first phase begins. */
  void run(const std::function<void()>& on_begin);

  /** How long each phase was, those included that ended before their time. */
  std::vector<double> phase_seconds() const;

  const std::vector<Stream>& streams() const { return streams_; }
  /** How late the generator itself was with the calls that count: what it could not help is in the latencies. */
  const Histogram& lag() const { return lag_; }

 private:
  std::uint64_t now_us() const;
  std::uint32_t phase_at(double us) const;
  Tally* tally_of(const Call& call);
  void listen_to_input();
  void end_phases(std::uint64_t now);
  void send_due(std::uint64_t now);
  void send(std::uint32_t stream, std::uint32_t connection, double due_us);
  void receive(int timeout_ms);
  void ended(std::uint32_t connection, Progress progress);
  void count(const Call& call, std::uint64_t latency_us);
  int wait_ms(std::uint64_t now) const;

  const Plan plan_;
  std::vector<double> phase_ends_us_;
  bool input_has_come_ = false;
  const int epoll_;
  std::vector<Stream> streams_;
  /** By the number that epoll knows; `calls_` says what each is busy with. */
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Call> calls_;
  Histogram lag_;
  std::mt19937_64 random_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace vigie::bench
