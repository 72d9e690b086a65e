/**
 * Connections of this process as the kernel knows them, whichever thread they belong to: how the main thread closes
 * what a thread that hangs cannot close itself.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigie {

/** A socket by its descriptor; the inode tells whether the number still means the same one. */
struct Connection {
  int fd;
  std::uint64_t inode;
};

/**
 * Ends a connection without taking its descriptor from whoever holds it: the client sees it closed at once, and the
 * holder, when it reads, finds the end and nothing that stood before it.
 */
void cut_off(int fd);
/** The same, if the descriptor still is that connection. */
bool cut_off(const Connection& connection);

/** Descriptors that this epoll instance watches, in order. False when the kernel does not tell. */
bool watched_by(int epoll_fd, std::vector<int>& watched);

/** Accepted connections to `port` that are not among `watched` (in order). False when the kernel does not tell. */
bool unwatched_connections(std::uint16_t port, const std::vector<int>& watched, std::vector<Connection>& found);

}  // namespace vigie
