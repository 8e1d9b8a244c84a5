# Patients whose follow-up is cut into rows: split.rows. The truth is that of one row a patient, but for Cox, which R and maille count in rows, and
# for the model of the treatment, which is of every patient's first row. `Rscript tests/vectors/split.R data` makes the data.
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")
source("tests/vectors/competing.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(452)
  rows <- do.call(rbind, lapply(1:50, function(i) {
    t <- sample(3:60, 1); cuts <- sort(sample(1:(t - 1), min(t - 1, sample(0:3, 1))))
    data.frame(pid = sprintf("S%02d", i), start = c(0, cuts), stop = c(cuts, t), e = c(rep(0, length(cuts)), rbinom(1, 1, .6)),
               g = sample(c("A", "B"), 1), x = sample(0:10, 1) / 2)
  }))
  back <- data.frame(pid = "S51", start = c(2, 20), stop = c(9, 31), e = c(0, 1), g = "A", x = 1)   # leaves and comes back: censored at 9
  none <- data.frame(pid = c("S52", "S52", "S53"), start = c(0, 7, 4), stop = c(7, 7, 4), e = c(0, 1, 0), g = "B", x = 2) # stop is not after start
  d <- rbind(rows, back, none)
  write.csv(d[sample(nrow(d)), ], "tests/vectors/split.csv", row.names = FALSE, quote = FALSE)
}

d <- read.csv("tests/vectors/split.csv")
d <- d[d$stop > d$start, ]
d <- d[order(d$pid, d$start), ]
d$g <- factor(d$g, levels = c("A", "B"))
d$b <- d$g == "B"
# One row a follow-up: rows that continue each other are one.
follows <- c(FALSE, d$pid[-1] == d$pid[-nrow(d)] & d$start[-1] == d$stop[-nrow(d)])
one <- d[!follows, ]
one$stop <- d$stop[!c(follows[-1], FALSE)]; one$e <- d$e[!c(follows[-1], FALSE)]
patients <- function(gold, by) { # n: patients and not follow-ups
  n <- vapply(split(one$pid, by), function(p) length(unique(p)), 0)
  gold$n <- sum(n)
  gold$result$curves <- Map(function(curve, k) { curve$n <- n[[k]]; curve }, gold$result$curves, seq_along(n))
  gold
}
first <- d[!duplicated(d$pid), ]
fitted_to_first <- glm(b ~ x, binomial, first, control = glm.control(epsilon = 1e-14))
p <- predict(fitted_to_first, d, type = "response")
d$.iptw <- ifelse(d$b, 1 / p, 1 / (1 - p))
d$.row <- seq_len(nrow(d)) # without cluster(patient) errors take rows as independent
one$st <- factor(one$e * (1 + (one$x > 2.2)), 0:2, c("none", "low", "high"))
one_b <- one[one$g == "B", ] # all of them begin at 0
gold("split.rows", list(
  patients(km("k", one, Surv(start, stop, e) ~ g, tau = 40), one$g),
  patients(km("all", one, Surv(start, stop, e) ~ 1), rep("all", nrow(one))),
  patients(km("r", one, Surv(start, stop, 1 - e) ~ g), one$g),
  cox_gold("c", d, "Surv(start, stop, e) ~ g + x"),
  cox_gold("p", d, "Surv(start, stop, e) ~ g + x", cluster = "pid"),
  cox_gold("pb", d, "Surv(start, stop, e) ~ x + strata(g)", ties = "breslow", cluster = "pid"),
  cox_gold("ipp", d, "Surv(start, stop, e) ~ g", weights = ".iptw", cluster = "pid"),
  finegray_gold("fg", one_b, "x", cause = "low", surv = "Surv(stop, st)"),
  finegray_gold("fgs", one_b, "x + I((x - 1)^2)", cause = "high", surv = "Surv(stop, st)"),
  list(id = "back", method = "finegray", status = "failed"), # S51 leaves and comes back
  cox_gold("ip", d, "Surv(start, stop, e) ~ g", weights = ".iptw", cluster = ".row")))
