#include "workers/native/connections.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace vigie {

namespace {

/** Of what is no socket, too: then there is nothing to cut off. */
bool is_listener_or_none(int fd) {
  int listens = 1;
  socklen_t length = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens != 0;
}

/** Whether the descriptor is an accepted TCP connection to this port of ours: no listener, no file. */
bool is_connection_to(std::uint16_t port, int fd) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  std::uint16_t local = 0;
  if (address.ss_family == AF_INET) local = reinterpret_cast<const sockaddr_in&>(address).sin_port;
  else if (address.ss_family == AF_INET6) local = reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
  else return false;
  return ntohs(local) == port && !is_listener_or_none(fd);
}

bool inode_of(int fd, std::uint64_t& inode) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  inode = status.st_ino;
  return true;
}

}  // namespace

void cut_off(int fd) {
  if (is_listener_or_none(fd)) return;
  shutdown(fd, SHUT_RDWR);
  // What the client has sent already would still be handed out before the end.
  char dropped[16 * 1024];
  while (recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) > 0) {}
}

bool cut_off(const Connection& connection) {
  std::uint64_t inode = 0;
  if (!inode_of(connection.fd, inode) || inode != connection.inode) return false;
  cut_off(connection.fd);
  return true;
}

bool watched_by(int epoll_fd, std::vector<int>& watched) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll_fd);
  std::FILE* const info = std::fopen(path, "re");
  if (info == nullptr) return false;
  char line[256];
  int fd = -1;
  while (std::fgets(line, sizeof line, info) != nullptr) {
    if (std::sscanf(line, "tfd: %d", &fd) == 1) watched.push_back(fd);
  }
  const bool whole = std::ferror(info) == 0;
  std::fclose(info);
  std::sort(watched.begin(), watched.end());
  return whole;
}

bool unwatched_connections(std::uint16_t port, const std::vector<int>& watched,
                           std::vector<Connection>& found) {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return false;
  while (const dirent* const entry = readdir(directory)) {
    char* end = nullptr;
    const long fd = std::strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != '\0') continue;
    Connection connection = {static_cast<int>(fd), 0};
    if (std::binary_search(watched.begin(), watched.end(), connection.fd)) continue;
    if (is_connection_to(port, connection.fd) && inode_of(connection.fd, connection.inode)) {
      found.push_back(connection);
    }
  }
  closedir(directory);
  return true;
}

}  // namespace vigie
