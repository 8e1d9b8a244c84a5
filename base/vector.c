#include "base/vector.h"

static _Thread_local enum vector_level limit = VECTOR_AVX512;

static enum vector_level level_of_cpu(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return VECTOR_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return VECTOR_AVX2;
#endif
    return VECTOR_PORTABLE;
}

enum vector_level vector_level(void)
{
    enum vector_level level = level_of_cpu();
    return level < limit ? level : limit;
}

void vector_limit(enum vector_level level)
{
    limit = level;
}
