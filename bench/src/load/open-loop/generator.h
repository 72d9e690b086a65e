/** Sends calls when they are due, whatever became of those before them, and tells what came of each. */
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "stream.h"

namespace vigie::bench {

struct Plan {
  std::uint16_t port = 0;
  std::vector<double> phase_seconds;
  /** Calls due in the first moments of a phase are sent, not counted. */
  double settle_seconds = 0;
  /** An answer that comes later is of use to nobody. */
  double patience_seconds = 1;
};

class Generator {
 public:
  explicit Generator(const Plan& plan);
  /** `source`: the loopback address from which the stream's connections come. */
  void add(Stream stream, const std::string& source, std::size_t connections);
  void run();

  const std::vector<Stream>& streams() const { return streams_; }
  /** How late the generator itself was with its calls: what it could not help is in the latencies. */
  const Histogram& lag() const { return lag_; }

 private:
  std::uint64_t now_us() const;
  std::uint32_t phase_at(double us) const;
  Tally* tally_of(const Call& call);
  void send_due(std::uint64_t now);
  void send(std::uint32_t stream, std::uint32_t connection, double due_us);
  void receive(int timeout_ms);
  void ended(std::uint32_t connection, Progress progress);
  void count(const Call& call, std::uint64_t latency_us);
  int wait_ms(std::uint64_t now) const;

  const Plan plan_;
  std::vector<double> phase_ends_us_;
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
