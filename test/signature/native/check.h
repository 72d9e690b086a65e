/** The whole of the test harness: a check that says where it failed, and the program's exit code. */
#pragma once

#include <cstdio>
#include <initializer_list>

#include "kernel.h"

inline int check_failures = 0;

/** Says what was being looked at, as printf would; the first twenty failures are shown. */
#define CHECK(condition, ...)                                                    \
  do {                                                                           \
    if (!(condition) && check_failures++ < 20) {                                 \
      std::fprintf(stderr, "%s:%d: %s [", __FILE__, __LINE__, #condition);       \
      std::fprintf(stderr, __VA_ARGS__);                                         \
      std::fprintf(stderr, "]\n");                                               \
    }                                                                            \
  } while (0)

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

inline int finish(const char* program) {
  if (check_failures != 0) std::fprintf(stderr, "%s: %d checks failed\n", program, check_failures);
  return check_failures == 0 ? 0 : 1;
}
