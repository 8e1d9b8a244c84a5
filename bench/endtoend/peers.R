# peers.R FOLDER MAILLE STUDIES: in turn, five times: the study by maille, R's fit of the same model on the pooled data (the fit alone). Prints
# study, peer, seconds of maille and of R (medians); stops where a coefficient or a standard error differs by more than 1e-9 of itself.
suppressMessages({ library(survival); library(data.table); library(jsonlite) })
setDTthreads(2)
args <- commandArgs(TRUE)
d <- as.data.frame(fread(file.path(args[1], "model.csv")))
x <- c(paste0("x", 1:6), "age", "nodes", "treated", "prior")
logistic <- reformulate(x, "y")
cox <- reformulate(x, "Surv(days, death)")

ours <- function(study) {
  out <- file.path(args[1], paste0(study, ".json"))
  took <- system.time(status <- system2(args[2], c("sandbox", "run", "--dir", file.path(args[1], "model"),
    file.path(args[3], paste0(study, ".study.yaml")), "--json", out), stdout = FALSE))[["elapsed"]]
  if (status != 0) stop("maille failed on ", study)
  took
}
terms <- function(study) fromJSON(file.path(args[1], paste0(study, ".json")))$analyses$result$terms[[1]]
agree <- function(study, estimate, error) {
  t <- terms(study)
  worst <- max(abs(t$estimate / estimate - 1), abs(t$std_error / error - 1))
  cat("# ", study, ": largest relative difference from R ", format(worst), "\n", sep = "", file = stderr())
  if (!(worst <= 1e-9)) stop(study, " differs from R by ", worst)
}
compare <- function(study, peer, fit) {
  seconds <- replicate(5, c(ours(study), system.time(fit())[["elapsed"]]))
  cat(study, peer, median(seconds[1, ]), median(seconds[2, ]), "\n")
}

compare("logistic", "R:glm", function() glm(logistic, binomial, d))
# R's default stopping rules are looser than 1e-9; the covariance of glm is that of the iteration before
tight <- glm(logistic, binomial, d, epsilon = 1e-15, maxit = 50)
tight <- suppressWarnings(glm(logistic, binomial, d, start = coef(tight), epsilon = 1e-15, maxit = 50))
agree("logistic", coef(tight), sqrt(diag(vcov(tight))))
compare("cox", "R:coxph", function() coxph(cox, d, ties = "efron"))
# a smaller eps asks for less than the rounding of its log likelihood: it then halves steps and ends further off
tight <- coxph(cox, d, ties = "efron", eps = 1e-12)
agree("cox", coef(tight), sqrt(diag(vcov(tight))))
