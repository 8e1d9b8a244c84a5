# cmake -DARCHIVE=libmaille_tally.a -DNM=nm -P no_libm.cmake: no function of libm may be called below stats/
# (docs/decisions/0002-exact-sums.md, rule 1): libm's results differ between CPUs and versions.
execute_process(COMMAND ${NM} --undefined-only ${ARCHIVE} OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "expected ${NM} to read ${ARCHIVE}, found status ${status}")
endif()
set(functions
  acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax
  fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nearbyint nextafter pow
  remainder remquo rint round roundeven scalbln scalbn sin sincos sinh sqrt tan tanh tgamma trunc)
foreach(function ${functions})
  foreach(suffix "" f l f128 q)
    if(symbols MATCHES "U (__)?${function}${suffix}(_finite)?(@[^\n]*)?(\n|$)")
      message(FATAL_ERROR "expected no call of libm in ${ARCHIVE}, found ${CMAKE_MATCH_0}; use tally/elementary.h")
    endif()
  endforeach()
endforeach()
