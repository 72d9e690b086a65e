/**
 * Memory holds credentials, keys and the deployment's secret. A core file would put them on a disk, and a debugger of the
 * same user could read them, so both are switched off where the system lets a process do so for itself.
 */
#include "addon-process.h"

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

namespace vigie::addon {
namespace {

bool forbid() {
#if defined(__linux__)
  // The limit alone would not do: a core that is piped to a program (core_pattern) is written whatever it says.
  const rlimit none{0, 0};
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
#else
  return false;
#endif
}

}  // namespace

napi_value forbid_dumps(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_get_boolean(env, forbid(), &result);
  return result;
}

}  // namespace vigie::addon
