# What the steps of a grace period cost, what an operation that kills does to arm *start*, and whether the errors are right: made-up registers,
# by the functions of target.R. Prints; no test reads it. Run from the repository's root: Rscript tests/vectors/target_steps.R     (some minutes)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
suppressMessages(library(survival))
for (e in parse("tests/vectors/target.R"))
  if (is.call(e) && identical(e[[1]], as.name("<-")) && is.call(e[[3]]) && identical(e[[3]][[1]], as.name("function"))) eval(e)

# harm: the share of the operated who die of it within 5 days; else surgery halves the hazard. Instead of what happens by itself, strategy
# "no start": nobody has surgery in the first 90 days; "start": whoever comes to `from` without it has it by 90 days, at a time of those who do.
# Then all are followed to their end, which is returned.
register <- function(n, harm = 0, strategy = "none", from = 0) {
  age <- round(pmin(pmax(rnorm(n, 68, 10), 30), 95)); frail <- runif(n) < plogis((age - 72) / 8)
  stage <- sample(c("I", "II", "III"), n, TRUE, c(.4, .35, .25))
  rate <- exp(-0.04 * (age - 68) - 0.7 * frail + c(I = .3, II = 0, III = -.5)[stage]) / 130
  due <- rexp(n, rate)
  if (strategy == "no start") due <- ifelse(due <= 90, 90 + rexp(n, rate), due)
  if (strategy == "start") due <- ifelse(due > from, from - log(1 - runif(n) * (1 - exp(-rate * (90 - from)))) / rate, due)
  death <- rexp(n, exp(0.03 * (age - 68) + 0.5 * frail + c(I = -.6, II = 0, III = .7)[stage]) / 900)
  had <- due < death; death <- ifelse(had, due + ifelse(runif(n) < harm, runif(n, 0, 5), (death - due) * 2), death)
  if (strategy != "none") return(death)
  lost <- pmin(rexp(n, 1 / 3000), runif(n, 400, 1990)); had <- had & due <= lost
  data.frame(age, stage = factor(stage, levels = c("I", "II", "III", "IV")), frail, surgery = had, wait = ifelse(had, due, NA),
             time = pmin(death, lost), death = death <= lost)
}

# Arm *start* as Maringe and others 2020 have it: whoever started by the end of the grace period and is followed beyond it stands for all who are.
before <- function(d, covariates, grace, times, w) {
  b <- round(max(grace) / w); T <- on_grid_exit(d$time, w)
  s <- d$surgery & replace(d$wait <= max(grace), !d$surgery, FALSE); rows <- T > b; X <- model.matrix(covariates, d); X <- X[, colSums(X != 0) > 0]
  v <- rows * s / plogis(drop(X %*% glm.fit(X[rows, ], as.numeric(s[rows]), family = binomial())$coefficients))
  S <- mean(!(d$death & T <= b)); N <- sum(v); row <- findInterval(T, base::c(b, times / w), left.open = TRUE)
  out <- vapply(seq_along(times), function(k) { D <- sum(v[d$death & row == k]); L <- sum(v[!d$death & row == k]); S <<- S * (1 - D / (N - L / 2)); N <<- N - D - L; S }, 0)
  out
}

set.seed(7)
times <- c(120, 180, 270, 365, 540, 720); at <- c(4, 6); w <- 5; n <- 1000; one <- rep(1, n); some <- ~ age + stage + frail; rows <- seq_along(times); own <- list(rows, rows)
for (harm in c(0, 0.2)) for (grace in list(c(30, 60, 90), 90, c(45, 90))) {
  K <- length(grace); from <- base::c(0, grace)[K]
  truth <- lapply(c("no start", "start"), function(s) { death <- register(1e6, harm, s, from); vapply(times[at], function(t) mean(death > t), 0) })
  r <- t(replicate(200, {
    d <- register(n, harm); c <- clones(d, some, grace, times, w, one, own, own); D <- lapply(1:2, function(a) moves_of(c, a, NULL)[, at + 1])
    base::c(curve_of(c$arms[[1]])[at + 1], curve_of(c$arms[[2]])[at + 1], before(d, some, grace, times, w)[at],
            sqrt(colSums(D[[1]]^2)), sqrt(colSums(D[[2]]^2)), sqrt(colSums((D[[2]] - D[[1]])^2)))
  }))
  show <- function(...) cat(sprintf("%.4f", base::c(...)), "\n")
  cat("harm", harm, "grace", grace, "\n  no start: true S    "); show(truth[[1]]); cat("            mean      "); show(colMeans(r[, 1:2]))
  cat("  start: true S       "); show(truth[[2]]); cat("         mean         "); show(colMeans(r[, 3:4]))
  cat("         by Maringe   "); show(colMeans(r[, 5:6]))
  cat("  SD of no start, start, difference "); show(apply(cbind(r[, 1:4], r[, 3:4] - r[, 1:2]), 2, sd))
  cat("  mean error of these               "); show(colMeans(r[, 7:12]))
}
