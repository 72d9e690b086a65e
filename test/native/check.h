/** The whole of the test harness: a check that says where it failed, and the program's exit code. */
#pragma once

#include <cstdio>

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

inline int finish(const char* program) {
  if (check_failures != 0) std::fprintf(stderr, "%s: %d checks failed\n", program, check_failures);
  return check_failures == 0 ? 0 : 1;
}
