#' maille: ask cancer centres a question together, without moving a patient
#'
#' A study is built with [study()] and one verb for each analysis ([km()], [cox()] ...), asked with
#' [maille_run()], and comes back as R objects. [maille_sandbox()] makes a whole network on this machine to
#' try it on. [maille_sitrep()] says what is found where.
#'
#' The package starts the program `maille` and reads the JSON that it writes; it computes no statistic of its own
#' beyond what is said on each page.
#'
#' @keywords internal
#' @importFrom stats coef vcov confint nobs logLik formula quantile anova qnorm qt setNames
#' @importFrom utils head packageVersion
#' @rawNamespace S3method(generics::tidy, maille_analysis)
#' @rawNamespace S3method(generics::tidy, maille_km)
#' @rawNamespace S3method(generics::tidy, maille_model)
#' @rawNamespace S3method(generics::glance, maille_analysis)
#' @rawNamespace S3method(generics::glance, maille_km)
#' @rawNamespace S3method(generics::glance, maille_model)
"_PACKAGE"
