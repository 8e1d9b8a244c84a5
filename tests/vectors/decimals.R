# Times that are decimals, or were divided: one whole time written in nine ways: decimals.times. In R the whole times are used, and the times of the
# result are divided after. `Rscript tests/vectors/decimals.R data` makes the data.
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(76)
  n <- 80
  d <- data.frame(pid = sprintf("D%03d", 1:n), g = sample(c("A", "B"), n, TRUE), x = sample(0:10, n, TRUE) / 2, e = rbinom(n, 1, .7), t = sample(1:120, n, TRUE))
  d$y <- sprintf("%.2f", d$t / 100); d$r <- d$y
  from <- sample(400:460, n, TRUE)
  d$agein <- sprintf("%.1f", from / 10); d$ageout <- sprintf("%.1f", (from + sample(1:60, n, TRUE)) / 10)
  write.csv(d, "tests/vectors/decimals.csv", row.names = FALSE, quote = FALSE)
}

d <- read.csv("tests/vectors/decimals.csv")
d$g <- factor(d$g, levels = c("A", "B"))
d$y <- d$r <- d$t
d$agein <- round(10 * d$agein); d$ageout <- round(10 * d$ageout)
stopifnot(any(d$agein %in% d$ageout[d$e == 1])) # entries at the time of an event

# The result as its times were written: `by` of them are one.
written <- function(gold, by) {
  gold$result$curves <- lapply(gold$result$curves, function(curve) {
    for (k in c("median", "median_low", "median_high")) curve[[k]] <- curve[[k]] / by
    curve$time <- lapply(curve$time, function(t) t / by)
    curve
  })
  gold
}
three <- function(id, by) list(cox_gold(paste0("c_", id), d, "Surv(t, e) ~ g + x"), written(km(paste0("k_", id), d, Surv(t, e) ~ g), by), logrank(paste0("l_", id), d, Surv(t, e) ~ g))
entered <- "Surv(agein, ageout, e) ~ g + x"
gold("decimals.times", c(three("whole", 1), three("sevenths", 7), three("twelfths", 12), three("years", 365.25), three("months", 30.4375), three("tenths", 10),
  three("decimal", 100), three("real", 100), three("hundred", 1), three("sum", 50), list(cox_gold("c_age", d, entered), written(km("k_age", d, Surv(agein, ageout, e) ~ g), 10))))
