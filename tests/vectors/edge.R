# Makes edge.csv: 90 patients with everything that data can be awkward in. Run once; the file is kept.
set.seed(20240229)
n <- 90
d <- data.frame(pid = sprintf("E%03d", 1:n))
d$arm <- sample(c("A", "B", "D"), n, TRUE, c(.5, .4, .1))          # C: a level that nobody has
d$sex <- sample(0:1, n, TRUE)
d$site4 <- sample(c("x, y", "it's \"z\""), n, TRUE)                # levels with commas and quotes
d$x <- round(rnorm(n, 12, 4), 1); d$x[c(3, 50)] <- NA
d$constant <- 0.3
d$skewed <- pmin(5000, round(exp(rnorm(n, 2, 1.5)), 2))
d$start <- sample(0:20, n, TRUE)
d$stop <- d$start + sample(1:60, n, TRUE)
d$event <- rbinom(n, 1, .6)
d$time <- sample(0:40, n, TRUE)                                    # time 0, many ties
d$time[d$arm == "A"][1:3] <- 40
d$dead <- rbinom(n, 1, .5); d$dead[d$time == 40] <- 1              # everybody left dies at the last time
d$never <- 0                                                       # all censored
d$dead_a <- ifelse(d$arm == "A", d$dead, 0)                        # strata without events
d$dead[c(7, 8)] <- NA
d$arm[5] <- NA
write.csv(d, "tests/vectors/edge.csv", row.names = FALSE, na = "NA")
