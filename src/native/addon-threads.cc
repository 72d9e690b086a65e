/**
 * A thread that uWebSockets.js runs in must not end with open connections: its handles are still in the loop when
 * Node.js takes that down, and a request that comes in meanwhile finds no JavaScript; either aborts the process. So
 * whatever ends the thread, its connections are cut off before, and what is left of them is closed in its last moments.
 */
#include "addon-threads.h"

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

#include "addon-arguments.h"
#include "workers/native/connections.h"

// What is needed of libuv, which the node binary exports; its headers come with no package.
struct uv_loop_s;
struct uv_handle_s;
extern "C" {
void uv_walk(uv_loop_s* loop, void (*visit)(uv_handle_s*, void*), void* argument);
void uv_close(uv_handle_s* handle, void (*closed)(uv_handle_s*));
int uv_is_closing(const uv_handle_s* handle);
int uv_fileno(const uv_handle_s* handle, int* fd);
int uv_handle_get_type(const uv_handle_s* handle);
int uv_backend_fd(const uv_loop_s* loop);
}

namespace vigie::addon {

namespace {

/** UV_POLL: what uWebSockets.js watches its connections by, and nobody else in these threads. */
constexpr int kPoll = 8;

/** Places of the thread's words in shared memory (src/workers/worker-life.ts). */
constexpr std::size_t kLeaving = 0;
constexpr std::size_t kReleased = 1;
constexpr std::uint32_t kOutOfMemory = 2;
constexpr std::uint32_t kCrash = 3;

/** The main thread answers within its turn; without an answer the thread goes on to its end. */
constexpr int kReleaseTimeoutMs = 2'000;
/** For the way out of JavaScript, on top of the limit that was reached. */
constexpr std::size_t kLastBytes = 16 * 1024 * 1024;

/** Closes a connection's handle and descriptor; its memory stays, since others may still point to it. */
void close_connection(uv_handle_s* handle, void*) {
  int fd = -1;
  if (uv_handle_get_type(handle) != kPoll || uv_is_closing(handle) != 0) return;
  if (uv_fileno(handle, &fd) == 0) cut_off(fd);
  uv_close(handle, nullptr);
  if (fd >= 0) close(fd);
}

/** Runs in the thread's last moments, after the last of its JavaScript and before the parser's own clearing up. */
void close_connections(void* loop) { uv_walk(static_cast<uv_loop_s*>(loop), close_connection, nullptr); }

/** What V8 offers only in C++: looked up by name, and done without where it is not found. */
using NearHeapLimit = std::size_t (*)(void* data, std::size_t current, std::size_t initial);

void* symbol(const char* name) { return dlsym(RTLD_DEFAULT, name); }

void* current_isolate() {
  const auto get = reinterpret_cast<void* (*)()>(symbol("_ZN2v87Isolate10GetCurrentEv"));
  return get == nullptr ? nullptr : get();
}

/**
 * The thread's memory is at its limit, and Node.js is about to end it. It says so and stands still until the main
 * thread has taken its connections away; then it is let go on with a little more, to its end.
 */
std::size_t leave_out_of_memory(void* data, std::size_t current, std::size_t) {
  auto* const life = static_cast<std::uint32_t*>(data);
  __atomic_store_n(&life[kLeaving], kOutOfMemory, __ATOMIC_SEQ_CST);
  const timespec millisecond = {0, 1'000'000};
  for (int waited = 0; waited < kReleaseTimeoutMs; ++waited) {
    if (__atomic_load_n(&life[kReleased], __ATOMIC_SEQ_CST) != 0) break;
    nanosleep(&millisecond, nullptr);
  }
  const auto remove = reinterpret_cast<void (*)(void*, NearHeapLimit, std::size_t)>(
      symbol("_ZN2v87Isolate27RemoveNearHeapLimitCallbackEPFmPvmmEm"));
  // Then the next time at the limit is Node's.
  if (remove != nullptr) remove(current_isolate(), leave_out_of_memory, 0);
  return current + kLastBytes;
}

/** The guarded thread's own words. */
thread_local std::uint32_t* guarded_life = nullptr;
std::terminate_handler others_terminate = nullptr;

/**
 * The parser gives up on the whole process when a handler leaves a request alone, which a thread that is being ended
 * cannot help. Such a thread stands still for ever instead, without its connections; the others go on.
 */
void park_or_terminate() {
  if (guarded_life != nullptr) {
    __atomic_store_n(&guarded_life[kLeaving], kCrash, __ATOMIC_SEQ_CST);
    for (;;) pause();
  }
  others_terminate();
}

void guard_memory(std::uint32_t* life) {
  const auto add = reinterpret_cast<void (*)(void*, NearHeapLimit, void*)>(
      symbol("_ZN2v87Isolate24AddNearHeapLimitCallbackEPFmPvmmES1_"));
  void* const isolate = current_isolate();
  if (add != nullptr && isolate != nullptr) add(isolate, leave_out_of_memory, life);
}

}  // namespace

napi_value guard_thread(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Words life;
  if (!read_arguments(env, info, arguments, 1) || !read_words(env, arguments[0], "life", life)) return nullptr;
  if (!life.shared || life.length <= kReleased) {
    refuse(env, "life is too short, or not in shared memory");
    return nullptr;
  }
  uv_loop_s* loop = nullptr;
  napi_ref kept = nullptr;
  // Held for as long as the thread lives.
  if (napi_get_uv_event_loop(env, &loop) != napi_ok ||
      napi_create_reference(env, arguments[0], 1, &kept) != napi_ok ||
      napi_add_env_cleanup_hook(env, close_connections, loop) != napi_ok) {
    refuse(env, "the thread's loop cannot be had");
    return nullptr;
  }
  guard_memory(life.data);
  static std::once_flag once;
  std::call_once(once, [] { others_terminate = std::set_terminate(park_or_terminate); });
  guarded_life = life.data;
  return number(env, uv_backend_fd(loop));
}

napi_value cut_off_watched(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  std::uint32_t epoll = 0;
  if (!read_arguments(env, info, arguments, 1) || !read_count(env, arguments[0], "epoll", epoll)) return nullptr;
  std::vector<int> watched;
  if (!watched_by(static_cast<int>(epoll), watched)) return number(env, -1);
  for (const int fd : watched) cut_off(fd);
  return number(env, static_cast<double>(watched.size()));
}

napi_value unwatched_connections_of(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  std::uint32_t port = 0;
  Words epolls;
  Doubles out;
  if (!read_arguments(env, info, arguments, 3) || !read_count(env, arguments[0], "port", port) ||
      !read_words(env, arguments[1], "epolls", epolls) || !read_doubles(env, arguments[2], "found", out)) {
    return nullptr;
  }
  std::vector<int> watched;
  for (std::size_t i = 0; i < epolls.length; ++i) {
    if (!watched_by(static_cast<int>(epolls.data[i]), watched)) return number(env, -1);
  }
  std::vector<Connection> found;
  if (!unwatched_connections(static_cast<std::uint16_t>(port), watched, found)) return number(env, -1);
  const std::size_t count = std::min(found.size(), out.length / 2);
  for (std::size_t i = 0; i < count; ++i) {
    out.data[2 * i] = found[i].fd;
    out.data[2 * i + 1] = static_cast<double>(found[i].inode);
  }
  return number(env, static_cast<double>(count));
}

napi_value cut_off_one(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  std::uint32_t fd = 0;
  std::size_t inode = 0;
  if (!read_arguments(env, info, arguments, 2) || !read_count(env, arguments[0], "fd", fd) ||
      !read_size(env, arguments[1], "inode", inode)) {
    return nullptr;
  }
  napi_value result = nullptr;
  napi_get_boolean(env, cut_off(Connection{static_cast<int>(fd), inode}), &result);
  return result;
}

napi_value end_process(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  std::uint32_t code = 0;
  if (read_arguments(env, info, arguments, 1) && read_count(env, arguments[0], "code", code)) {
    _exit(static_cast<int>(code));
  }
  return nullptr;
}

}  // namespace vigie::addon
