/** One keep-alive connection that writes requests made beforehand and reads their answers. */
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigie::bench {

struct Answer {
  int status = 0;
  /** All of it has come. */
  bool is_whole = false;
  /** What the answer must say for the verdicts to be right was there. */
  bool is_right = false;
};

enum class Progress { kPending, kAnswered, kBroken };

class Connection {
 public:
  /** Where it connects to, and from; connects as soon as `open` is called. */
  Connection(int epoll, const sockaddr_in& to, const sockaddr_in& from, std::uint32_t id)
      : epoll_(epoll), to_(to), from_(from), id_(id) {}

  /** `false`: the system has no more ports or descriptors. */
  bool open();
  void close();

  /** Sends a request; `needle` must stand in a right answer, or be empty where all bytes of the body must be 0. */
  Progress send(std::string_view request, std::string_view needle);
  /** Goes on with what epoll reported. */
  Progress proceed(std::uint32_t events, Answer& answer);

  bool is_busy() const { return is_busy_; }

 private:
  Progress write_on();
  Progress read_on(Answer& answer);
  Progress finish();
  bool take(const char* bytes, std::size_t count, Answer& answer);
  bool begin_body(Answer& answer);
  void watch(bool for_room);

  const int epoll_;
  const sockaddr_in to_;
  const sockaddr_in from_;
  const std::uint32_t id_;
  int fd_ = -1;
  bool is_busy_ = false;
  bool waits_for_room_ = false;
  /** The answer is here, and the request not all written. */
  bool is_answered_ = false;
  std::string_view left_to_write_;
  std::string_view needle_;
  /** The head so far, then the first of the body where a needle is looked for. */
  std::string head_;
  std::size_t body_left_ = 0;
  bool in_body_ = false;
  bool all_zero_ = true;
};

}  // namespace vigie::bench
