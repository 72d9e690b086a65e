/**
 * Large tables that are read at random places cost a look into the page tables beside each line; with pages of 2 MiB
 * those stay in the processor. Where the system does not know or does not want it, nothing changes but the speed.
 */
#include "addon-memory.h"

#include <cstdint>

#include "addon-arguments.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace vigie::addon {
namespace {

bool advise(const Bytes& bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kHugePage = std::uintptr_t{1} << 21;
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data);
  // Whole pages alone: what else lies on the first and the last one is not ours to advise on.
  const std::uintptr_t from = (begin + kHugePage - 1) & ~(kHugePage - 1);
  const std::uintptr_t to = (begin + bytes.length) & ~(kHugePage - 1);
  return from < to && madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE) == 0;
#else
  (void)bytes;
  return false;
#endif
}

}  // namespace

napi_value advise_huge_pages(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Bytes bytes;
  if (!read_arguments(env, info, arguments, 1) || !read_bytes(env, arguments[0], "bytes", bytes)) return nullptr;
  napi_value result = nullptr;
  napi_get_boolean(env, advise(bytes), &result);
  return result;
}

}  // namespace vigie::addon
