# cmake -DARCHIVE=libmaille_tally.a -DNM=nm [-DEXACT=ON] -P no_libm.cmake: Bit rule 1 (docs/decisions/0002-exact-sums.md). No function
# of libm may be called below stats/, whose results differ between CPUs and versions, and none of a BLAS. EXACT: those are
# permitted whose result C defines to the last bit.
execute_process(COMMAND ${NM} --undefined-only ${ARCHIVE} OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "expected ${NM} to read ${ARCHIVE}, found status ${status}")
endif()
set(functions
  acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax
  fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nearbyint nextafter pow
  remainder remquo rint round roundeven scalbln scalbn sin sincos sinh sqrt tan tanh tgamma trunc)
if(EXACT)
  list(REMOVE_ITEM functions ceil copysign fabs floor fmax fmin fmod frexp ldexp nearbyint sqrt trunc)
endif()
if(symbols MATCHES "U (cblas_[a-z]+|[sd](gemm|gemv|syrk|symm|trsm|dot|axpy|nrm2)_)")
  message(FATAL_ERROR "expected no BLAS in ${ARCHIVE}, found ${CMAKE_MATCH_1}")
endif()
foreach(function ${functions})
  foreach(suffix "" f l f128 q)
    if(symbols MATCHES "U (__)?${function}${suffix}(_finite)?(@[^\n]*)?(\n|$)")
      message(FATAL_ERROR "expected no call of libm in ${ARCHIVE}, found ${CMAKE_MATCH_0}; use tally/elementary.h")
    endif()
  endforeach()
endforeach()
