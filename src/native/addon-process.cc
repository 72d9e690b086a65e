/**
 * Memory holds credentials, keys and the deployment's secret. A core file would put them on a disk, and a debugger of the
 * same user could read them, so both are switched off where the system lets a process do so for itself.
 */
#include "addon-process.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#endif

namespace vigie::addon {
namespace {

#if defined(__linux__)

/** Whether this process still sees what its descriptors watch, by which connections of hanging threads are found. */
bool sees_itself() {
  const int any = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (any < 0) return false;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", any);
  const int info = open(path, O_RDONLY | O_CLOEXEC);
  if (info >= 0) close(info);
  close(any);
  return info >= 0;
}

/** A filter of system calls may refuse to set a limit that whoever started the process has set. */
bool limit_cores() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) == 0) return true;
  rlimit now{1, 1};
  return getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_max == 0;
}

bool hide() {
  const bool saw = sees_itself();
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return false;
  if (!saw || sees_itself()) return true;
  // Before Linux 5.14 such files are root's alone once nothing may be dumped. To serve on is worth more.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return false;
}

#else

bool limit_cores() { return false; }
bool hide() { return false; }

#endif

/** The numbers are those of addon.ts. */
constexpr unsigned kCoresNotLimited = 1;
constexpr unsigned kNotHidden = 2;

/** What failed. Neither would do alone: a core that is piped to a program (core_pattern) is written whatever the limit. */
unsigned forbid() {
  const unsigned limit = limit_cores() ? 0 : kCoresNotLimited;
  return limit | (hide() ? 0 : kNotHidden);
}

}  // namespace

napi_value forbid_dumps(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_create_uint32(env, forbid(), &result);
  return result;
}

}  // namespace vigie::addon
