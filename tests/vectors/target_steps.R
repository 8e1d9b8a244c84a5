# What the steps of a grace period cost, and whether the errors are right: made-up registers of 1,000 patients, of whom some have surgery,
# by the functions of target.R. Prints; no test reads it. Run from the repository's root: Rscript tests/vectors/target_steps.R     (two minutes)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
suppressMessages(library(survival))
for (e in parse("tests/vectors/target.R"))
  if (is.call(e) && identical(e[[1]], as.name("<-")) && is.call(e[[3]]) && identical(e[[3]][[1]], as.name("function"))) eval(e)

# waits: nobody has surgery in the first 90 days, and all are followed to the end.
register <- function(n, waits = FALSE) {
  age <- round(pmin(pmax(rnorm(n, 68, 10), 30), 95)); frail <- runif(n) < plogis((age - 72) / 8)
  stage <- sample(c("I", "II", "III"), n, TRUE, c(.4, .35, .25))
  rate <- exp(-0.04 * (age - 68) - 0.7 * frail + c(I = .3, II = 0, III = -.5)[stage]) / 130
  due <- rexp(n, rate)
  if (waits) due <- ifelse(due <= 90, 90 + rexp(n, rate), due)
  death <- rexp(n, exp(0.03 * (age - 68) + 0.5 * frail + c(I = -.6, II = 0, III = .7)[stage]) / 900)
  had <- due < death; death <- ifelse(had, due + (death - due) * 2, death)
  if (waits) return(death)
  lost <- pmin(rexp(n, 1 / 3000), runif(n, 400, 1990)); had <- had & due <= lost
  data.frame(age, stage = factor(stage, levels = c("I", "II", "III", "IV")), frail, surgery = had, wait = ifelse(had, due, NA),
             time = pmin(death, lost), death = death <= lost)
}

set.seed(7)
times <- c(360, 720); w <- 5; last <- ceiling(2000 / w); u <- times / w; one <- rep(1, 1000)
truth <- register(2e6, TRUE)
cat("no start, true S:", vapply(times, function(t) mean(truth > t), 0), "\n")
for (grace in list(c(30, 60, 90), 90)) {
  r <- t(replicate(250, {
    d <- register(1000); c <- clones(d, ~ age + stage + frail, grace, w, one); S <- lapply(c$arms, curve_of, one, last)
    D <- lapply(1:2, function(a) moves_of(c, a, S[[a]], u, NULL, w, last))
    base::c(asked(S[[1]], u, NULL, w), asked(S[[2]], u, NULL, w), sqrt(colSums(D[[1]]^2)), sqrt(colSums(D[[2]]^2)), sqrt(colSums((D[[2]] - D[[1]])^2)))
  }))
  cat("grace", grace, "\n  no start, mean S:", colMeans(r[, 1:2]), "\n  SD of no start, start, difference:", apply(cbind(r[, 1:4], r[, 3:4] - r[, 1:2]), 2, sd),
      "\n  mean error of these:            ", colMeans(r[, 5:10]), "\n")
}
