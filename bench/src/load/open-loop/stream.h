/** Callers of one kind: their connections, their rate in each phase, and what came of their calls. */
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "connection.h"
#include "histogram.h"

namespace vigie::bench {

/** What came of the calls that were due in one phase, its first moments left out. */
struct Tally {
  std::uint64_t due = 0;
  std::uint64_t ok = 0;
  std::uint64_t refused = 0;
  /** No connection was free: all waited for answers. */
  std::uint64_t unsent = 0;
  /** Answered, but too late for anybody to wait. */
  std::uint64_t late = 0;
  std::uint64_t broken = 0;
  /** Neither 200 nor 503, or a 200 that says something else than expected. */
  std::uint64_t wrong = 0;
  Histogram ok_latency;
  Histogram refused_latency;
};

/** What came of the calls due in a quarter of a second, counted from the start of the run. */
struct Slot {
  std::uint64_t ok = 0;
  std::uint64_t not_ok = 0;
  std::uint64_t slowest_us = 0;
};

struct Stream {
  std::string name;
  std::vector<std::string> requests;
  std::string needle;
  /** Calls a second in each phase; below 0: as fast as the answers come, so many at once. */
  std::vector<double> rates;
  std::vector<std::uint32_t> connections;
  std::deque<std::uint32_t> idle;
  std::size_t next_request = 0;
  double due_us = 0;
  std::vector<Tally> tallies;
  std::vector<Slot> slots;
};

/** The call that a connection is busy with. */
struct Call {
  std::uint32_t stream = 0;
  /** Beyond the phases: not counted. */
  std::uint32_t phase = 0;
  std::uint64_t due_us = 0;
  Answer answer;
};

}  // namespace vigie::bench
