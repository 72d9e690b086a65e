#include "connection.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vigie::bench {

bool Connection::open() {
  close();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The port is chosen at connect, by the pair of addresses: else one source address had 28,000 in all.
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&from_), sizeof from_) != 0) return false;
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&to_), sizeof to_) != 0 && errno != EINPROGRESS) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = id_;
  waits_for_room_ = false;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) == 0;
}

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  is_busy_ = false;
  is_answered_ = false;
  in_body_ = false;
  head_.clear();
}

Progress Connection::send(std::string_view request, std::string_view needle) {
  if (fd_ < 0) return Progress::kBroken;
  left_to_write_ = request;
  needle_ = needle;
  is_busy_ = true;
  return write_on();
}

Progress Connection::proceed(std::uint32_t events, Answer& answer) {
  if (events & EPOLLOUT) {
    const Progress written = write_on();
    if (written == Progress::kBroken) return written;
    if (is_answered_ && left_to_write_.empty()) return finish();
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) return read_on(answer);
  return Progress::kPending;
}

Progress Connection::write_on() {
  while (!left_to_write_.empty()) {
    const ssize_t count = ::send(fd_, left_to_write_.data(), left_to_write_.size(), MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (count < 0) return Progress::kBroken;
    left_to_write_.remove_prefix(static_cast<std::size_t>(count));
  }
  watch(!left_to_write_.empty());
  return Progress::kPending;
}

void Connection::watch(bool for_room) {
  if (waits_for_room_ == for_room) return;
  waits_for_room_ = for_room;
  epoll_event event{};
  event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = id_;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
}

Progress Connection::read_on(Answer& answer) {
  static char buffer[256 * 1024];
  const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
  if (count < 0 && errno == EAGAIN) return Progress::kPending;
  if (count <= 0) return Progress::kBroken;
  if (!take(buffer, static_cast<std::size_t>(count), answer)) return Progress::kPending;
  // An answer before the request was all written: the rest must go out, or the server reads the next one as its body.
  is_answered_ = true;
  return left_to_write_.empty() ? finish() : Progress::kPending;
}

Progress Connection::finish() {
  is_answered_ = false;
  is_busy_ = false;
  return Progress::kAnswered;
}

/** `true`: the answer is whole. */
bool Connection::take(const char* bytes, std::size_t count, Answer& answer) {
  if (!in_body_) {
    head_.append(bytes, count);
    return begin_body(answer);
  }
  const std::size_t used = std::min(count, body_left_);
  if (needle_.empty()) all_zero_ = all_zero_ && std::all_of(bytes, bytes + used, [](char byte) { return byte == 0; });
  else if (head_.size() < 4'096) head_.append(bytes, used);
  body_left_ -= used;
  if (body_left_ > 0) return false;
  answer.is_right = needle_.empty() ? all_zero_ : head_.find(needle_) != std::string::npos;
  answer.is_whole = true;
  in_body_ = false;
  head_.clear();
  return true;
}

/** Reads the head, if it is whole, and what came of the body with it. */
bool Connection::begin_body(Answer& answer) {
  const std::size_t end = head_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  answer.status = std::atoi(head_.c_str() + sizeof "HTTP/1.1");
  static constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = head_.find(kLength);
  body_left_ = at < end ? std::strtoul(head_.c_str() + at + kLength.size(), nullptr, 10) : 0;
  all_zero_ = true;
  in_body_ = true;
  const std::string body = head_.substr(end + 4);
  head_.clear();
  return take(body.data(), body.size(), answer);
}

}  // namespace vigie::bench
