/** The choice between the implementations. VIGIE_HAVE_IFMA: the ifma-*.cc files are linked in. */
#include "kernel.h"

#include "native/cpu-features.h"
#include "implementation.h"

namespace vigie {

bool supported(Implementation implementation) noexcept {
  switch (implementation) {
    case Implementation::kPortable:
      return true;
    case Implementation::kIfma:
#ifdef VIGIE_HAVE_IFMA
      return cpu_has_avx512_ifma();
#else
      return false;
#endif
  }
  return false;
}

void verify_batch(Implementation implementation, const Check* checks, std::size_t count,
                  std::uint8_t* verdicts) noexcept {
#ifdef VIGIE_HAVE_IFMA
  if (implementation == Implementation::kIfma) {
    ifma::verify_batch(checks, count, verdicts);
    return;
  }
#else
  (void)implementation;
#endif
  portable::verify_batch(checks, count, verdicts);
}

}  // namespace vigie
