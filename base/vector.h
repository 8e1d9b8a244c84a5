/* One loop, compiled for several instruction sets, chosen when the program runs.
 *
 * The clones hold the same IEEE operations in the same order on more lanes (no contraction, no
 * reassociation), so they give the same bits; tests compare them through vector_limit. Not target_clones: its
 * resolvers run before the sanitizers are ready. */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

enum vector_level { VECTOR_PORTABLE, VECTOR_AVX2, VECTOR_AVX512 };

/* What this CPU can do, at most the limit that was set. */
enum vector_level vector_level(void);
/* Lowers the level for this thread (tests and MAILLE_SCALAR=1); VECTOR_AVX512 takes every limit away. */
void vector_limit(enum vector_level level);

#define VECTOR_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define VECTOR_TARGET_AVX2 __attribute__((target("avx2")))
#define VECTOR_TARGET_AVX512 __attribute__((target("avx2,avx512f,avx512dq,avx512vl,avx512bw")))
/* static void name PARAMETERS: body ARGUMENTS compiled for each level. body is VECTOR_INLINE. */
#define VECTOR_CLONES(name, body, parameters, arguments)                                                     \
    VECTOR_TARGET_AVX512 static void name##_avx512 parameters                                                \
    {                                                                                                        \
        body arguments;                                                                                      \
    }                                                                                                        \
    VECTOR_TARGET_AVX2 static void name##_avx2 parameters                                                    \
    {                                                                                                        \
        body arguments;                                                                                      \
    }                                                                                                        \
    static void name##_portable parameters                                                                   \
    {                                                                                                        \
        body arguments;                                                                                      \
    }                                                                                                        \
    static void name parameters                                                                              \
    {                                                                                                        \
        switch (vector_level()) {                                                                            \
        case VECTOR_AVX512:                                                                                  \
            name##_avx512 arguments;                                                                         \
            break;                                                                                           \
        case VECTOR_AVX2:                                                                                    \
            name##_avx2 arguments;                                                                           \
            break;                                                                                           \
        default:                                                                                             \
            name##_portable arguments;                                                                       \
            break;                                                                                           \
        }                                                                                                    \
    }
#else
#define VECTOR_CLONES(name, body, parameters, arguments)                                                     \
    static void name parameters                                                                              \
    {                                                                                                        \
        body arguments;                                                                                      \
    }
#endif

#endif
