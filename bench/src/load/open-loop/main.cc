/**
 * `open-loop PORT CREDENTIALS-FILE SETTLE-S PATIENCE-S PHASE-S,… STREAM…`, where a stream is
 * `NAME:ITEMS:CONNECTIONS:SOURCE:RATE,…[:PORT]` (ITEMS 0: single calls; PORT: another server than the first one) and a
 * rate below 0 is a closed loop of so many calls at once. A line on standard input ends a phase before its time. Prints a line when the first
 * phase begins, and one JSON object at the end. Loopback only.
 */
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "generator.h"

namespace vigie::bench {
namespace {

/** Requests made beforehand: enough that no cache of the machine holds them all. */
constexpr std::size_t kSingles = 20'000;
constexpr std::size_t kBatchItems = 50'000;

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, by);) parts.push_back(part);
  return parts;
}

std::vector<double> numbers(const std::string& text) {
  std::vector<double> values;
  for (const std::string& part : split(text, ',')) values.push_back(std::stod(part));
  return values;
}

std::string post(const std::string& path, const std::string& type, const std::string& accept, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type + "\r\nAccept: " + accept +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/** `items` 0: single calls, each with another credential; else batches in lines, none with another's items. */
std::vector<std::string> make_requests(const std::string& file, std::size_t items) {
  std::ifstream lines(file);
  std::vector<std::string> requests;
  std::string line;
  std::string body;
  const std::size_t most = items == 0 ? kSingles : std::max<std::size_t>(2, kBatchItems / items);
  std::size_t in_body = 0;
  while (requests.size() < most && std::getline(lines, line)) {
    if (items == 0) {
      requests.push_back(
          post("/v1/verify", "application/json", "application/json", "{\"credential\":\"" + line + "\"}"));
      continue;
    }
    body += line + "\n";
    if (++in_body < items) continue;
    requests.push_back(post("/v1/verify/batch", "text/plain", "application/octet-stream", body));
    body.clear();
    in_body = 0;
  }
  if (requests.empty()) throw std::runtime_error("too few credentials in " + file);
  return requests;
}

void print_latency(const char* name, const Histogram& latency) {
  std::printf("\"%s\":{\"count\":%llu,\"p50Us\":%llu,\"p99Us\":%llu,\"p999Us\":%llu,\"maxUs\":%llu}", name,
              static_cast<unsigned long long>(latency.total()), static_cast<unsigned long long>(latency.quantile(0.5)),
              static_cast<unsigned long long>(latency.quantile(0.99)),
              static_cast<unsigned long long>(latency.quantile(0.999)), static_cast<unsigned long long>(latency.max()));
}

void print_stream(const Stream& stream) {
  std::printf("{\"name\":\"%s\",\"phases\":[", stream.name.c_str());
  for (std::size_t i = 0; i < stream.tallies.size(); ++i) {
    const Tally& tally = stream.tallies[i];
    const auto field = [](const char* name, std::uint64_t value) {
      std::printf("\"%s\":%llu,", name, static_cast<unsigned long long>(value));
    };
    std::printf(i == 0 ? "{" : ",{");
    field("due", tally.due);
    field("ok", tally.ok);
    field("refused", tally.refused);
    field("unsent", tally.unsent);
    field("late", tally.late);
    field("broken", tally.broken);
    field("wrong", tally.wrong);
    print_latency("okLatency", tally.ok_latency);
    std::printf(",");
    print_latency("refusedLatency", tally.refused_latency);
    std::printf("}");
  }
  std::printf("],\"slots\":[");
  for (std::size_t i = 0; i < stream.slots.size(); ++i) {
    const Slot& slot = stream.slots[i];
    std::printf("%s[%llu,%llu,%llu]", i == 0 ? "" : ",", static_cast<unsigned long long>(slot.ok),
                static_cast<unsigned long long>(slot.not_ok), static_cast<unsigned long long>(slot.slowest_us));
  }
  std::printf("]}");
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int run(int count, char** arguments) {
  if (count < 7) throw std::runtime_error("too few arguments: see the head of main.cc");
  Plan plan;
  plan.settle_seconds = std::stod(arguments[3]);
  plan.patience_seconds = std::stod(arguments[4]);
  plan.phase_seconds = numbers(arguments[5]);
  Generator generator(plan);
  for (int i = 6; i < count; ++i) {
    const std::vector<std::string> parts = split(arguments[i], ':');
    if (parts.size() != 5 && parts.size() != 6) throw std::runtime_error("not a stream: " + std::string(arguments[i]));
    Stream stream;
    stream.name = parts[0];
    const std::size_t items = std::stoul(parts[1]);
    stream.requests = make_requests(arguments[2], items);
    // Streams of the same kind must not send the same credentials at the same time.
    stream.next_request = static_cast<std::size_t>(i) * 997;
    if (items == 0) stream.needle = "\"verdict\":\"valid\"";
    stream.rates = numbers(parts[4]);
    const std::string port = parts.size() == 6 ? parts[5] : arguments[1];
    generator.add(std::move(stream), {parts[3], static_cast<std::uint16_t>(std::stoi(port))}, std::stoul(parts[2]));
  }
  const double cpu_before = cpu_seconds();
  generator.run([] {
    std::printf("begun\n");
    std::fflush(stdout);
  });
  std::printf("{\"cpuSeconds\":%.3f,\"phaseSeconds\":[", cpu_seconds() - cpu_before);
  const char* separator = "";
  for (const double seconds : generator.phase_seconds()) {
    std::printf("%s%.3f", separator, seconds);
    separator = ",";
  }
  std::printf("],");
  print_latency("lag", generator.lag());
  std::printf(",\"streams\":[");
  for (std::size_t i = 0; i < generator.streams().size(); ++i) {
    if (i > 0) std::printf(",");
    print_stream(generator.streams()[i]);
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace
}  // namespace vigie::bench

int main(int count, char** arguments) {
  try {
    return vigie::bench::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "open-loop: %s\n", error.what());
    return 1;
  }
}
