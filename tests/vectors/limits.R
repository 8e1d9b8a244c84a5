# Medians of curves whose limits rise again, and of curves that reach exactly one half: limits.km. `Rscript tests/vectors/limits.R data` makes the data.
source("tests/vectors/km_methods.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(2009)
  again <- NULL # the upper limit falls to one half, rises above it, and falls for good: quantile.survfit takes the later time, print the first
  while (is.null(again)) {
    t <- sample(1:40, 30, TRUE); e <- rbinom(30, 1, .6)
    f <- survfit(Surv(t, e) ~ 1)
    if (!identical(unname(summary(f)$table[["0.95UCL"]]), unname(quantile(f, 0.5)$upper[[1]])) && !is.na(summary(f)$table[["0.95UCL"]]))
      again <- data.frame(arm = "again", t = t, e = e)
  }
  half <- data.frame(arm = "half", t = c(1, 2, 2, 3, 5, 8, 8, 9), e = c(1, 1, 1, 1, 0, 1, 1, 1))
  flat <- data.frame(arm = "flat", t = c(4, 6, 7, 9), e = c(1, 1, 0, 0))
  d <- rbind(again, half, flat)
  write.csv(cbind(pid = sprintf("L%03d", seq_len(nrow(d))), d), "tests/vectors/limits.csv", row.names = FALSE)
}

d <- read.csv("tests/vectors/limits.csv")
d$arm <- factor(d$arm, levels = c("again", "half", "flat"))
gold("limits.km", list(km("log", d, Surv(t, e) ~ arm), km("plain", d, Surv(t, e) ~ arm, "plain", 0.9), km("loglog", d, Surv(t, e) ~ arm, "log-log")))
