/** The kernel's implementations, one by one. */
#pragma once

#include <initializer_list>

#include "kernel.h"

inline const char* name_of(vigie::Implementation implementation) {
  return implementation == vigie::Implementation::kIfma ? "ifma" : "portable";
}

/** Calls `test` for each implementation that is compiled in and runs here. */
template <typename Test>
void for_each_implementation(Test test) {
  for (const auto implementation : {vigie::Implementation::kPortable, vigie::Implementation::kIfma}) {
    if (vigie::supported(implementation)) test(implementation);
  }
}
